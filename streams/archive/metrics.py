"""What an archiver tells Prometheus, as `streams.instruments` declares it.

One a process. Filled by `streams.archive.archiver`.
"""

import shutil
from pathlib import Path

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
        self._disk_free_bytes = self.gauge("archive_disk_free_bytes")
        self._disk_bytes = self.gauge("archive_disk_bytes")

    def tell_of_disk(self, folder: Path) -> None:
        """From now on also how much room there is where `folder` lies, when somebody asks."""
        self._disk_free_bytes.set_function(lambda: shutil.disk_usage(folder).free)
        self._disk_bytes.set_function(lambda: shutil.disk_usage(folder).total)
