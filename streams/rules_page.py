"""`python -m streams.rules_page` prints RULES.md from the catalogue; `make rules` writes it."""

from collections.abc import Iterator

from streams.catalogue import CATALOGUE, Rule, Threshold
from streams.gate import REASONS, TOO_MANY_TRUCKS
from streams.thresholds import STATE_THRESHOLDS

_HEAD = """# Rules

Generated from `streams/catalogue.py` by `make rules`; a test fails when it is out of date.

A violation is a lead until a person has reviewed it. A **condition** is true or false at each fix
(false where an input is null); a run of fixes for which it is true opens a violation, may escalate
it, and closes it when it breaks. An **event** occurs once. Rules marked † also need loaded = true
and a speed over `stop_speed_kmh`. Thresholds are set in the city's `city.toml`, under
`[rules.<id>]` and `[state]`; their defaults are no law.
"""


def page() -> str:
    """The whole of RULES.md."""
    return "\n".join([_HEAD, *_overview(), *_sections(), *_state(), *_gate()])


def _overview() -> Iterator[str]:
    yield "| rule | 名称 | kind | severity |"
    yield "|---|---|---|---|"
    for rule in CATALOGUE:
        severity = f"{rule.severity} → {rule.severe}" if rule.severe else rule.severity
        yield f"| [`{rule.id}`](#{rule.id}) | {rule.title} | {_kind(rule)} | {severity} |"
    yield ""


def _sections() -> Iterator[str]:
    for rule in CATALOGUE:
        yield f"## {rule.id}\n"
        yield f"**{rule.title} · {rule.title_en}** ({_kind(rule)}, {rule.severity})\n"
        yield f"- True when: {rule.condition}." + (" †" if rule.while_loaded else "")
        if rule.exceptions:
            yield f"- Exception: {rule.exceptions}."
        yield f"- Inputs: {', '.join(f'`{name}`' for name in rule.inputs) or 'position and time'}"
        yield f"- Says: {rule.message}"
        yield f"- Says: {rule.message_en}\n"
        if rule.thresholds:
            yield from _table(rule.thresholds)


def _state() -> Iterator[str]:
    yield "## Thresholds of what is known of a truck\n"
    yield "Under `[state]`.\n"
    yield from _table(STATE_THRESHOLDS)


def _gate() -> Iterator[str]:
    yield "## Reasons a position is rejected for\n"
    yield "In this order; the first that applies.\n"
    for reason in REASONS[1:TOO_MANY_TRUCKS]:
        yield f"- `{reason}`"
    yield (
        f"\nBeside these, from a running worker alone, `{REASONS[TOO_MANY_TRUCKS]}`: nothing is "
        "wrong with the\nposition but that its truck is new and the partition remembers\n"
        "`MUCKTRACK_TRUCKS_A_PARTITION` trucks already ([why](docs/reliability.md))."
    )
    yield ""


def _table(thresholds: tuple[Threshold, ...]) -> Iterator[str]:
    yield "| threshold | default | unit | meaning |"
    yield "|---|---|---|---|"
    for threshold in thresholds:
        default = f"{threshold.default:.10g}"
        yield f"| `{threshold.name}` | {default} | {threshold.unit} | {threshold.meaning} |"
    yield ""


def _kind(rule: Rule) -> str:
    return "condition †" if rule.while_loaded else rule.shape


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
