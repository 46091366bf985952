"""Writes the dashboards into `ops/grafana/dashboards`, as Grafana reads them: `make ops`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from ops.dashboards import enforcement, fleet, operations, worker

FOLDER: Final = Path(__file__).parents[1] / "grafana" / "dashboards"
DASHBOARDS: Final[dict[str, Callable[[], Dashboard]]] = {
    "operations": operations.dashboard,
    "enforcement": enforcement.dashboard,
    "fleet": fleet.dashboard,
    "worker": worker.dashboard,
}


def text_of(dashboard: Dashboard) -> str:
    """Its file, the same however often it is made."""
    return (
        json.dumps(dashboard, cls=JSONEncoder, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    )


if __name__ == "__main__":
    for name, made in DASHBOARDS.items():
        (FOLDER / f"{name}.json").write_text(text_of(made()), encoding="utf-8")
