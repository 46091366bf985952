"""Explanations as lines of text, for people: on a terminal, in a file, in a case.

Used by `mucktrack.explain`. It lays out and chooses nothing but how many lines a list gets.
"""

from collections.abc import Sequence

from streams.explain.explanation import (
    Ending,
    Explanation,
    Known,
    Named,
    Near,
    Occurrence,
    PermitSaid,
    Verdict,
)
from streams.explain.situation import metres

SHOWN = 3
"""Of a list of routes or districts, in order of distance."""
_LABEL = 14


def lines_of(told: Explanation, *, with_city: bool = False) -> list[str]:
    """A heading, what was known, the rules that were true and those that were not, the events.

    `with_city`: the beginning of the `city_version` that judged stands in the heading.
    """
    place = "" if told.lon is None else f"  {told.lon:.6f} {told.lat:.6f}"
    verdict = "rejected" if told.rejected else "accepted"
    city = f"  city {told.city_version[:12]}" if with_city else ""
    lines = [f"#{told.number} {told.truck_id}  {told.local_time}{place}  {verdict}{city}"]
    if told.rejected:
        return [*lines, _line(told.rejected, told.why_rejected or "")]
    if told.known is not None:
        lines += _known(told.known, told.since_last)
        lines += _rules(told.known.rules)
    return lines + _events(told.violations)


def lines_of_ending(told: Ending) -> list[str]:
    head = (
        f"end of input, {told.local_time}, the latest fix of all trucks" if told.local_time else ""
    )
    return [head or "end of input, without a fix", *_events(told.violations)]


def _line(label: str, text: str) -> str:
    return f"  {label:<{_LABEL}} {text}".rstrip()


def _known(known: Known, since_last: str) -> list[str]:
    lines = [
        _line("fix", since_last),
        _line("speed", known.speed_words),
        _line("load", known.load.words),
        _line("sensors", known.load.sensors),
        _line("trip", known.trip or "none"),
        _line("district", _named(known.district)),
        _line("sites", _sites(known)),
        *(_line("permit", _permit(permit)) for permit in known.permits or []),
    ]
    if not known.permits:
        lines.append(_line("permit", "none lists the truck"))
    if known.routes:
        lines.append(_line("routes", _nearest(known.routes, "corridor_m")))
    if known.districts_allowed:
        lines.append(_line("allowed in", _nearest(known.districts_allowed, "border_m")))
    lines.append(_line("no-go zone", _named(known.no_go_zone)))
    lines.append(_line("speed limit", known.limit_words))
    lines.append(_line("stop", known.stop or "none"))
    if known.stay is not None:
        lines.append(_line("stay", known.stay))
    lines += (_line("here", text) for text in known.happened)
    lines.append(_line("if silent", ", ".join(known.due) or "nothing falls due"))
    return lines


def _named(named: Named | None) -> str:
    return "none" if named is None else f"{named.id} {named.name}"


def _sites(known: Known) -> str:
    if known.sites_in_reach:
        return "in the reach of " + "; ".join(
            _near(site, "site_margin_m") for site in known.sites_in_reach
        )
    if known.nearest_site is None:
        return "none in date"
    return f"in the reach of none; nearest is {_near(known.nearest_site, 'site_margin_m')}"


def _permit(permit: PermitSaid) -> str:
    if not permit.in_date:
        return f"{permit.permit_id} not in date"
    hours = "hours hold" if permit.hours_hold else "hours do not hold"
    limits = f"limits {', '.join(permit.limits)}" if permit.limits else "limits nothing"
    return f"{permit.permit_id} in date, {hours}, {limits}"


def _nearest(near: Sequence[Near], limit: str) -> str:
    more = f"; {len(near) - SHOWN} more" if len(near) > SHOWN else ""
    return "; ".join(_near(item, limit) for item in near[:SHOWN]) + more


def _near(near: Near, limit: str) -> str:
    side = "within" if near.within else "beyond"
    distance = metres(near.distance_m, near.limit_m)
    return f"{near.id} {near.name} {distance}, {side} {limit} {near.limit_m:g}"


def _rules(verdicts: Sequence[Verdict]) -> list[str]:
    return [line for verdict in verdicts for line in _rule(verdict)]


def _rule(verdict: Verdict) -> list[str]:
    mark = "TRUE " if verdict.true else "false"
    lines = [f"  {mark} {verdict.rule} {verdict.title}: {verdict.why}"]
    if verdict.ended is not None:
        lines.append(f"        {verdict.ended}")
    if verdict.run is not None:
        run = verdict.run
        noun = "fix" if run.fixes == 1 else "fixes"
        lines.append(f"        run of {run.fixes} {noun}, {run.lasted_s:g} s; {run.words}")
    return lines


def _events(violations: Sequence[Occurrence]) -> list[str]:
    return [
        f"  >>    {violation.rule} {violation.phase} ({violation.severity}): "
        f"{violation.message} · {violation.message_en}"
        for violation in violations
    ]
