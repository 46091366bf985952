"""`mucktrack worker`: the settings as a worker's configuration."""

from pathlib import Path

from mucktrack.access import redis_url
from mucktrack.settings import Settings
from streams.access import KafkaAccess
from streams.app import WorkerConfig, run_worker
from streams.log_setup import log_to_stderr


def run(settings: Settings, city: Path, kafka: KafkaAccess, metrics_port_file: Path | None) -> int:
    """Work until a signal ends it; the exit code."""
    log_to_stderr("worker", settings.log, settings.log_level)
    return run_worker(
        WorkerConfig(
            kafka=kafka,
            city=city,
            redis=redis_url(settings),
            group=settings.group,
            partitions=settings.partitions,
            state_dir=settings.state_dir,
            metrics_host=settings.metrics_host,
            metrics_port=settings.metrics_port,
            session_timeout_s=settings.session_timeout_s,
            checkpoint_s=settings.checkpoint_s,
            most_trucks=settings.trucks_a_partition,
            metrics_port_file=metrics_port_file,
        )
    )
