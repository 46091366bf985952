"""`python -m streams.rules_page` prints RULES.md from the catalogue; `make rules` writes it."""

from collections.abc import Iterator

from streams.catalogue import CATALOGUE, ENDED, NAMES, REACHED, Rule, Threshold
from streams.gate import FUTURE_MS, JUMP_ROW, MIN_SATELLITES, REASONS, TOO_MANY_TRUCKS
from streams.thresholds import STATE_THRESHOLDS

_HEAD = """# Rules

Generated from `streams/catalogue.py` by `make rules`; a test fails when it is out of date.

A violation is a lead until a person has reviewed it. A **condition** is true or false at each fix
(false where what it needs is not known); a run of fixes for which it is true opens a violation, may
escalate it, and closes it when it breaks: with the first fix for which it is false, or after a
silence over `max_gap_s`. An **event** occurs once. Thresholds are set in the city's `city.toml`,
under `[rules.<id>]` and `[state]`, within the range given; their defaults are no law.

Rules marked † also need a loaded truck and a speed over `stop_speed_kmh`. **Loaded** is what is
known of the truck: by `load_confirm` readings of `loaded` that agree, but for those with `lifted`
true; until it is tipped with `lifted` at a speed up to `stop_speed_kmh`; and for a truck that has
never reported `loaded`, by a stay in the reach of a construction site (`load_dwell_s`) or of a
disposal or transfer site (`dump_dwell_s`). **Speed** is `speed_kmh`, or where that is null what
the way from the previous fix implies, unless that is longer than `max_gap_s` ago. A site's
**reach** is its shape and `site_margin_m` around it, while the site is in date. A permit is **in
date** from its first day to its last, and in the morning after while a window over midnight runs.
Every rule needs position and time.
"""

_REASON = {
    "malformed": "it can't be read, or a required field is missing or of the wrong kind",
    "wrong_partition": "its truck belongs to another partition of the topic",
    "bad_coordinates": "longitude beyond 180°, latitude beyond 90°, or both 0",
    "not_located": "the terminal says that it has no fix (`located` = false)",
    "few_satellites": f"fewer than {MIN_SATELLITES} satellites, where their number is reported",
    "future_time": f"its time is over {FUTURE_MS // 60_000} minutes after it was received",
    "duplicate": "the truck's last fix has the same time, or its last position that was rejected "
    "as an impossible jump",
    "late": "it is older than the truck's last fix",
    "impossible_jump": "the way from the last fix needs a speed over `max_speed_kmh` "
    f"({{max_speed_kmh:g}} km/h); with the {JUMP_ROW}rd such position in a row, when they agree "
    "with each other, the truck is there, and that one is a fix",
}


def page() -> str:
    """The whole of RULES.md."""
    return "\n".join([_HEAD, *_overview(), *_sections(), *_sentences(), *_state(), *_gate()])


def _overview() -> Iterator[str]:
    yield "| rule | 名称 | kind | severity |"
    yield "|---|---|---|---|"
    for rule in CATALOGUE:
        yield f"| [`{rule.id}`](#{rule.id}) | {rule.title} | {_kind(rule)} | {_severity(rule)} |"
    yield ""


def _sections() -> Iterator[str]:
    for rule in CATALOGUE:
        yield f"## {rule.id}\n"
        yield f"**{rule.title} · {rule.title_en}** ({_kind(rule)}, {_severity(rule)})\n"
        yield f"- True when: {rule.condition}." + (" †" if rule.while_loaded else "")
        if rule.exceptions:
            yield "- Exceptions and limits:"
            yield from (f"  - {exception}" for exception in rule.exceptions)
        yield f"- Inputs: {', '.join(f'`{name}`' for name in rule.inputs) or 'no others'}"
        if rule.data:
            yield f"- Of the city: {'; '.join(rule.data)}"
        if rule.state:
            yield f"- Under `[state]`: {', '.join(map(_state_default, rule.state))}"
        for message in (rule.message, rule.message_en, *_nowhere(rule)):
            yield f"- Says: {message}"
        yield ""
        if rule.thresholds:
            yield from _table(rule.thresholds)


def _nowhere(rule: Rule) -> Iterator[str]:
    if rule.message_nowhere:
        yield rule.message_nowhere
        yield rule.message_nowhere_en


def _sentences() -> Iterator[str]:
    yield "## What sentences are made of\n"
    yield f"- A violation that escalates adds: {REACHED[0]} · {REACHED[1]}"
    yield f"- One that closes says: {ENDED[0]} · {ENDED[1]}"
    yield "- Names in braces are fields of `measured` and `threshold`; besides, as id and name:"
    for name, meaning in NAMES.items():
        yield f"  - `{{{name}}}`: {meaning}"
    yield "- What ends in `_s` is in seconds, from an hour on in hours and minutes."
    yield "- `{local_time}` and `{hours}` are by the city's clock; those of several permits joined"
    yield "  by `;`. On the first day, if one runs over midnight, the date stands before them:"
    yield "  the morning is not permitted yet."
    yield "- Numbers from a million on are rounded to six digits.\n"


def _state() -> Iterator[str]:
    yield "## Thresholds of what is known of a truck\n"
    yield "Under `[state]`.\n"
    yield from _table(STATE_THRESHOLDS)
    yield "`forget_s` must be more than `max_gap_s`.\n"


def _gate() -> Iterator[str]:
    defaults = {threshold.name: threshold.default for threshold in STATE_THRESHOLDS}
    yield "## Reasons a position is rejected for\n"
    yield "In this order; the first that applies.\n"
    for reason in REASONS[1:TOO_MANY_TRUCKS]:
        yield f"- `{reason}`: {_REASON[reason].format(**defaults)}"
    yield (
        f"\nBeside these, from a running worker alone, `{REASONS[TOO_MANY_TRUCKS]}`: nothing is "
        "wrong with the\nposition but that its truck is new and the partition remembers\n"
        "`MUCKTRACK_TRUCKS_A_PARTITION` trucks already ([why](docs/reliability.md))."
    )
    yield ""


def _table(thresholds: tuple[Threshold, ...]) -> Iterator[str]:
    yield "| threshold | default | unit | meaning | allowed |"
    yield "|---|---|---|---|---|"
    for threshold in thresholds:
        default = f"{threshold.default:,.10g}"
        allowed = f"{threshold.low:,.10g} to {threshold.high:,.10g}"
        yield (
            f"| `{threshold.name}` | {default} | {threshold.unit} | {threshold.meaning} "
            f"| {allowed} |"
        )
    yield ""


def _state_default(name: str) -> str:
    threshold = next(one for one in STATE_THRESHOLDS if one.name == name)
    return f"`{name}` ({threshold.default:,.10g} {threshold.unit})"


def _severity(rule: Rule) -> str:
    return f"{rule.severity} → {rule.severe}" if rule.severe else rule.severity


def _kind(rule: Rule) -> str:
    return "condition †" if rule.while_loaded else rule.shape


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
