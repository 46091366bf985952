"""How well the violations found agree with the simulator's labels.

Called by `mucktrack score`. Works on values and files; knows nothing of the engine.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from producers.labels import Label, read_lines

SLACK_MS = 60_000
"""Labels say when a truck truly was where it should not be; fixes come every 10 s and a few metres
beside it."""


class Found(msgspec.Struct, frozen=True):
    """What of a violation is compared; the fields of section 7, others are passed over."""

    violation_id: str
    rule: str
    truck_id: str
    started_ms: int
    detected_ms: int
    ended_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """One rule's figures."""

    rule: str
    labels: int
    """Offences that must be found (partial labels left out)."""
    found: int
    """Of these, found."""
    violations: int
    right: int
    """Violations that a label, partial or not, agrees with."""

    @property
    def recall(self) -> float | None:
        """Share of the offences that were found; None = there were none."""
        return self.found / self.labels if self.labels else None

    @property
    def precision(self) -> float | None:
        """Share of the violations that were offences; None = there were none."""
        return self.right / self.violations if self.violations else None


def score(
    labels: Iterable[Label], violations: Iterable[Found], slack_ms: int = SLACK_MS
) -> list[Score]:
    """Figures by rule, sorted, and of all rules together last (`rule` = "all").

    A violation and a label agree when truck and rule are the same and their times, the label's
    widened by `slack_ms` at both ends, overlap. The messages of one violation count as one, with
    the latest end among them.
    """
    by_key: dict[tuple[str, str], list[Label]] = defaultdict(list)
    rules: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for label in labels:
        by_key[label.truck_id, label.rule].append(label)
    merged = _merged(violations)
    for found in merged:
        matching = [
            one for one in by_key[found.truck_id, found.rule] if _agree(one, found, slack_ms)
        ]
        rules[found.rule][2] += 1
        rules[found.rule][3] += bool(matching)
    found_by_key: dict[tuple[str, str], list[Found]] = defaultdict(list)
    for found in merged:
        found_by_key[found.truck_id, found.rule].append(found)
    for key, some in by_key.items():
        for label in some:
            if not label.partial:
                hits = any(_agree(label, found, slack_ms) for found in found_by_key[key])
                rules[label.rule][0] += 1
                rules[label.rule][1] += hits
    scores = [Score(rule, *rules[rule]) for rule in sorted(rules)]
    totals = [sum(figures) for figures in zip(*rules.values(), strict=True)] or [0, 0, 0, 0]
    return [*scores, Score("all", *totals)]


def _merged(violations: Iterable[Found]) -> list[Found]:
    """One for each violation, from its start to its latest end."""
    merged: dict[str, Found] = {}
    for found in violations:
        known = merged.get(found.violation_id)
        end_ms = max(_end_ms(found), _end_ms(known) if known else 0)
        merged[found.violation_id] = msgspec.structs.replace(found, ended_ms=end_ms)
    return list(merged.values())


def _end_ms(found: Found) -> int:
    return found.detected_ms if found.ended_ms is None else found.ended_ms


def _agree(label: Label, found: Found, slack_ms: int) -> bool:
    return label.from_ms - slack_ms <= _end_ms(found) and found.started_ms <= label.to_ms + slack_ms


def read_violations(path: Path) -> list[Found]:
    """The violations that `detect` wrote. Raises `LinesError`."""
    return read_lines(path, Found)


def table(scores: Sequence[Score]) -> list[str]:
    """The figures as lines of text."""
    titles = ("rule", "labels", "found", "recall", "alarms", "right", "precision")
    rows = [
        (
            *(one.rule, one.labels, one.found, _share(one.recall)),
            *(one.violations, one.right, _share(one.precision)),
        )
        for one in scores
    ]
    return [f"{row[0]:<24}" + "".join(f"{cell:>10}" for cell in row[1:]) for row in (titles, *rows)]


def partial_line(labels: Iterable[Label]) -> str:
    """How many of the labels the figures leave out, as a line of text."""
    count = sum(label.partial for label in labels)
    return f"{count:,} partial label{'' if count == 1 else 's'} not counted"


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
