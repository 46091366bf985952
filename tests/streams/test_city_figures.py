"""What a worker tells of its city before anything has happened."""

from datetime import UTC, date, datetime

from prometheus_client import generate_latest

from geofences.city import City, Permit
from geofences.hours import Validity
from streams.catalogue import CATALOGUE
from streams.metrics import Metrics
from streams.permits_ahead import permits_ahead


def permit(number: int, first: date | None, last: date | None) -> Permit:
    return Permit(f"P{number}", (), (), (), (), (), Validity(first, last, ()))


def city(*permits: Permit) -> City:
    return City("云溪市", "990100", "Asia/Shanghai", "0" * 64, None, {}, {}, (), permits=permits)


def test_permits_are_counted_by_their_dates_today_and_in_a_week():
    # Already the second of December there.
    now_ms = round(datetime(2026, 12, 1, 17, tzinfo=UTC).timestamp() * 1000)
    some = city(
        permit(1, None, None),
        permit(2, date(2026, 12, 2), date(2026, 12, 9)),
        permit(3, date(2026, 12, 1), date(2026, 12, 8)),
        permit(4, date(2026, 12, 9), None),
        permit(5, None, date(2026, 12, 1)),
    )
    assert permits_ahead(some, now_ms) == (3, 3)
    assert permits_ahead(city(), now_ms) == (0, 0)


def test_violations_stand_at_0_for_each_rule_and_district():
    metrics = Metrics()
    metrics.note_districts(["990101", "990102"])
    page = generate_latest(metrics.registry).decode()
    lines = [line for line in page.splitlines() if line.startswith("mucktrack_violations_total{")]
    assert len(lines) == len(CATALOGUE) * 3
    assert all(line.endswith(" 0.0") for line in lines)
    for district in ("990101", "990102", "none"):
        assert sum(f'district="{district}"' in line for line in lines) == len(CATALOGUE)
