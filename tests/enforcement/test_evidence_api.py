"""Evidence by the API: what its endpoint gives is what the command gives."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from evidence_parts import PROGRAM, Office, office, stream
from office_parts import TestOffice

from enforcement.evidence.container import unpack
from enforcement.evidence.verify import check


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Office]:
    made = office(tmp_path, stream("illegal-dumping"))
    yield made
    made.database.close()


@pytest.fixture
def desk(room: Office) -> Iterator[TestOffice]:
    address = f"sqlite:///{room.archive.parent / 'cases.db'}"
    made = TestOffice(address, evidence=room.exporter())
    made.add_people(frozenset({"330201"}))
    yield made
    made.close()


@pytest.mark.parametrize("language", [None, "zh", "en"])
def test_the_package_of_a_case(room: Office, desk: TestOffice, language: str | None) -> None:
    client = desk.client("reviewer")
    case_id = client.get("/cases").json()["items"][0]["case_id"]
    asked = {} if language is None else {"language": language}
    answer = client.post(f"/cases/{case_id}/evidence", params=asked)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/zip")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="evidence-1.zip"'
    checked = check(answer.content, PROGRAM)
    assert checked.holds
    assert answer.headers["ETag"] == f'"{checked.manifest_sha256}"'
    entry = client.get(f"/cases/{case_id}").json()["trail"][-1]
    assert (entry["action"], entry["who"]) == ("evidence", "reviewer")
    assert entry["details"]["manifest_sha256"] == checked.manifest_sha256
    page = unpack(answer.content).files["report.html"]
    assert f'lang="{"en" if language == "en" else "zh-CN"}"'.encode() in page
    assert not room.faults()


def test_what_stands_in_the_way_is_a_problem(room: Office, desk: TestOffice) -> None:
    client = desk.client("reviewer")
    case_id = client.get("/cases").json()["items"][0]["case_id"]
    for file in room.archive.glob("*/*.parquet"):
        file.unlink()
    lost = client.post(f"/cases/{case_id}/evidence")
    assert (lost.status_code, lost.headers["Content-Type"]) == (409, "application/problem+json")
    (room.archive / "_archive.json").unlink()
    assert client.post(f"/cases/{case_id}/evidence").status_code == 503
    assert client.post(f"/cases/{case_id}/evidence", params={"language": "x"}).status_code == 422
