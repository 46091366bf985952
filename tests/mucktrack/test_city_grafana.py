"""`mucktrack city grafana`: the districts of one's own city for Grafana's map."""

import json

import pytest

from mucktrack.city_grafana import CENTRES, OUTLINES, write
from mucktrack.failures import BadInputError, WorkFailedError
from producers.demo_city import DEMO_CITY


def test_it_writes_both_files_and_says_where(tmp_path, capsys):
    folder = tmp_path / "new" / "maps"
    write(DEMO_CITY, folder)
    assert capsys.readouterr().out.split() == [str(folder / OUTLINES), str(folder / CENTRES)]
    assert {place["key"] for place in json.loads((folder / CENTRES).read_text())} == {
        one["properties"]["code"] for one in json.loads((folder / OUTLINES).read_text())["features"]
    }


def test_a_city_with_faults_writes_nothing(tmp_path):
    folder = tmp_path / "maps"
    with pytest.raises(BadInputError):
        write(tmp_path, folder)
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "maps").touch()
    with pytest.raises(WorkFailedError, match="maps: "):
        write(DEMO_CITY, tmp_path / "maps")
