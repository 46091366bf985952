"""`mucktrack archive`: the settings as an archiver's configuration, and how it ends."""

from pathlib import Path
from threading import Event

from mucktrack.failures import BadInputError, WorkFailedError
from mucktrack.interrupts import interrupts
from mucktrack.settings import Settings
from streams.access import AccessRefusedError, KafkaAccess
from streams.archive.archiver import ArchiverConfig, open_writer, run_archiver, wait_for_topic
from streams.archive.layout import ArchiveError
from streams.archive.metrics import ArchiveMetrics
from streams.log_setup import log_to_stderr
from streams.logs import get_log
from streams.readiness import NotReadyError

log = get_log(__name__)


def archive(
    settings: Settings, kafka: KafkaAccess, folder: Path, topic: str, metrics_port_file: Path | None
) -> None:
    """Archive until a signal ends it.

    Raises `BadInputError` for a folder, topic or address that cannot be used, `WorkFailedError`
    where the work cannot go on.
    """
    config = ArchiverConfig(
        kafka=kafka,
        folder=folder,
        partitions=settings.partitions,
        roll_s=settings.archive_roll_s,
        keep_days=settings.archive_days,
        metrics_host=settings.metrics_host,
        metrics_port=settings.archive_metrics_port,
        metrics_port_file=metrics_port_file,
        topic=topic,
    )
    log_to_stderr("archiver", settings.log, settings.log_level)
    metrics = ArchiveMetrics()
    try:
        writer = open_writer(config)
        _serve(metrics, config)
        wait_for_topic(config, metrics)
    except AccessRefusedError as error:
        raise WorkFailedError(str(error)) from None
    except (ArchiveError, NotReadyError) as error:
        raise BadInputError(str(error)) from None
    except OSError as error:
        raise BadInputError(f"{error.filename or folder}: {error.strerror or error}") from None
    stop = Event()
    try:
        with interrupts(stop.set):
            run_archiver(config, writer, metrics, stop)
    except ArchiveError as error:
        raise WorkFailedError(str(error)) from None
    except OSError as error:
        raise WorkFailedError(
            f"{error.filename or folder}: {error.strerror or error}; what was read since the last "
            "finished file is read again next time"
        ) from None


def _serve(metrics: ArchiveMetrics, config: ArchiverConfig) -> None:
    try:
        port = metrics.serve(config.metrics_host, config.metrics_port)
    except OSError as error:
        raise BadInputError(
            f"metrics cannot be served on {config.metrics_host}:{config.metrics_port} "
            f"({error.strerror or error}); choose another port, or 0 for a free one"
        ) from None
    log.info("pages_served", host=config.metrics_host, port=port)
    if config.metrics_port_file is not None:
        config.metrics_port_file.write_text(f"{port}\n")
