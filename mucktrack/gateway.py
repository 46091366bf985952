"""`mucktrack gateway`: the settings as a gateway's configuration, and how it ends."""

from pathlib import Path

from mucktrack.access import redis_url
from mucktrack.failures import BadInputError, WorkFailedError
from mucktrack.options import required
from mucktrack.server_tls import server_tls
from mucktrack.settings import NONE, SETTINGS, Settings
from producers.broker import PublishError
from producers.gateway.app import AddressError, GatewayConfig, run_gateway
from producers.gateway.entrance import ChosenProfiles
from producers.gateway.fleet_register import UnusableRegister
from producers.gateway.limits import Limits
from producers.gateway.metrics import GatewayMetrics
from producers.profiles.profile import ProfileError, load_profiles
from streams.access import AccessRefusedError, KafkaAccess
from streams.admission import check_kafka_now
from streams.checkpoint import StoreAwayError
from streams.log_setup import log_to_stderr
from streams.logs import get_log
from streams.redis_admission import check_redis

log = get_log(__name__)


def gateway(
    settings: Settings,
    city: Path,
    kafka: KafkaAccess,
    port_file: Path | None,
    metrics_port_file: Path | None,
) -> None:
    """Serve terminals until a signal ends it.

    Raises `BadInputError` for what cannot be used: city, profiles, certificate, topics, addresses;
    `WorkFailedError` where Kafka or Redis does not let in.
    """
    required(settings, "redis")
    redis = redis_url(settings) or ""
    config = GatewayConfig(
        kafka=kafka,
        redis=redis,
        city=city,
        partitions=settings.partitions,
        host=settings.gateway_host,
        port=settings.gateway_port,
        limits=Limits(
            settings.gateway_idle_s,
            settings.gateway_connections,
            settings.gateway_connections_an_address,
            settings.gateway_phones,
        ),
        profiles=_profiles(settings),
        tls=server_tls(settings, "gateway_cert_file", "gateway_key_file"),
        is_open=settings.gateway_authentication == NONE,
        ask_location=settings.gateway_ask_location == "yes",
        tick_s=settings.gateway_tick_s,
        port_file=port_file,
    )
    log_to_stderr("gateway", settings.log, settings.log_level)
    metrics = GatewayMetrics()
    try:
        _check_access(kafka, redis)
        _serve(metrics, settings, metrics_port_file)
        run_gateway(config, metrics)
    except AccessRefusedError as error:
        raise WorkFailedError(str(error)) from None
    except (AddressError, PublishError, UnusableRegister) as error:
        raise BadInputError(str(error)) from None


def _profiles(settings: Settings) -> ChosenProfiles:
    try:
        return ChosenProfiles(load_profiles(settings.gateway_profiles), settings.gateway_profile)
    except ProfileError as error:
        raise BadInputError(str(error)) from None
    except ValueError as error:
        raise BadInputError(f"{SETTINGS['gateway_profile'].variable}: {error}") from None


def _check_access(kafka: KafkaAccess, redis: str) -> None:
    """Raises `AccessRefusedError`, before anything that takes long. What is away may come."""
    check_kafka_now(kafka)
    try:
        check_redis(redis)
    except StoreAwayError as error:
        log.warning("redis_away", purpose="to begin", error=error)


def _serve(metrics: GatewayMetrics, settings: Settings, port_file: Path | None) -> None:
    host, wanted = settings.metrics_host, settings.gateway_metrics_port
    try:
        port = metrics.serve(host, wanted)
    except OSError as error:
        raise BadInputError(
            f"metrics cannot be served on {host}:{wanted} "
            f"({error.strerror or error}); choose another port, or 0 for a free one"
        ) from None
    log.info("pages_served", host=host, port=port)
    if port_file is not None:
        port_file.write_text(f"{port}\n")
