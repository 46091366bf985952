"""The `city.toml` that `mucktrack city new` writes: with comments that say what can be set.

Called by `producers.city_import.build`. Pure.
"""

import json
from collections.abc import Mapping, Sequence

from streams.catalogue import CATALOGUE

SHOWN_RULES = ("off-route", "no-go-zone")
"""Rules whose thresholds stand in the file as examples."""


def settings_file(
    name: str,
    admin_code: str,
    timezone: str,
    speed_limit_kmh: float | None,
    sources: Mapping[str, Sequence[str]],
) -> bytes:
    """`sources`: by subject, the names of the files that the city was made of."""
    made_of = [f"#   {subject}: {', '.join(files)}" for subject, files in sources.items() if files]
    limit = (
        "# speed_limit_kmh = 60"
        if speed_limit_kmh is None
        else f"speed_limit_kmh = {speed_limit_kmh:g}"
    )
    lines = [
        "# Made by `mucktrack city new` of",
        *made_of,
        "# After every change: mucktrack city check DIR",
        "",
        f"name = {_text(name)}",
        f"admin_code = {_text(admin_code)}        # GB/T 2260",
        f"timezone = {_text(timezone)}   # of all hours and dates",
        "",
        "# All coordinates beside this file are WGS-84: maps were converted. Put in a file that is",
        "# not, and say so here: districts, sites, routes, zones = wgs84, gcj02 or bd09.",
        "# [datum]",
        '# sites = "gcj02"',
        "",
        "# The limit where no zone has a lower one; without it there is none.",
        "[defaults]",
        limit,
        "",
        "# How near to a site counts as at it, and other thresholds of what is known of a truck.",
        "# [state]",
        "# site_margin_m = 50",
        "",
        "# When a rule is broken: RULES.md has all of them. These are what they are unless set.",
        *_rules(),
    ]
    return ("\n".join(lines) + "\n").encode()


def _rules() -> list[str]:
    lines = []
    for rule in CATALOGUE:
        if rule.id in SHOWN_RULES:
            lines.append(f"# [rules.{rule.id}]")
            lines += [f"# {one.name} = {one.default:g}" for one in rule.thresholds]
    return lines


def _text(text: str) -> str:
    """A basic string of TOML, which JSON's is one of."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
