"""`ops/compose/secrets.sh`: what it makes, where it stops, and that the servers take it."""

import re
import stat
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
import redis
from compose_file import compose
from compose_servers import OPS, make_secrets, redis_health, redis_server
from conftest import ROOT
from servers.programs import MissingProgramError, find

from mucktrack.embedded import HOST

PASSWORD = re.compile(r"[0-9a-f]{64}\n")


def test_it_makes_what_the_compose_file_wants_and_each_once(tmp_path: Path) -> None:
    made = [make_secrets(tmp_path / name) for name in ("one", "two")]
    names = {file.name for file in made[0].iterdir()}
    assert names == set(compose()["secrets"])
    passwords = [(folder / name).read_text() for folder in made for name in names - {"redis_acl"}]
    assert all(PASSWORD.fullmatch(password) for password in passwords)
    assert len(set(passwords)) == len(passwords)


def test_only_its_owner_gets_at_them_on_this_machine(tmp_path: Path) -> None:
    folder = make_secrets(tmp_path / "secrets")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o444}


def test_it_replaces_nothing(tmp_path: Path) -> None:
    folder = make_secrets(tmp_path / "secrets")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    again = subprocess.run(
        ["sh", OPS / "secrets.sh", folder], capture_output=True, text=True, check=False
    )
    assert again.returncode == 1
    assert "exists; nothing was made" in again.stderr
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert [one.name for one in tmp_path.iterdir()] == ["secrets"]


def test_what_it_cannot_finish_it_takes_away(tmp_path: Path) -> None:
    """Without a program for the digest, as a machine may be."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("od", "tr", "mkdir", "dirname", "cat", "rm", "chmod", "mv", "cut"):
        (programs / name).symlink_to(find(name, "making passwords"))
    failed = subprocess.run(
        [find("sh", "making passwords"), OPS / "secrets.sh", tmp_path / "secrets"],
        capture_output=True,
        check=False,
        env={"PATH": str(programs)},
    )
    assert failed.returncode != 0
    assert [one.name for one in tmp_path.iterdir()] == ["programs"]


def test_redis_takes_its_user_and_no_other(tmp_path: Path) -> None:
    secrets = make_secrets(tmp_path / "secrets")
    try:
        server = redis_server(tmp_path / "redis", secrets)
        health = redis_health(server.port, secrets)
    except MissingProgramError as error:
        pytest.skip(str(error))
    password = (secrets / "redis_password").read_text().strip()
    with server:
        assert subprocess.run(health, check=False, timeout=3).returncode == 0
        anybody = redis.Redis(HOST, server.port)
        with closing(anybody), pytest.raises(redis.AuthenticationError):
            anybody.get("mucktrack:x")
        with closing(
            redis.Redis(HOST, server.port, username="mucktrack", password=password)
        ) as own:
            assert own.set("mucktrack:x", "1")
            with pytest.raises(redis.exceptions.NoPermissionError):
                own.set("other", "1")
            with pytest.raises(redis.exceptions.NoPermissionError):
                own.flushall()
        (secrets / "redis_password").chmod(0o600)
        (secrets / "redis_password").write_text("wrong\n")
        assert subprocess.run(health, check=False, timeout=3).returncode != 0


def test_the_rights_in_redis_are_those_of_the_documentation(tmp_path: Path) -> None:
    told = (make_secrets(tmp_path / "secrets") / "redis_acl").read_text()
    [documented] = re.findall(
        r"^    (user mucktrack on .*)$", (ROOT / "docs" / "access.md").read_text(), re.MULTILINE
    )
    assert re.sub(r"#[0-9a-f]{64}", ">PASSWORD", told) == f"user default off\n{documented}\n"


def test_none_of_them_can_be_committed_or_sent_to_an_engine() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"secrets/", ".env"} <= set(ignored)
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()
