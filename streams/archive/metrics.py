"""What an archiver tells Prometheus, as `streams.instruments` declares it.

One a process. Filled by `streams.archive.archiver`.
"""

from streams.registry import ProcessMetrics


class ArchiveMetrics(ProcessMetrics):
    """The figures of one archiver."""

    def __init__(self) -> None:
        super().__init__("archiver")
        self.elements = self.counter("archive_elements_total")
        self.files = self.counter("archive_files_total")
        self.file_rows = self.counter("archive_rows_total")
        self.file_bytes = self.counter("archive_bytes_total")
        self.read_offset = self.gauge("archive_read_offset")
        self.archived_offset = self.gauge("archive_archived_offset")
        self.lag_records = self.gauge("archive_lag_records")
        self.waiting_bytes = self.gauge("archive_waiting_bytes")
