"""`mucktrack replay ARCHIVE`: the records of an archive put back onto the topic, for a Kafka that
has lost them (docs/guide/en/backup.md).

Key, value, timestamp and partition are as they were; offsets begin where the topic is.
"""

from datetime import date
from pathlib import Path

import click

from mucktrack.failures import BadInputError, WorkFailedError
from mucktrack.interrupts import interrupts
from producers.archive_folder import Archive
from producers.chunk import InputFileError
from producers.publisher import Publisher, PublishError
from streams.access import KafkaAccess
from streams.topics import POSITIONS


def replay_archive(kafka: KafkaAccess, partitions: int, folder: Path, since: date | None) -> None:
    """Publish all records, or those archived from the day `since` on, and say how many.

    Raises `BadInputError` for a folder that is no archive, or of another count of partitions,
    `WorkFailedError` where the broker does not take what is published.
    """
    try:
        archive = Archive(folder)
        if archive.partitions != partitions:
            raise BadInputError(
                f"{folder}: is of {archive.partitions} partitions, not {partitions}; set "
                f"MUCKTRACK_PARTITIONS={archive.partitions} and make the topics so"
            )
        with interrupts(), Publisher(kafka, POSITIONS, partitions) as publisher:
            for partition in range(partitions):
                for record in archive.records(partition, since):
                    publisher.publish_record(partition, record.key, record.value, record.record_ms)
            publisher.flush()
            published = publisher.counts.raw
    except InputFileError as error:
        raise BadInputError(str(error)) from None
    except PublishError as error:
        raise WorkFailedError(str(error)) from None
    click.echo(f"put back {published} records of {folder}", err=True)
