"""Mutants of `mutants.py` that no test can notice, each with the reason. `mutations.py` passes them
over.
"""

from typing import Final

EQUIVALENT: Final[dict[tuple[str, str, str], str]] = {
    ("nearer", "first < second", "first <= second"): "the two are never the same site",
    (
        "look_around",
        "city.cells[place.cell].n_sites > 0",
        "city.cells[place.cell].n_sites >= 0",
    ): "goes over an empty list of sites, to the same end",
    (
        "conditions",
        "now.speed_kmh > SLOWEST_LIMIT_KMH",
        "now.speed_kmh >= SLOWEST_LIMIT_KMH",
    ): "5 km/h is over no limit that a city may set",
    (
        "next_due_ms",
        "truck.trip_source != NONE and (not truck.overdue)",
        "truck.trip_source != NONE or not truck.overdue",
    ): "looks earlier than it need, and in vain",
    (
        "next_due_ms",
        "truck.outside and (not truck.lost)",
        "truck.outside or not truck.lost",
    ): "looks earlier than it need, and in vain",
    (
        "cross_district_dumping",
        "then.active_permits > 0",
        "then.active_permits >= 0",
    ): "none at all leave the districts limited, as `weigh_permits` begins",
    (
        "next_due_ms",
        "truck.n_runs > 0",
        "truck.n_runs >= 0",
    ): "looks earlier than it need, and in vain",
    (
        "fall_due",
        "truck.n_runs > 0",
        "truck.n_runs >= 0",
    ): "goes over the rules and finds no run",
    (
        "has_free_runs",
        "pool.n_free[0] >= N_CONDITIONS",
        "pool.n_free[0] > N_CONDITIONS",
    ): "the pool grows while one more position would have found room",
    (
        "judge",
        "time_ms < truck.last_ms",
        "time_ms <= truck.last_ms",
    ): "the same time was found to be a duplicate before",
    (
        "_completes_row",
        "place.time_ms > truck.jump_ms",
        "place.time_ms >= truck.jump_ms",
    ): "the same time was found to be a duplicate before",
    (
        "_completes_row",
        "truck.jump_row > 0",
        "truck.jump_row >= 0",
    ): "a row of none becomes a row of one, agreeing or not",
    (
        "pass_over",
        "ahead >= 0",
        "ahead > 0",
    ): "fetches one truck's record later, into the same hands",
    (
        "within_district",
        "cell.district == number",
        "cell.district != number",
    ): "the cell's own district is among its candidates too; looking closer in vain is harmless",
    (
        "within_district",
        "city.items[i] == number (2)",
        "city.items[i] != number",
    ): "a candidate alone in its cell is its district, or has its border near; the same",
    (
        "inside_edges",
        "y < low - BOUNDARY_M or y > high + BOUNDARY_M",
        "y < low - BOUNDARY_M and y > high + BOUNDARY_M",
    ): "a short cut: an edge that is not level with the place neither holds it nor meets the ray",
    (
        "local_clock",
        "last > 0",
        "last >= 0",
    ): "no position is from before the first offset",
    (
        "inside_edges",
        "x < x1 + (y - y1) / (y2 - y1) * (x2 - x1)",
        "x <= x1 + (y - y1) / (y2 - y1) * (x2 - x1)",
    ): "a place on the edge was found to be inside before",
}
"""Function, what it says (the how-manieth time, but for the first), what it says after the change:
why no test can notice."""
