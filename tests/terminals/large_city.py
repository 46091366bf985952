"""The demo city with more trucks than it has: each truck and its permits several times, since a
thousand terminals need a thousand trucks that have somewhere to go."""

import csv
import shutil
from pathlib import Path

from producers.demo_city import DEMO_CITY


def large_city(folder: Path, times: int) -> Path:
    """Writes it to `folder`, with `times` as many trucks."""
    shutil.copytree(DEMO_CITY, folder)
    trucks = _rows(folder / "trucks.csv")
    permits = _rows(folder / "permits.csv")
    more = [
        row
        | {
            "truck_id": _plate(row["truck_id"], copy),
            "terminal_id": f"{int(row['terminal_id']) + copy * 1_000_000:012d}",
        }
        for copy in range(1, times)
        for row in trucks
    ]
    for permit in permits:
        plates = permit["truck_ids"].split(";")
        permit["truck_ids"] = ";".join(_plate(one, n) for n in range(times) for one in plates)
    _write(folder / "trucks.csv", trucks + more)
    _write(folder / "permits.csv", permits)
    return folder


def _plate(plate: str, copy: int) -> str:
    """浙Y00001 becomes 浙Y10001."""
    return f"{plate[:2]}{int(plate[2:]) + copy * 10_000:05d}"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
