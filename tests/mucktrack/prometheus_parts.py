"""Prometheus itself, on the targets of a `mucktrack up`, and what Grafana would ask it."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml
from ops_parts import PROMETHEUS, RULE_FILES, variables
from processes import wait_until
from servers.programs import find
from servers.server_process import ServerProcess, quiet_port

SCRAPE_S = 3
"""And so long may an answer take, on a machine that has other things to do."""
RATE_INTERVAL, RANGE = "20s", "60s"
"""As Grafana has it: four scrapes at least, and the time shown."""
AGO = re.compile(r"\s+offset\s+\w+")
LABEL_VALUES = re.compile(r"label_values\((\w+), (\w+)\)")


class Prometheus:
    def __init__(self, address: str) -> None:
        self._http = httpx.Client(base_url=f"http://{address}/api/v1", timeout=20)

    def ready(self) -> bool:
        try:
            return self._http.get("/status/buildinfo").is_success
        except httpx.TransportError:
            return False

    def since(self, start_s: float, expr: str) -> list[float]:
        """All values from then until now, of all series, as a panel would draw them."""
        found = self._asked(
            "/query_range", query=expr, start=str(start_s), end=str(time.time()), step=str(SCRAPE_S)
        )
        return [float(value) for one in found["result"] for _, value in one["values"]]

    def label_values(self, metric: str, label: str) -> list[str]:
        return list(self._asked(f"/label/{label}/values", **{"match[]": metric}))

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self._asked("/rules")["groups"] for rule in group["rules"]]

    def targets(self) -> dict[str, str]:
        """By job, whether it answers."""
        found = self._asked("/targets")["activeTargets"]
        return {one["labels"]["job"]: one["health"] for one in found}

    def _asked(self, path: str, **parameters: str) -> Any:
        answer = self._http.get(path, params=parameters)
        told = answer.json()
        assert told["status"] == "success", (parameters, told.get("error"))
        return told["data"]


@contextmanager
def prometheus(folder: Path, targets: Path) -> Iterator[Prometheus]:
    """With the configuration for `mucktrack up`, and asking every second. Raises
    `MissingProgramError`."""
    program = find("prometheus", "asking what dashboards ask")
    port = quiet_port()
    config = yaml.safe_load((PROMETHEUS / "prometheus-up.yml").read_text())
    config["global"] = {f"{what}_interval": f"{SCRAPE_S}s" for what in ("scrape", "evaluation")}
    config["global"]["scrape_timeout"] = f"{SCRAPE_S}s"
    config["rule_files"] = [str(file) for file in RULE_FILES]
    for job in config["scrape_configs"]:
        for found in job.get("file_sd_configs", []):
            found.update(files=[str(targets)], refresh_interval=f"{SCRAPE_S}s")
        for static in job.get("static_configs", []):
            static["targets"] = [f"127.0.0.1:{port}"]
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(config))
    command = [
        *(program, f"--config.file={file}", f"--web.listen-address=127.0.0.1:{port}"),
        f"--storage.tsdb.path={folder / 'tsdb'}",
    ]
    process = ServerProcess("prometheus", command, folder / "prometheus.log")
    server = Prometheus(f"127.0.0.1:{port}")
    try:
        assert wait_until(server.ready, 30), (folder / "prometheus.log").read_text()[-2000:]
        yield server
    finally:
        process.end()


def filled_in(expr: str, chosen: dict[str, str]) -> str:
    """With Grafana's own variables and those of the dashboard in their places."""
    known = {"__rate_interval": RATE_INTERVAL, "__range": RANGE, **chosen}
    filled = re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda one: known[one[1] or one[2]], expr)
    assert "$" not in filled
    return filled


def chosen(board: dict[str, Any], server: Prometheus) -> dict[str, str] | None:
    """What Grafana would put in place of a dashboard's variables when it is opened: all values, or
    the first; None while there is none to choose."""
    values = {}
    for variable in variables(board):
        if variable["type"] != "query":
            continue
        asked = LABEL_VALUES.fullmatch(variable["query"]["query"])
        assert asked
        found = server.label_values(asked[1], asked[2])
        if not found:
            return None
        values[variable["name"]] = variable["allValue"] if variable["includeAll"] else found[0]
    return values


def recent(expr: str) -> str:
    """Without looking days back, where this Prometheus was not there."""
    return AGO.sub("", expr)
