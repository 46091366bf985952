"""Files that are added to cases: what may be, and how it comes back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from office_parts import THERE, TestOffice, violation

from enforcement.api.armour import MOST_ATTACHED_BYTES
from enforcement.attachments import MOST_OF_A_CASE, plain_name

JPEG = b"\xff\xd8\xff\xe0 a photo"
GOOD = {
    "image/jpeg": JPEG,
    "image/png": b"\x89PNG\r\n\x1a\n...",
    "image/webp": b"RIFF....WEBP",
    "application/pdf": b"%PDF-1.7 ...",
    "video/mp4": b"\x00\x00\x00\x18ftypmp42",
}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[TestOffice]:
    made = TestOffice(f"sqlite:///{tmp_path}/cases.db")
    made.add_people()
    yield made
    made.close()


@pytest.mark.parametrize("media_type", GOOD)
def test_a_file_comes_back_as_it_was_to_be_saved(office: TestOffice, media_type: str) -> None:
    (case_id,) = office.take(violation())
    client = office.client("officer")
    headers = {"Content-Type": media_type}
    path = f"/cases/{case_id}/attachments"
    added = client.post(
        path, params={"name": "车辆照片.bin"}, content=GOOD[media_type], headers=headers
    )
    assert added.status_code == 201, added.text
    assert client.get(f"/cases/{case_id}").headers["ETag"] == added.headers["ETag"]
    (listed,) = client.get(path).json()["items"]
    assert (listed["name"], listed["added_by"]) == ("车辆照片.bin", "officer")
    file = client.get(f"{path}/{listed['attachment_id']}")
    assert file.content == GOOD[media_type]
    assert file.headers["Content-Type"] == media_type
    disposition = file.headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename*=UTF-8''%E8%BD%A6")
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in file.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("text/html", b"<script>alert(1)</script>"),
        ("image/svg+xml", b"<svg onload='alert(1)'/>"),
        ("image/jpeg", b"<script>alert(1)</script>"),
        ("image/png", JPEG),
        ("", JPEG),
        ("image/jpeg", b""),
    ],
)
def test_what_a_browser_might_run_is_refused(
    office: TestOffice, media_type: str, content: bytes
) -> None:
    (case_id,) = office.take(violation())
    answer = office.client("officer").post(
        f"/cases/{case_id}/attachments",
        params={"name": "a.jpg"},
        content=content,
        headers={"Content-Type": media_type},
    )
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("..\\windows\\a.jpg", "_windows_a.jpg"),
        ('a".jpg', "a_.jpg"),
        ("...", "file"),
        ("gpj.\u202eexe", "gpj._exe"),
        ("照" * 150 + ".jpg", "照" * 116 + ".jpg"),
        ("x" * 150, "x" * 120),
    ],
)
def test_names_are_no_paths(name: str, kept: str) -> None:
    assert plain_name(name) == kept


def test_a_file_of_one_case_is_not_given_out_for_another(office: TestOffice) -> None:
    here, there = office.take(violation(), violation("浙Y2", district=THERE))
    office.add_user("boss", "admin", None)
    headers = {"Content-Type": "image/jpeg"}
    added = office.client("boss").post(
        f"/cases/{there}/attachments", params={"name": "a"}, content=JPEG, headers=headers
    )
    attachment_id = added.json()["attachment_id"]
    client = office.client("officer")
    for case_id in (here, there):
        assert client.get(f"/cases/{case_id}/attachments/{attachment_id}").status_code == 404


def test_sizes_and_counts_are_limited(office: TestOffice) -> None:
    (case_id,) = office.take(violation())
    client, path = office.client("officer"), f"/cases/{case_id}/attachments"
    asked = {"params": {"name": "a.jpg"}, "headers": {"Content-Type": "image/jpeg"}}
    largest = JPEG.ljust(MOST_ATTACHED_BYTES, b".")
    assert client.post(path, content=largest, **asked).status_code == 201
    assert client.post(path, content=largest + b".", **asked).status_code == 413
    assert client.post(path, content=iter([largest, b"."]), **asked).status_code == 413
    stale = {**asked, "headers": {**asked["headers"], "If-Match": '"1"'}}
    assert client.post(path, content=JPEG, **stale).status_code == 412
    again = {**asked, "headers": {**asked["headers"], "Idempotency-Key": "a-key-of-mine"}}
    first = client.post(path, content=JPEG, **again)
    assert client.post(path, content=JPEG, **again).text == first.text
    assert client.post(path, content=JPEG + b".", **again).status_code == 422
    for _ in range(MOST_OF_A_CASE - 2):
        assert client.post(path, content=JPEG, **asked).status_code == 201
    assert client.post(path, content=JPEG, **asked).status_code == 409
