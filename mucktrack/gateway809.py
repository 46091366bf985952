"""`mucktrack gateway809`: the settings as a gateway's configuration, and how it ends."""

from pathlib import Path

from mucktrack.failures import BadInputError, WorkFailedError
from mucktrack.server_tls import server_tls
from mucktrack.settings import Settings
from producers.broker import PublishError
from producers.gateway.app import AddressError
from producers.gateway.platform_app import PlatformGatewayConfig, run_platform_gateway
from producers.gateway.platform_file import PlatformFileError, load_platforms
from producers.gateway.platform_limits import PlatformLimits
from producers.gateway.platform_metrics import PlatformMetrics
from producers.profiles.profile import ProfileError, load_profiles
from streams.access import AccessRefusedError, KafkaAccess
from streams.admission import check_kafka_now
from streams.log_setup import log_to_stderr
from streams.logs import get_log

log = get_log(__name__)


def gateway809(
    settings: Settings,
    platforms: Path,
    kafka: KafkaAccess,
    port_file: Path | None,
    metrics_port_file: Path | None,
) -> None:
    """Serve platforms until a signal ends it.

    Raises `BadInputError` for what cannot be used: the file of platforms, profiles, certificate,
    topics, addresses; `WorkFailedError` where Kafka does not let in.
    """
    try:
        known = load_platforms(platforms, load_profiles(settings.gateway_profiles))
    except (PlatformFileError, ProfileError) as error:
        raise BadInputError(str(error)) from None
    config = PlatformGatewayConfig(
        kafka=kafka,
        partitions=settings.partitions,
        host=settings.gateway809_host,
        port=settings.gateway809_port,
        limits=PlatformLimits(
            settings.gateway809_idle_s,
            settings.gateway809_connections,
            settings.gateway809_frame_bytes,
        ),
        platforms=known,
        tls=server_tls(settings, "gateway809_cert_file", "gateway809_key_file"),
        port_file=port_file,
    )
    log_to_stderr("gateway809", settings.log, settings.log_level)
    metrics = PlatformMetrics()
    try:
        check_kafka_now(kafka)
        _serve(metrics, settings, metrics_port_file)
        run_platform_gateway(config, metrics)
    except AccessRefusedError as error:
        raise WorkFailedError(str(error)) from None
    except (AddressError, PublishError) as error:
        raise BadInputError(str(error)) from None


def _serve(metrics: PlatformMetrics, settings: Settings, port_file: Path | None) -> None:
    host, wanted = settings.metrics_host, settings.gateway809_metrics_port
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
