"""`mucktrack gateway` and `gateway809`: positions from terminals and from platforms."""

from pathlib import Path

import click

from mucktrack.options import FilePath, required, with_settings
from mucktrack.settings import Settings


@click.command("gateway")
@with_settings(
    "kafka",
    "redis",
    "city",
    "partitions",
    "gateway_host",
    "gateway_port",
    "gateway_idle_s",
    "gateway_connections",
    "gateway_connections_an_address",
    "gateway_phones",
    "gateway_authentication",
    "gateway_profile",
    "gateway_profiles",
    "gateway_ask_location",
    "gateway_tick_s",
    "gateway_cert_file",
    "gateway_key_file",
    "metrics_host",
    "gateway_metrics_port",
)
@click.option("--port-file", type=FilePath(), hidden=True)
@click.option("--metrics-port-file", type=FilePath(), hidden=True)
def gateway(settings: Settings, port_file: Path | None, metrics_port_file: Path | None) -> None:
    """Take positions from terminals that speak JT/T 808.

    Terminals are those of trucks.csv of the city in force. A position is acknowledged to its
    terminal when Kafka has it, and is sent again otherwise. Works until Ctrl-C or SIGTERM.
    """
    required(settings, "kafka")
    city = required(settings, "city")
    from mucktrack.access import kafka_access
    from mucktrack.gateway import gateway as serve

    serve(settings, city, kafka_access(settings), port_file, metrics_port_file)


@click.command("gateway809")
@click.option(
    "--platforms",
    metavar="FILE",
    required=True,
    type=FilePath(),
    help="TOML file of the platforms that may log in.",
)
@with_settings(
    "kafka",
    "partitions",
    "gateway809_host",
    "gateway809_port",
    "gateway809_idle_s",
    "gateway809_connections",
    "gateway809_frame_bytes",
    "gateway809_cert_file",
    "gateway809_key_file",
    "gateway_profiles",
    "metrics_host",
    "gateway809_metrics_port",
)
@click.option("--port-file", type=FilePath(), hidden=True)
@click.option("--metrics-port-file", type=FilePath(), hidden=True)
def gateway809(
    settings: Settings, platforms: Path, port_file: Path | None, metrics_port_file: Path | None
) -> None:
    """Take positions from platforms that speak JT/T 809.

    Platforms are those of FILE, and log in with their access code, user and password. Works until
    Ctrl-C or SIGTERM.
    """
    required(settings, "kafka")
    from mucktrack.access import kafka_access
    from mucktrack.gateway809 import gateway809 as serve

    serve(settings, platforms, kafka_access(settings), port_file, metrics_port_file)
