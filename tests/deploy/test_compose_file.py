"""What `docker-compose.yml` says, without a container engine: that it is a Compose file and keeps
what docs/deploy.md promises of it."""

import json
import re
import tomllib
from pathlib import Path

import jsonschema
import pytest
from compose_file import SECRETS_FOLDER, compose, own_services, seconds, services, text
from conftest import ROOT
from metrics_ports import METRICS_PORTS

from mucktrack import parts
from mucktrack.cli import cli
from mucktrack.settings import SETTINGS, load_settings, unknown_variables

SCHEMA = Path(__file__).with_name("compose-spec.json")
SERVICES = [
    "kafka",
    "redis",
    "postgres",
    "topics",
    "rights",
    "gateway",
    "gateway809",
    "worker",
    "archiver",
    "console",
    "prometheus",
    "grafana",
]
PUBLISHED = {"gateway": 7611, "gateway809": 7809, "console": 8080, "grafana": 3000}
END_BY_THEMSELVES = {"topics", "rights"}


def test_it_is_a_compose_file() -> None:
    schema = json.loads(SCHEMA.read_text())
    validator = jsonschema.Draft202012Validator(schema)
    assert list(validator.iter_errors(compose())) == []


def test_the_schema_refuses_what_is_none() -> None:
    schema = json.loads(SCHEMA.read_text())
    wrong = {**compose(), "services": {"worker": {"imagee": "mucktrack:0.1.0"}}}
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(wrong))


def test_the_services_have_the_names_that_others_know() -> None:
    assert list(services()) == SERVICES


def test_our_image_has_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {one["image"] for one in own_services().values()} == {f"mucktrack:{project['version']}"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned(name: str) -> None:
    """To a version down to its last number; docs/deploy.md tells how to pin the digest too."""
    tag = services()[name]["image"].rpartition(":")[2]
    assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?(-alpine)?", tag), tag


@pytest.mark.parametrize("name", SERVICES)
def test_nobody_is_root_or_may_become_it_or_write_to_the_image(name: str) -> None:
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    if name in own_services():
        assert "user" not in service, "the image's own"
    else:
        user, _, group = service["user"].partition(":")
        assert int(user) > 0
        assert group
    assert any(mount.split(":")[0] == "/tmp" for mount in service["tmpfs"])  # noqa: S108


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_limited(name: str) -> None:
    limits = services()[name]["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory", "pids"}
    assert services()[name]["logging"]["options"].keys() == {"max-size", "max-file"}


def test_redis_is_full_before_its_container_is() -> None:
    """So that it refuses instead of being killed; writing its file anew may take as much again."""
    redis = services()["redis"]
    command = redis["command"]
    most_gb = int(command[command.index("--maxmemory") + 1].removesuffix("gb"))
    assert 2 * most_gb <= int(redis["deploy"]["resources"]["limits"]["memory"].removesuffix("g"))
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


@pytest.mark.parametrize("name", SERVICES)
def test_only_what_must_be_reached_is_published_and_on_the_loopback(name: str) -> None:
    service = services()[name]
    if name not in PUBLISHED:
        assert "ports" not in service
        assert service["networks"] == ["back"]
        return
    assert service["ports"] == [f"127.0.0.1:{PUBLISHED[name]}:{PUBLISHED[name]}"]
    assert service["networks"] == ["front", "back"]


def test_the_servers_reach_nothing_outside() -> None:
    assert compose()["networks"]["back"] == {"internal": True}


def test_the_address_and_the_city_are_chosen_in_one_place() -> None:
    told = {"BIND_ADDRESS": "10.1.2.3", "CITY_DIR": "/srv/city", "WORKERS": "5"}
    chosen = services(told)
    assert chosen["console"]["ports"] == ["10.1.2.3:8080:8080"]
    assert chosen["worker"]["volumes"] == ["/srv/city:/city:ro"]
    assert chosen["worker"]["deploy"]["replicas"] == "5"


def test_every_variable_is_told_of_in_the_example() -> None:
    used = set(re.findall(r"\$\{(\w+)", text()))
    example = (ROOT / "ops" / "compose" / "example.env").read_text()
    assert used == set(re.findall(r"^#?([A-Z0-9_]+)=", example, re.MULTILINE))


@pytest.mark.parametrize("name", SERVICES)
def test_no_password_stands_in_the_file(name: str) -> None:
    """Each comes from a file, and none has a value to fall back on."""
    environment = services()[name].get("environment", {})
    for variable, value in environment.items():
        if re.search("PASSWORD|SECRET|TOKEN", variable):
            assert re.search("_FILE$", variable)
            secret = str(value).removeprefix(f"{SECRETS_FOLDER}/")
            assert secret in services()[name]["secrets"]


def test_every_secret_is_used_and_comes_from_the_folder_of_secrets() -> None:
    declared = compose()["secrets"]
    assert declared == {name: {"file": f"./secrets/{name}"} for name in declared}
    used = {one for service in services().values() for one in service.get("secrets", [])}
    assert used == set(declared)


@pytest.mark.parametrize("name", sorted(own_services()))
def test_what_our_services_are_told_are_settings(name: str) -> None:
    environment = {k: str(v) for k, v in services()[name].get("environment", {}).items()}
    assert unknown_variables(environment) == []
    plain = {k: v for k, v in environment.items() if not k.endswith("_PASSWORD_FILE")}
    load_settings({}, plain)
    commands = services()[name]["command"]
    assert commands[0] in cli.commands


@pytest.mark.parametrize("name", sorted(set(own_services()) - END_BY_THEMSELVES))
def test_the_health_check_asks_the_port_that_the_service_has(name: str) -> None:
    test = services()[name]["healthcheck"]["test"]
    assert f"'127.0.0.1', {SETTINGS[METRICS_PORTS[name]].default}, timeout=5" in test[-1]


@pytest.mark.parametrize("name", sorted(set(SERVICES) - END_BY_THEMSELVES))
def test_who_stays_is_looked_after_and_given_time_to_end(name: str) -> None:
    service = services()[name]
    assert service["restart"] == "unless-stopped"
    check = service["healthcheck"]
    assert seconds(check["timeout"]) < seconds(check["interval"])
    assert seconds(service["stop_grace_period"]) >= 30


def test_the_grace_is_longer_than_what_our_processes_take_at_most() -> None:
    assert seconds(services()["worker"]["stop_grace_period"]) > parts.WORKER_GRACE_S
    assert seconds(services()["archiver"]["stop_grace_period"]) > parts.ARCHIVER_GRACE_S


def test_nobody_starts_before_what_it_needs() -> None:
    needs = {name: one.get("depends_on", {}) for name, one in services().items()}
    for name, service in own_services().items():
        before = _before(name, needs)
        assert "kafka" in before
        assert name in END_BY_THEMSELVES or "rights" in before
        for secret, server in (("redis_password", "redis"), ("postgres_password", "postgres")):
            assert secret not in service["secrets"] or server in before
    for conditions in needs.values():
        for other, condition in conditions.items():
            ends = other in END_BY_THEMSELVES
            expected = "service_completed_successfully" if ends else "service_healthy"
            assert condition == {"condition": expected}


def test_what_is_mounted_from_here_exists_and_can_only_be_read() -> None:
    named = set(compose()["volumes"])
    for name, service in services().items():
        for mount in service.get("volumes", []):
            source, target, *mode = mount.split(":")
            if source in named:
                continue
            assert mode == ["ro"], f"{name}: {mount}"
            assert (ROOT / source).exists(), f"{name}: {source}, for {target}"


def _before(name: str, needs: dict[str, dict[str, object]]) -> set[str]:
    found: set[str] = set()
    waiting = list(needs[name])
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += needs[one]
    return found
