"""What the consumer says of records that it can no longer have."""

from zoneinfo import ZoneInfo

from sqlalchemy import select

from enforcement.consumer import Consumer
from enforcement.database import Database
from enforcement.rulebook import read_rulebook
from enforcement.tables import AuditRow
from streams.access import KafkaAccess
from streams.health import Health


def test_records_deleted_before_they_were_read_are_noted_once(database: Database) -> None:
    consumer = Consumer(
        KafkaAccess.plain("127.0.0.1:1"),
        database,
        Health(),
        lambda: 1_795_320_000_000,
        read_rulebook(None, ZoneInfo("Asia/Shanghai")),
    )
    known = consumer.next_offsets()
    assert known == {}
    consumer.note_missed({0: 5, 1: 9, 2: 3}, {0: 9, 1: 9, 2: 2})
    with database.read() as session:
        entries = session.scalars(select(AuditRow).where(AuditRow.action == "missed")).all()
        assert [entry.details for entry in entries] == ['{"from":5,"partition":0,"to":8}']
    assert consumer.next_offsets() == {0: 9}
