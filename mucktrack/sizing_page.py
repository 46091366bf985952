"""The sizes of fleets as text: `mucktrack size`, and docs/sizing.md by
`python -m mucktrack.sizing_page`."""

import sys
from dataclasses import fields
from typing import Final

from mucktrack.sizing import Measured, Size, size

FLEETS: Final = (
    ("district 区", 500, 10),
    ("city 市", 10_000, 10),
    ("province 省", 100_000, 10),
    ("nation 全国", 1_000_000, 4),
)
UNITS: Final = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
ROWS: Final = (
    ("positions/s 每秒位置", "positions_s"),
    ("partitions of `gps.positions` 分区", "partitions"),
    ("workers 工作进程", "workers"),
    ("cores busy in them 占用核数", "worker_cores"),
    ("memory of each worker 单进程内存", "worker_memory_bytes"),
    ("gateways 网关", "gateways"),
    ("cores busy in the archiver 归档占用核数", "archiver_cores"),
    ("Kafka brokers 节点", "kafka_brokers"),
    ("into Kafka 写入", "kafka_in_bytes_s"),
    ("out of Kafka, copies included 读出", "kafka_out_bytes_s"),
    ("Kafka's disks, all brokers 磁盘", "kafka_disk_bytes"),
    ("archive, 730 days 归档两年", "archive_disk_bytes"),
    ("Redis memory 内存", "redis_memory_bytes"),
    ("PostgreSQL, a year 每年", "database_bytes_a_year"),
    ("catches up, times as fast 追赶倍数", "catch_up"),
)
LEAST: Final = 0.01
A_SECOND: Final = {"kafka_in_bytes_s", "kafka_out_bytes_s"}


def lines(found: Size) -> list[tuple[str, str]]:
    """What there is to say of one size: name and value."""
    return [(name, _shown(field, getattr(found, field))) for name, field in ROWS]


def page() -> str:
    """docs/sizing.md."""
    columns = [lines(size(trucks, every_s)) for _, trucks, every_s in FLEETS]
    head = [f"{name}: {trucks:,} trucks, every {every} s" for name, trucks, every in FLEETS]
    rows = [
        [name, *(column[number][1] for column in columns)] for number, (name, _) in enumerate(ROWS)
    ]
    table = [["", *head], ["---"] * (len(head) + 1), *rows]
    measured = Measured()
    figures = [[one.name, f"{getattr(measured, one.name):,.10g}"] for one in fields(measured)]
    return "\n".join(
        [
            "# Sizes 规模估算",
            "",
            "Written by `make sizing` from the figures at the end, which stand in",
            "`mucktrack/sizing.py` with the commands that measure them. What other fleets take:",
            "`mucktrack size --trucks N --every S`.",
            "[scaling.md](scaling.md) says what is behind each row.",
            "",
            "所有车辆昼夜按间隔上报时的上限；[扩容说明](scaling.md)。",
            "",
            *map(_row, table),
            "",
            "From these, of one core of a shared two-core machine:",
            "",
            *map(_row, [["figure", ""], ["---", "---"], *figures]),
            "",
        ]
    )


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _shown(field: str, value: float) -> str:
    if "bytes" in field:
        text = _bytes(value)
        return f"{text}/s" if field in A_SECOND else text
    if isinstance(value, int) or value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2g}" if value >= LEAST else f"< {LEAST}"


def _bytes(value: float) -> str:
    for unit, name in UNITS:
        if value >= unit:
            return f"{value / unit:.3g} {name}"
    return f"{value:.0f} B"


if __name__ == "__main__":
    sys.stdout.write(page())
