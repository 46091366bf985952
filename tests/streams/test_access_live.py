"""Kafka and Redis that demand TLS and a password: what gets in, and what is said to what does not.

The rights that the users have are those in docs/access.md.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import redis
from conftest import ROOT
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourceType,
)
from live_parts import until, write_city
from servers.certificates import Authority, Certificate
from servers.kafka_cluster import SCRAMS, KafkaCluster
from servers.programs import MissingProgramError, openssl, redis_with_tls
from servers.redis_server import RedisServer
from servers.server_process import quiet_port

from mucktrack.rights import rights as granted_rights
from streams.access import AccessRefusedError, KafkaAccess
from streams.admission import check_kafka_now
from streams.metrics import Metrics
from streams.partition import partition_of
from streams.readiness import NotReadyError, wait_until_ready
from streams.redis_admission import check_redis

pytestmark = pytest.mark.usefixtures("apache_kafka")

MUCKTRACK = [sys.executable, "-m", "mucktrack"]
PARTITIONS = 2
AT_ONCE = 3
REFUSED = "reading_refused"
SECRETS = {name: f"geheim-{name}" for name in ("worker", "archiver", "producer", "admin", "up")}
WRONG = "geheim-wrong"
REDIS_SECRET = "geheim-redis"  # noqa: S105 - of a server of the test's own
START_MS = 1_793_584_800_000


@dataclass(frozen=True)
class Guarded:
    """Servers that demand what they can."""

    cluster: KafkaCluster
    redis_port: int
    """TLS."""
    redis_plain_port: int
    authority: Authority
    stranger: Authority
    own: Certificate

    @property
    def kafka(self) -> KafkaAccess:
        return KafkaAccess(
            self.cluster.bootstrap,
            "sasl_ssl",
            self.authority.cert,
            user="worker",
            password=SECRETS["worker"],
        )

    def environment(self, user: str, **more: object) -> dict[str, str]:
        """By which a command gets in as `user`."""
        inherited = {name: value for name, value in os.environ.items() if "MUCKTRACK" not in name}
        told = {
            "kafka": self.cluster.bootstrap,
            "kafka_security": "sasl_ssl",
            "kafka_ca_file": self.authority.cert,
            "kafka_user": user,
            "kafka_password": SECRETS[user],
            "redis": f"rediss://mucktrack@127.0.0.1:{self.redis_port}/0",
            "redis_password": REDIS_SECRET,
            "redis_ca_file": self.authority.cert,
            "partitions": PARTITIONS,
            "metrics_port": 0,
            "archive_metrics_port": 0,
            **more,
        }
        return inherited | {f"MUCKTRACK_{name.upper()}": str(told[name]) for name in told}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    try:
        openssl()
        redis_program = redis_with_tls()
    except MissingProgramError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("guarded")
    authority = Authority(folder)
    server, own = authority.sign("server"), authority.sign("worker")
    cluster = KafkaCluster(
        folder / "kafka",
        protocol="SASL_SSL",
        listeners={"TLS": "SSL", "CERTIFICATES": "SSL", "LOGIN": "SASL_PLAINTEXT"},
        properties=_kafka_properties(authority, server),
        scram_users=SECRETS,
    )
    tls_port = quiet_port()
    options = (
        *("--tls-port", str(tls_port), "--tls-auth-clients", "optional"),
        *("--tls-cert-file", str(server.cert), "--tls-key-file", str(server.key)),
        *("--tls-ca-cert-file", str(authority.cert), "--user", "default", "off"),
        *_documented_redis_user(REDIS_SECRET),
    )
    with (
        cluster,
        RedisServer(folder / "redis", options=options, program=redis_program) as redis_server,
        closing(KafkaAdminClient(bootstrap_servers=cluster.plain_bootstrap)) as admin,
    ):
        _, failed = admin.create_acls(_documented_acls()).values()
        assert not failed
        stranger = Authority(folder, "stranger")
        yield Guarded(cluster, tls_port, redis_server.port, authority, stranger, own)


def _kafka_properties(authority: Authority, server: Certificate) -> dict[str, str]:
    properties = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "listener.name.certificates.ssl.client.auth": "required",
    }
    for listener in ("clients", "tls", "certificates"):
        for store, file in (("keystore", server.both), ("truststore", authority.cert)):
            properties[f"listener.name.{listener}.ssl.{store}.type"] = "PEM"
            properties[f"listener.name.{listener}.ssl.{store}.location"] = str(file)
    clients = "listener.name.clients"
    properties[f"{clients}.sasl.enabled.mechanisms"] = ",".join((*SCRAMS, "PLAIN"))
    properties[f"{clients}.plain.sasl.jaas.config"] = (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'user_worker="{SECRETS["worker"]}";'
    )
    return properties


def _documented(pattern: str) -> list[re.Match[str]]:
    page = (ROOT / "docs" / "access.md").read_text()
    return list(re.finditer(rf"^    {pattern}$", page, re.MULTILINE))


def _documented_redis_user(password: str) -> list[str]:
    """As arguments of the server."""
    [line] = _documented(r"user (mucktrack on .*)")
    return ["--user", *line[1].replace("PASSWORD", password).split()]


def _documented_acls() -> list[ACL]:
    lines = _documented(r"--allow-principal User:(\w+) --operation (\w+) --(\w+) (\S+)")
    rights = {(user, operation, kind, name) for user, operation, kind, name in map(_groups, lines)}
    assert rights == set(granted_rights("mucktrack-worker"))
    everything = {("up", operation, kind, name) for _, operation, kind, name in rights}
    everything.add(("up", "Read", "topic", "enforcement.violations"))
    return [
        ACL(
            f"User:{user}",
            "*",
            ACLOperation[operation.upper()],
            ACLPermissionType.ALLOW,
            ResourcePattern(ResourceType[kind.upper()], name),
        )
        for user, operation, kind, name in rights | everything
    ]


def _groups(match: re.Match[str]) -> tuple[str, ...]:
    return match.groups()


def run(
    environment: Mapping[str, str], folder: Path, *arguments: object
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MUCKTRACK, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        timeout=120,
    )


@pytest.fixture(scope="module")
def topics(guarded: Guarded, tmp_path_factory: pytest.TempPathFactory) -> None:
    made = run(guarded.environment("admin"), tmp_path_factory.mktemp("t"), "topics", "create")
    assert made.returncode == 0, made.stderr
    assert "gps.positions: made" in made.stdout


@pytest.mark.parametrize("mechanism", [*SCRAMS, "PLAIN"])
def test_who_has_the_password_is_let_in(guarded: Guarded, mechanism: str) -> None:
    access = replace(guarded.kafka, mechanism=mechanism)
    check_kafka_now(access)
    check_kafka_now(replace(access, bootstrap=f"127.0.0.1:1,{access.bootstrap}"))
    with closing(KafkaConsumer(**access.client_options())) as consumer:
        assert "a.topic" not in consumer.topics()


def test_who_has_a_certificate_is_let_in(guarded: Guarded) -> None:
    with_certificate = KafkaAccess(
        guarded.cluster.bootstrap_of("CERTIFICATES"),
        "ssl",
        guarded.authority.cert,
        guarded.own.cert,
        guarded.own.key,
    )
    check_kafka_now(with_certificate)
    check_kafka_now(replace(with_certificate, cert_file=guarded.own.both, key_file=None))
    with pytest.raises(AccessRefusedError, match="_KAFKA_CERT_FILE"):
        check_kafka_now(replace(with_certificate, cert_file=None, key_file=None))


@pytest.mark.parametrize(
    ("listener", "change", "told"),
    [
        (None, {"password": "geheim"}, "does not let in user 'worker' with this password"),
        (None, {"user": "nobody"}, "does not let in user 'nobody'"),
        (None, {"ca_file": None}, "not trusted (unable to get local issuer certificate)"),
        (None, {"ca_file": "stranger"}, "not trusted (unable to get local issuer certificate)"),
        (None, {"security": "plaintext"}, "speaks TLS; set MUCKTRACK_KAFKA_SECURITY to ssl or"),
        (None, {"security": "sasl_plaintext"}, "speaks TLS"),
        (None, {"security": "ssl"}, "asks for a login; set MUCKTRACK_KAFKA_SECURITY=sasl_ssl"),
        ("TLS", {}, "asks for no login here; set MUCKTRACK_KAFKA_SECURITY=ssl"),
        ("LOGIN", {}, "speaks no TLS here"),
        ("LOGIN", {"security": "plaintext"}, "MUCKTRACK_KAFKA_SECURITY=sasl_plaintext"),
        ("LOGIN", {"security": "sasl_plaintext", "mechanism": "PLAIN"}, "takes no PLAIN"),
        ("BROKERS", {}, "speaks no TLS here"),
        ("BROKERS", {"security": "ssl"}, "speaks no TLS here"),
        ("BROKERS", {"security": "sasl_plaintext"}, "MUCKTRACK_KAFKA_SECURITY=plaintext"),
    ],
)
def test_what_keeps_kafka_from_letting_in_is_told(
    guarded: Guarded, listener: str | None, change: dict[str, object], told: str
) -> None:
    if change.get("ca_file"):
        change = {"ca_file": guarded.stranger.cert}
    access = replace(guarded.kafka, **change)
    if listener == "BROKERS":
        access = replace(access, bootstrap=guarded.cluster.plain_bootstrap)
    elif listener is not None:
        access = replace(access, bootstrap=guarded.cluster.bootstrap_of(listener))
    with pytest.raises(AccessRefusedError) as caught:
        check_kafka_now(access)
    assert told in str(caught.value)
    assert str(caught.value).startswith(f"Kafka at {access.bootstrap}: ")
    assert "geheim" not in repr(caught.value)


def test_a_certificate_is_good_for_its_name_alone(guarded: Guarded) -> None:
    access = guarded.kafka
    elsewhere = replace(access, bootstrap=access.bootstrap.replace("127.0.0.1", "localhost"))
    with pytest.raises(AccessRefusedError, match="not valid for 'localhost'"):
        check_kafka_now(elsewhere)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("rediss://mucktrack:geheim@127.0.0.1:{tls}/0?ssl_ca_certs={ca}", "with this password"),
        ("rediss://127.0.0.1:{tls}/0?ssl_ca_certs={ca}", "with this password"),
        ("rediss://mucktrack:{right}@127.0.0.1:{tls}/0", "not trusted"),
        ("rediss://mucktrack:{right}@127.0.0.1:{tls}/0?ssl_ca_certs={other}", "not trusted"),
        ("rediss://mucktrack:{right}@localhost:{tls}/0?ssl_ca_certs={ca}", "for 'localhost'"),
        ("redis://mucktrack:{right}@127.0.0.1:{tls}/0", "it speaks TLS; write rediss://"),
        ("rediss://mucktrack:{right}@127.0.0.1:{plain}/0", "speaks no TLS here; write redis://"),
    ],
)
def test_what_keeps_redis_from_letting_in_is_told(guarded: Guarded, url: str, told: str) -> None:
    url = url.format(
        right=REDIS_SECRET,
        tls=guarded.redis_port,
        plain=guarded.redis_plain_port,
        ca=guarded.authority.cert,
        other=guarded.stranger.cert,
    )
    with pytest.raises(AccessRefusedError) as caught:
        check_redis(url)
    assert told in str(caught.value)
    assert "geheim" not in repr(caught.value)


def test_a_worker_works_with_the_rights_it_needs_and_no_more(
    guarded: Guarded, topics: None, tmp_path: Path
) -> None:
    city = tmp_path / "city"
    city.mkdir()
    write_city(city)
    positions = tmp_path / "positions.jsonl"
    positions.write_text("".join(f"{json.dumps(one)}\n" for one in _drive("浙B00001")))
    log, port_file = tmp_path / "log", tmp_path / "port"
    password_file = tmp_path / "password"
    password_file.write_text(f"{SECRETS['worker']}\n")
    environment = guarded.environment(
        "worker", city=city, kafka_password="", kafka_password_file=password_file
    )
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [*MUCKTRACK, "worker", "--metrics-port-file", str(port_file)],
            cwd=tmp_path,
            env={**environment, "PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        replay = ("replay", positions, "--speed", "max")
        published = run(guarded.environment("producer", city=city), tmp_path, *replay)
        assert published.returncode == 0, published.stderr
        found = _violations(guarded.cluster.plain_bootstrap, "浙B00001")
        assert "no-permit" in found
        assert b"mucktrack:checkpoint:gps.positions:" + b"%d" % partition_of(
            "浙B00001", PARTITIONS
        ) in _wait_for_checkpoint(guarded)
        for trouble in ('"level": "warning"', "Traceback", "NOPERM", "Authorization"):
            assert trouble not in log.read_text()
        # A right that is taken away for a while stops the work and not the worker.
        with closing(KafkaAdminClient(bootstrap_servers=guarded.cluster.plain_bootstrap)) as admin:
            [reading] = [acl for acl in _documented_acls() if _may_read_positions(acl)]
            admin.delete_acls([reading])
            asyncio.run(until(lambda: REFUSED in log.read_text(), "the refusal is logged"))
            positions.write_text("".join(f"{json.dumps(one)}\n" for one in _drive("浙B00003")))
            published = run(guarded.environment("producer", city=city), tmp_path, *replay)
            assert published.returncode == 0, published.stderr
            admin.create_acls([reading])
        assert "no-permit" in _violations(guarded.cluster.plain_bootstrap, "浙B00003")
        worker.terminate()
        assert worker.wait(60) == 0, log.read_text()
    finally:
        if worker.poll() is None:
            worker.kill()
            worker.wait()
        sys.stdout.write(log.read_text())
    assert "geheim" not in log.read_text()
    assert "Traceback" not in log.read_text()


def _may_read_positions(acl: ACL) -> bool:
    return (acl.principal, acl.operation, acl.resource_pattern.resource_name) == (
        "User:worker",
        ACLOperation.READ,
        "gps.positions",
    )


def test_a_user_sees_only_what_it_has_a_right_to(guarded: Guarded, topics: None) -> None:
    """Or the test before would show nothing."""
    archiver = replace(guarded.kafka, user="archiver", password=SECRETS["archiver"])
    with closing(KafkaConsumer(**archiver.client_options())) as consumer:
        assert consumer.topics() == {"gps.positions"}
    missing = wait_until_ready(
        archiver, "gps.positions", PARTITIONS, ("gps.rejected",), Metrics().health
    )
    with pytest.raises(NotReadyError, match=r"no topic gps.rejected.*let this user see them"):
        asyncio.run(missing)


def test_a_group_that_one_may_not_join_is_told(guarded: Guarded, topics: None) -> None:
    joining = wait_until_ready(
        guarded.kafka, "gps.positions", PARTITIONS, (), Metrics().health, "another-group"
    )
    with pytest.raises(AccessRefusedError, match=r"not let this user into .* another-group; give"):
        asyncio.run(joining)


def _drive(truck_id: str) -> list[dict[str, object]]:
    return [
        {
            "truck_id": truck_id,
            "time_ms": START_MS + step * 20_000,
            "lon": 121.05 + 0.0017 * step,
            "lat": 29.05,
            "speed_kmh": 30,
            "heading_deg": 90,
            "loaded": True,
        }
        for step in range(20)
    ]


def _violations(bootstrap: str, truck_id: str) -> set[str]:
    with closing(
        KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    ) as consumer:
        consumer.assign([TopicPartition("enforcement.violations", one) for one in range(12)])
        deadline = time.monotonic() + 60
        found: set[str] = set()
        while not found and time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=500).values():
                told = [json.loads(record.value) for record in records]
                found |= {one["rule"] for one in told if one["truck_id"] == truck_id}
        return found


def _wait_for_checkpoint(guarded: Guarded) -> list[bytes]:
    deadline = time.monotonic() + 30
    url = f"redis://mucktrack:{REDIS_SECRET}@127.0.0.1:{guarded.redis_plain_port}/0"
    with redis.Redis.from_url(url) as client:
        while time.monotonic() < deadline:
            _, keys = client.scan(match="mucktrack:checkpoint:*", count=10_000)
            if len(keys) == PARTITIONS:
                break
            time.sleep(0.2)
        return keys


def test_up_gives_its_parts_no_secret_that_others_can_read(
    guarded: Guarded, topics: None, tmp_path: Path
) -> None:
    environment = guarded.environment("up", group="mucktrack-worker", archive=tmp_path / "archive")
    up = subprocess.Popen(
        [*MUCKTRACK, "up", "--seconds", "4", "--trucks", "50"],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        seen = set()
        while up.poll() is None:
            listed = subprocess.run(
                ["ps", "-A", "-ww", "-o", "args="], capture_output=True, text=True, check=True
            ).stdout
            lines = [line for line in listed.splitlines() if "mucktrack" in line]
            seen |= {name for line in lines for name in PARTS if f"mucktrack {name}" in line}
            assert not [line for line in lines if "geheim" in line and "redis-server" not in line]
            time.sleep(0.3)
        said, _ = up.communicate(timeout=60)
    finally:
        if up.poll() is None:
            up.kill()
            up.wait()
    assert up.returncode == 0, said
    assert seen == PARTS
    assert int(re.findall(r"positions (\d+) ·", said)[-1]) > 0
    logs = [path for path in (tmp_path / ".mucktrack").rglob("*") if path.is_file()]
    assert {"worker.log", "archiver.log", "fleet.log"} <= {path.name for path in logs}
    for text in (said, *(path.read_text(errors="replace") for path in logs)):
        assert "geheim" not in text


PARTS = {"worker", "archive", "simulate"}


def test_a_wrong_password_ends_every_command_with_one_line(
    guarded: Guarded, topics: None, tmp_path: Path
) -> None:
    city = tmp_path / "city"
    city.mkdir()
    write_city(city)
    positions = tmp_path / "positions.jsonl"
    positions.write_text(f"{json.dumps(_drive('浙B00002')[0])}\n")
    wrong_kafka = guarded.environment("up", kafka_password=WRONG, city=city)
    wrong_redis = guarded.environment("up", redis_password=WRONG, city=city)
    for_up = {"MUCKTRACK_CITY": ""}
    commands = [
        (wrong_kafka, ["worker"]),
        (wrong_kafka, ["archive", "--folder", "archive"]),
        (wrong_kafka, ["replay", "positions.jsonl"]),
        (wrong_kafka | for_up, ["simulate", "--trucks", "5"]),
        (wrong_kafka, ["topics", "create"]),
        (wrong_kafka | for_up, ["up", "--seconds", "1"]),
        (wrong_redis, ["worker"]),
        (wrong_redis, ["city", "publish", "city"]),
        (wrong_redis, ["city", "versions"]),
        (wrong_redis | for_up, ["up", "--seconds", "1"]),
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        all_ended = list(pool.map(lambda one: run(one[0], tmp_path, *one[1]), commands))
    for (environment, command), ended in zip(commands, all_ended, strict=True):
        assert ended.returncode == 1, (command, ended.stderr)
        lines = [line for line in ended.stderr.splitlines() if '"level": "info"' not in line]
        assert len(lines) == 1, (command, ended.stderr)
        what = "Kafka at" if environment["MUCKTRACK_KAFKA_PASSWORD"] == WRONG else "Redis at"
        assert what in lines[0]
        assert "with this password" in lines[0]
        assert "geheim" not in ended.stderr + ended.stdout
