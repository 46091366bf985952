"""The clauses of the event rules, in the order in which `streams.rules` and `streams.runs` ask.

Called by `streams.explain.reasons`; a clause after one that fails is not asked.
"""

from collections.abc import Iterator
from typing import Any

from geofences.index import CONSTRUCTION, NONE
from geofences.lookup import district_named, site_named
from streams.explain.clauses import (
    Clause,
    district_not_allowed,
    far_from_allowed,
    has_active,
    limit_words,
    loaded,
    permitted,
    site_words,
)
from streams.explain.situation import Change, Situation, metres, seconds
from streams.state import EMPTY, LOADED, NO_TIME


def unregistered_source(s: Situation) -> Iterator[Clause]:
    loading = s.loading
    if loading is None:
        yield False, "no change to loaded became known at this fix"
        return
    yield loading.basis == "sensor", f"loaded known by {loading.basis}"
    before = {EMPTY: "empty", LOADED: "loaded"}.get(loading.before, "not known")
    yield loading.before == EMPTY, f"the load before was {before}"
    if loading.source != NONE:
        yield False, f"in the reach of construction site {loading.words.site_named(loading.source)}"
    nearest = _nearest_construction(loading)
    yield True, f"in the reach of no construction site at {_dated(s, loading)}{nearest}"


def _nearest_construction(loading: Change) -> str:
    sites = loading.around.version.index.sites
    near = [
        site
        for site in loading.around.sites
        if sites[site.number].kind == CONSTRUCTION and site.in_date
    ]
    if not near:
        return ""
    first = min(near, key=lambda site: site.distance_m)
    return f"; {loading.words.site(first.number)} is {metres(first.distance_m)} away"


def _dated(s: Situation, change: Change) -> str:
    place = change.around.now.place
    return f"{s.words.clock(change.time_ms, s.time_ms)}, {place.lon:.6f} {place.lat:.6f}"


def _dump(s: Situation) -> Iterator[Clause]:
    if s.dump is None:
        yield False, "no dump became known at this fix"
    else:
        yield True, f"dump known by {s.dump.basis}, dated {_dated(s, s.dump)}"


def illegal_dumping(s: Situation) -> Iterator[Clause]:
    yield from _dump(s)
    assert s.dump is not None  # noqa: S101 - a clause before failed
    dump = s.dump
    yield dump.basis != "inferred", _seen_by(dump.basis)
    yield _in_reach_of_tipping(dump, wanted=False)
    if dump.source == NONE:
        yield True, "the trip's source is not known"
        return
    number = site_named(dump.around.version.index, dump.source)
    if number == NONE:
        yield True, f"the trip's source is {dump.words.site_named(dump.source)}"
        return
    source = next(site for site in dump.around.sites if site.number == number)
    reach = "in" if source.in_reach else "outside"
    yield (
        not source.in_reach,
        f"{reach} the reach of the trip's source {site_words(dump.around, source)}",
    )


def _seen_by(basis: str) -> str:
    if basis == "inferred":
        return "inferred from a stay, seen by no sensor"
    return f"seen by the {'load' if basis == 'sensor' else 'lift'} sensor"


def _in_reach_of_tipping(dump: Change, *, wanted: bool) -> Clause:
    place, fact = dump.around.now.place, dump.around.facts
    near = [number for number in (place.disposal, place.transfer) if number != NONE]
    if near:
        names = " and ".join(dump.words.site(number) for number in near)
        return wanted, f"in the reach of {names}"
    nearest = ""
    if fact.nearest_tipping != NONE:
        distance = metres(fact.nearest_tipping_m)
        nearest = f"; nearest is {dump.words.site(fact.nearest_tipping)}, {distance}"
    margin_m = dump.around.version.prepared.thresholds.state["site_margin_m"]
    text = f"in the reach of no disposal or transfer site{nearest} (site_margin_m {margin_m:g})"
    return not wanted, text


def wrong_site(s: Situation) -> Iterator[Clause]:
    yield from _dump(s)
    assert s.dump is not None  # noqa: S101 - a clause before failed
    around = s.dump.around
    yield _in_reach_of_tipping(s.dump, wanted=True)
    yield has_active(around.now)
    limited = bool(around.now.limits_disposals)
    yield limited, limit_words(limited, "disposal sites")
    listed = permitted(around, "disposals") & {
        int(around.now.place.disposal), int(around.now.place.transfer)
    }  # fmt: skip
    if listed:
        yield False, f"a permit in date lists {s.dump.words.site(min(listed))}"
    yield True, "no permit in date lists it"


def site_closed(s: Situation) -> Iterator[Clause]:
    yield from _dump(s)
    assert s.dump is not None  # noqa: S101 - a clause before failed
    around = s.dump.around
    yield has_active(around.now)
    yield _in_reach_of_tipping(s.dump, wanted=True)
    place = around.now.place
    sites = {int(place.disposal), int(place.transfer)} - {NONE}
    if around.now.limits_disposals:
        sites &= permitted(around, "disposals")
    if not sites:
        yield False, "no permit in date lists it"
    at = s.words.clock(s.dump.time_ms, s.time_ms)
    for site in around.sites:
        if site.number in sites:
            state = "open" if site.is_open else "closed"
            yield not site.is_open, f"{s.dump.words.site(site.number)} is {state} at {at}"


def cross_district_dumping(s: Situation) -> Iterator[Clause]:
    yield from _dump(s)
    assert s.dump is not None  # noqa: S101 - a clause before failed
    dump, around = s.dump, s.dump.around
    words, origin = dump.words, district_named(around.version.index, dump.origin)
    district = int(around.now.place.district)
    yield district != NONE, f"district of the dump: {words.district(district)}"
    yield origin != NONE, f"district of origin: {words.district_named(dump.origin)}"
    if district == origin:
        yield False, f"dumped in the district of origin, {words.district(district)}"
    if around.active and not around.now.limits_districts:
        yield False, "a permit in date does not limit the districts"
    yield from district_not_allowed(around)
    thresholds = around.version.prepared.thresholds
    border_m = thresholds.rules["cross-district-dumping"]["border_m"]
    answer = next(answer for answer in around.districts if answer.number == origin)
    compared = "at most" if answer.near_for_dumping else ">"
    yield (
        not answer.near_for_dumping,
        f"{metres(answer.distance_m, border_m)} from the district of origin, {compared} border_m "
        f"{border_m:g}",
    )
    yield from far_from_allowed(around, border_m, "near_for_dumping")


def suspected_dumping(s: Situation) -> Iterator[Clause]:
    before, after = s.before.truck, s.after.truck
    stop_ms = int(after.stop_ms)
    if stop_ms == NO_TIME:
        yield False, "no stop under way"
    told = bool(before.stop_told) and before.stop_ms == stop_ms
    yield not told, "this stop has been told" if told else "a stop is under way"
    outside = bool(after.stop_outside)
    reach = "outside every site's reach" if outside else "in a site's reach"
    yield outside, f"its first fix is {reach}"
    yield loaded(s)
    yield not after.reported_loaded, _reported(bool(after.reported_loaded), "loaded")
    yield not after.reported_lifted, _reported(bool(after.reported_lifted), "lifted")
    lasted_ms = s.time_ms - stop_ms
    long_enough = lasted_ms >= s.limits.dump_dwell_ms
    dwell_s = s.city.thresholds.state["dump_dwell_s"]
    compared = "at least" if long_enough else "less than"
    yield (
        bool(long_enough),
        f"stopped {seconds(lasted_ms)}, {compared} dump_dwell_s {dwell_s:g}",
    )


def _reported(ever: bool, what: str) -> str:
    return f"the truck has {'' if ever else 'never '}reported {what}"


def signal_lost(s: Situation) -> Iterator[Clause]:
    before = s.before.truck
    if s.silence_ms is None:
        yield False, "the truck's first fix"
        return
    yield before.loaded == LOADED, _load_before(before)
    outside = bool(before.outside)
    reach = "outside every site's reach" if outside else "in a site's reach"
    yield outside, f"last seen {reach}"
    # What falls due in a silence goes by the version of the fix before it.
    judged_by = s.before.version.prepared
    offline_s = judged_by.thresholds.rules["signal-lost"]["offline_s"]
    long_enough = s.silence_ms >= judged_by.limits[0].offline_ms
    compared = "at least" if long_enough else "less than"
    yield bool(long_enough), f"silent {seconds(s.silence_ms)}, {compared} offline_s {offline_s:g}"


def _load_before(before: Any) -> str:
    if before.loaded == LOADED:
        return "loaded before this fix"
    state = "not loaded" if before.loaded == EMPTY else "not known to be loaded"
    return f"{state} before this fix"


def undelivered(s: Situation) -> Iterator[Clause]:
    before = s.before.truck
    yield before.loaded == LOADED, _load_before(before)
    source = int(before.trip_source)
    yield source != NONE, f"source of the trip: {s.words.site_named(source)}"
    overdue = bool(before.overdue)
    yield not overdue, "this trip has been told" if overdue else "not told before"
    lasted_ms = s.time_ms - int(before.trip_ms)
    judged_by = s.before.version.prepared
    max_trip_s = judged_by.thresholds.rules["undelivered"]["max_trip_s"]
    long_enough = lasted_ms >= judged_by.limits[0].max_trip_ms
    compared = "at least" if long_enough else "less than"
    yield (
        bool(long_enough),
        f"trip began {seconds(lasted_ms)} ago, {compared} max_trip_s {max_trip_s:g}",
    )
