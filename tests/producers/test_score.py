"""Scores of violations against labels."""

from pathlib import Path

import pytest

from producers.labels import Label, LinesError, read_labels, write_label
from producers.score import Found, Score, read_violations, score, table


def label(truck_id: str, rule: str, from_s: int, to_s: int, *, partial: bool = False) -> Label:
    return Label(truck_id, rule, from_s * 1000, to_s * 1000, (121.0, 29.0), partial)


def found(
    violation_id: str, truck_id: str, rule: str, started_s: int, ended_s: int | None = None
) -> Found:
    detected_ms = (ended_s or started_s + 10) * 1000
    ended_ms = None if ended_s is None else ended_s * 1000
    return Found(violation_id, rule, truck_id, started_s * 1000, detected_ms, ended_ms)


def test_recall_and_precision_by_rule() -> None:
    labels = [
        label("a", "off-route", 100, 200),
        label("a", "off-route", 1_000, 1_100),
        label("b", "wrong-site", 50, 60),
    ]
    violations = [
        found("1", "a", "off-route", 120),
        found("1", "a", "off-route", 120, 190),
        found("2", "a", "off-route", 500, 600),
        found("3", "b", "off-route", 50, 60),
    ]
    assert score(labels, violations) == [
        Score("off-route", labels=2, found=1, violations=3, right=1),
        Score("wrong-site", labels=1, found=0, violations=0, right=0),
        Score("all", labels=3, found=1, violations=3, right=1),
    ]


def test_a_closed_message_stretches_the_violation() -> None:
    violations = [found("1", "a", "off-route", 0), found("1", "a", "off-route", 0, 900)]
    (one, _) = score([label("a", "off-route", 800, 850)], violations, slack_ms=0)
    assert (one.found, one.right, one.violations) == (1, 1, 1)


@pytest.mark.parametrize(("slack_s", "hits"), [(9, 0), (10, 1)])
def test_slack_widens_labels_at_both_ends(slack_s: int, hits: int) -> None:
    for violation in (found("1", "a", "x", 70, 90), found("1", "a", "x", 210, 300)):
        (one, _) = score([label("a", "x", 100, 200)], [violation], slack_ms=slack_s * 1000)
        assert (one.found, one.right) == (hits, hits)


def test_partial_labels_excuse_a_violation_but_are_no_miss() -> None:
    labels = [label("a", "x", 100, 200, partial=True), label("b", "x", 100, 200, partial=True)]
    (one, _) = score(labels, [found("1", "a", "x", 150, 160)])
    assert one == Score("x", labels=0, found=0, violations=1, right=1)
    assert one.recall is None
    assert one.precision == 1


def test_nothing_at_all() -> None:
    assert score([], []) == [Score("all", 0, 0, 0, 0)]
    assert len(table(score([], []))) == 2


def test_table_shows_shares() -> None:
    lines = table(
        score([label("a", "x", 0, 1)], [found("1", "a", "x", 0), found("2", "b", "x", 0)])
    )
    assert lines[1].split() == ["x", "1", "1", "100.0%", "2", "1", "50.0%"]


def test_files(tmp_path: Path) -> None:
    labels = [label("浙B1", "x", 0, 1), label("浙B2", "y", 0, 1, partial=True)]
    path = tmp_path / "labels.jsonl"
    path.write_bytes(b"".join(map(write_label, labels)))
    assert read_labels(path) == labels
    other = tmp_path / "violations.jsonl"
    other.write_text(
        '{"violation_id":"1","rule":"x","truck_id":"a","started_ms":1,"detected_ms":2,'
        '"ended_ms":null,"track":[]}\n'
    )
    assert read_violations(other) == [Found("1", "x", "a", 1, 2, None)]
    for broken, message in ((b'{"truck_id":1}', "no label"), (b"\xff", "no label")):
        path.write_bytes(broken)
        with pytest.raises(LinesError, match=message):
            read_labels(path)
    with pytest.raises(LinesError, match="cannot be read"):
        read_labels(tmp_path / "missing.jsonl")
