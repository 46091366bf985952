"""Made-up cities that change under way, each from a seed: see `cities.py` and `tracks.py`.

A later version is another city altogether, or the one before revised: sites and a district gone,
permits rewritten, thresholds changed, districts far away that move the plane. It comes into force
at a fix, a millisecond beside one, or anywhere. Called by the tests that compare engines.
"""

from dataclasses import replace
from random import Random

from shapely import box

from geofences.city import City, District
from reference.cities import random_city, random_frame
from reference.tracks import random_case
from streams.position import Position

Succession = list[tuple[int, City]]


def random_succession(seed: int) -> tuple[Succession, list[list[Position]], Random]:
    """Two or three versions, and tracks through the first and on; the generator to go on with."""
    city, tracks, rng = random_case(seed)
    frame = random_frame(Random(seed))
    truck_ids = sorted({track[0].truck_id for track in tracks} - {"外A1"})
    times = sorted(position.time_ms for track in tracks for position in track)
    starts = sorted({rng.choice(times) + rng.choice((-1, 0, 0, 1, 7_000)) for _ in "12"})
    succession = [(0, city)]
    for number, from_ms in enumerate(starts[: rng.randint(1, 2)], 1):
        before = succession[-1][1]
        if rng.random() < 0.4:
            later = random_city(rng, frame, truck_ids)
        else:
            later = revised(rng, before, random_city(rng, frame, truck_ids))
        succession.append((from_ms, replace(later, version=f"{number:064x}")))
    return succession, tracks, rng


def revised(rng: Random, city: City, other: City) -> City:
    """`city` with some of its sites and thresholds, permits that fit, and more land."""
    sites = tuple(site for site in city.sites if rng.random() < 0.7) or city.sites[:1]
    districts = city.districts
    if len(districts) > 1 and rng.random() < 0.3:
        gone = rng.choice(districts).code
        districts = tuple(district for district in districts if district.code != gone)
    codes = {district.code for district in districts}
    sites = tuple(
        replace(site, district=site.district if site.district in codes else None) for site in sites
    )
    known = {site.site_id for site in sites}
    if rng.random() < 0.5:
        west, south, east, north = districts[0].shape.bounds
        far = box(east + 0.2, north + 0.1, east + 0.3, north + 0.2)
        if rng.random() < 0.5:
            far = box(west - 0.3, south - 0.2, west - 0.2, south - 0.1)
        districts = (*districts, District("339999", "far", far))
    permits = tuple(
        replace(
            permit,
            source_site_ids=tuple(s for s in permit.source_site_ids if s in known),
            disposal_site_ids=tuple(s for s in permit.disposal_site_ids if s in known),
            districts=tuple(code for code in permit.districts if code in codes),
        )
        for permit in city.permits
        if rng.random() < 0.7
    )
    changed = rng.random() < 0.5
    return replace(
        city,
        districts=districts,
        sites=sites,
        permits=permits,
        trucks=tuple(reversed(city.trucks)) if rng.random() < 0.5 else city.trucks[:1],
        zones=city.zones if rng.random() < 0.5 else (),
        state_overrides=other.state_overrides if changed else city.state_overrides,
        rule_overrides=other.rule_overrides if changed else city.rule_overrides,
    )
