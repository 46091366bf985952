"""`targets.json`, by which Prometheus finds the parts of `mucktrack up`."""

import json

from mucktrack.scrape_targets import NAME, told_to_prometheus


def test_it_is_there_as_long_as_the_parts_are(tmp_path):
    with told_to_prometheus(tmp_path, "127.0.0.1", {"worker": 4001, "console": 4002}) as file:
        assert file == tmp_path / NAME
        assert json.loads(file.read_text()) == [
            {"targets": ["127.0.0.1:4001"], "labels": {"job": "worker"}},
            {"targets": ["127.0.0.1:4002"], "labels": {"job": "console"}},
        ]
    assert list(tmp_path.iterdir()) == []


def test_a_later_run_takes_its_place_and_keeps_it(tmp_path):
    with told_to_prometheus(tmp_path, "::1", {"worker": 4001}) as file:
        with told_to_prometheus(tmp_path, "::1", {"worker": 5001}):
            assert json.loads(file.read_text())[0]["targets"] == ["[::1]:5001"]
        assert not file.exists()
    with told_to_prometheus(tmp_path, "::1", {"worker": 4001}) as file:
        later = told_to_prometheus(tmp_path, "::1", {"worker": 5001})
        later.__enter__()
    assert json.loads(file.read_text())[0]["targets"] == ["[::1]:5001"]
    later.__exit__(None, None, None)
    assert not file.exists()
