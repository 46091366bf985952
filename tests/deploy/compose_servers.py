"""Kafka, Redis and PostgreSQL as `docker-compose.yml` starts them, on the loopback: with the files
of `ops/compose`, the users in them and the passwords that `secrets.sh` made."""

import os
import shlex
import stat
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from compose_file import SECRETS_FOLDER, services
from conftest import ROOT
from servers.kafka_cluster import LIGHT, STARTED
from servers.kafka_jars import kafka_jars
from servers.postgres_server import PostgresServer
from servers.programs import find, java, redis_with_tls
from servers.redis_server import RedisServer
from servers.server_process import quiet_port
from service_parts import WITHIN_S, secret

from mucktrack.children import Child
from mucktrack.embedded import HOST

OPS = ROOT / "ops" / "compose"
POLL_S = 0.05
CLASSES = {
    "kafka-storage.sh": "kafka.tools.StorageTool",
    "kafka-server-start.sh": "kafka.Kafka",
    "kafka-configs.sh": "kafka.admin.ConfigCommand",
}
"""What the programs of Kafka's distribution start; its jars come without them."""


@dataclass(frozen=True, slots=True)
class Kafka:
    """As the service `kafka`."""

    port: int
    child: Child
    environment: dict[str, str]
    broker_port: int

    def health(self) -> Sequence[str]:
        """The file's health check; the address that it asks is the container's own."""
        test = services()["kafka"]["healthcheck"]["test"]
        assert test == ["CMD", "/bin/sh", "/etc/mucktrack/healthy.sh"]
        return ["/bin/sh", str(OPS / "kafka" / "healthy.sh"), f"{HOST}:{self.broker_port}"]


@contextmanager
def kafka(folder: Path, secrets: Path) -> Iterator[Kafka]:
    """Prepared and started by `start.sh`."""
    folder.mkdir()
    ports = {port: quiet_port() for port in (9092, 9093, 19092)}
    settings = (OPS / "kafka" / "server.properties").read_text()
    for port, here in ports.items():
        settings = settings.replace(f":{port}", f":{here}")
    settings = settings.replace("CLIENTS://0.0.0.0:", f"CLIENTS://{HOST}:")
    settings = settings.replace("CLIENTS://kafka:", f"CLIENTS://{HOST}:")
    data = folder / "data"
    data.mkdir()
    (folder / "server.properties").write_text(settings.replace("/var/lib/kafka/data", str(data)))
    environment = {
        "PATH": os.environ["PATH"],
        "KAFKA_PROGRAMS": str(_programs(folder / "programs")),
        "KAFKA_SETTINGS": str(folder / "server.properties"),
        "KAFKA_SECRETS": str(secrets),
    }
    started = Child(
        "kafka",
        ["/bin/sh", OPS / "kafka" / "start.sh"],
        folder / "log",
        environment=environment,
        grace_s=5,
    )
    try:
        deadline = time.monotonic() + WITHIN_S
        while STARTED not in (folder / "log").read_text():
            assert started.exit_code() is None, started.tail()
            assert time.monotonic() < deadline, started.tail()
            time.sleep(POLL_S)
        yield Kafka(ports[9092], started, environment, ports[19092])
    finally:
        started.stop()


def redis_server(folder: Path, secrets: Path) -> RedisServer:
    """With the file's command, by the system's Redis."""
    program, *options = services()["redis"]["command"]
    assert program == "redis-server"
    assert "/data" in options
    options = [one.replace(SECRETS_FOLDER, str(secrets)) for one in options]
    options = [str(folder.resolve()) if one == "/data" else one for one in options]
    return RedisServer(folder, options=options, program=redis_with_tls())


def redis_health(port: int, secrets: Path) -> list[str]:
    kind, command = services()["redis"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    find("redis-cli", "the health check of Redis")
    command = command.replace(SECRETS_FOLDER, shlex.quote(str(secrets)))
    return ["sh", "-c", command.replace("redis-cli ", f"redis-cli -p {port} ")]


def prepare_postgres(server: PostgresServer, secrets: Path) -> None:
    """The user and database that the image makes, whose password is asked for."""
    entry = services()["postgres"]["environment"]
    user, database = entry["POSTGRES_USER"], entry["POSTGRES_DB"]
    with psycopg.connect(
        host=HOST, port=server.port, user="tests", dbname="postgres", autocommit=True
    ) as connection:
        password = secret(secrets, "postgres_password")
        connection.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{password}'")
        connection.execute(f"CREATE DATABASE {database} OWNER {user}")
        [(rules,)] = connection.execute("SHOW hba_file").fetchall()
        connection.execute(
            "COPY (VALUES ('host all tests all trust'), "
            f"('host all {user} all scram-sha-256')) TO '{rules}'"
        )
        connection.execute("SELECT pg_reload_conf()")


def make_secrets(folder: Path) -> Path:
    subprocess.run(["sh", OPS / "secrets.sh", folder], check=True, capture_output=True)
    return folder


def _programs(folder: Path) -> Path:
    folder.mkdir()
    started = " ".join([shlex.quote(java()), *LIGHT, "-cp", shlex.quote(f"{kafka_jars()}/*")])
    for name, java_class in CLASSES.items():
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec {started} {java_class} "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return folder
