"""Where Prometheus finds what `mucktrack up` has started: its parts take free ports.

`mucktrack.up` has them written into `targets.json` of the state folder, in the format that
Prometheus has for `file_sd_configs`; `ops/prometheus/prometheus-up.yml` names it. It must not know
what the parts tell there.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

NAME = "targets.json"


@contextlib.contextmanager
def told_to_prometheus(state_dir: Path, host: str, ports: Mapping[str, int]) -> Iterator[Path]:
    """The file, which is there as long as the block lasts; a later run's takes its place.

    `ports`: by job, which are the names of the services in `docker-compose.yml`.
    """
    shown_host = f"[{host}]" if ":" in host else host
    targets = [
        {"targets": [f"{shown_host}:{port}"], "labels": {"job": job}} for job, port in ports.items()
    ]
    file = state_dir / NAME
    text = json.dumps(targets, indent=1) + "\n"
    # Prometheus looks at any moment: the file is whole or not there.
    fresh = file.with_suffix(".fresh")
    fresh.write_text(text)
    fresh.replace(file)
    try:
        yield file
    finally:
        with contextlib.suppress(FileNotFoundError):
            if file.read_text() == text:
                file.unlink()
