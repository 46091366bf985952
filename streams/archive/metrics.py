"""What an archiver tells Prometheus.

One a process, with a registry of its own, like `streams.metrics`. Filled by
`streams.archive.archiver`. No label is unbounded.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge

from streams.health import Health
from streams.health_pages import serve_pages


class ArchiveMetrics:
    """The figures of one archiver; units are Prometheus' base units."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.health = Health(registry)
        self.elements = Counter(
            "mucktrack_archive_elements_total",
            "Elements of records read, by kind: position, tick, malformed.",
            ["kind"],
            registry=registry,
        )
        self.files = Counter("mucktrack_archive_files_total", "Files finished.", registry=registry)
        self.file_rows = Counter(
            "mucktrack_archive_rows_total", "Rows in finished files.", registry=registry
        )
        self.file_bytes = Counter(
            "mucktrack_archive_bytes_total", "Bytes of finished files.", registry=registry
        )
        self.read_offset = Gauge(
            "mucktrack_archive_read_offset",
            "Offset of the record to be read next.",
            ["partition"],
            registry=registry,
        )
        self.archived_offset = Gauge(
            "mucktrack_archive_archived_offset",
            "Offset after the last record in a finished file: where an archiver would begin.",
            ["partition"],
            registry=registry,
        )
        self.lag_records = Gauge(
            "mucktrack_archive_lag_records",
            "Records that are on the broker and have not been read.",
            ["partition"],
            registry=registry,
        )
        self.waiting_bytes = Gauge(
            "mucktrack_archive_waiting_bytes",
            "Read and not yet written, roughly.",
            registry=registry,
        )
        self.kafka_away = Gauge(
            "mucktrack_archive_kafka_away",
            "1 while Kafka does not answer and the archiver waits for it.",
            registry=registry,
        )

    def serve(self, host: str, port: int) -> int:
        """Tell the figures, and the health, until the process ends; the port taken.

        Port 0 takes a free one. Raises `OSError` where the address cannot be had.
        """
        return serve_pages(self.registry, self.health, host, port)
