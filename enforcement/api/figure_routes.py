"""/figures and /trucks/…/track: what is counted, and where a truck has been."""

from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query
from pydantic import Field

from enforcement import tracks
from enforcement.api.asked import Moment
from enforcement.api.guard import Caller, PartsOf
from enforcement.api.models import LINE, District, Given
from enforcement.api.problems import Problem
from enforcement.figures import Figures, Period, Tally, figures
from enforcement.queries import MOST
from enforcement.ranking import Of, Order, ranking

router: Final = APIRouter(tags=["figures"])

DAY_MS: Final = 86_400_000
USUAL_MS: Final = 30 * DAY_MS
LONGEST_MS: Final = 366 * DAY_MS

Rate = Annotated[float | None, Field(description="null = there is nothing to divide by")]


class TallyGiven(Given):
    cases: int
    filed: int
    concluded: int
    void: int
    due: int
    deferred: int
    in_time: int
    filing_rate: Rate
    closure_rate: Rate
    in_time_rate: Rate


class DistrictTally(TallyGiven):
    district: str | None


class RuleTallyGiven(Given):
    rule: str
    violations: int
    confirmed: int
    void: int
    precision: Rate


class DayTallyGiven(Given):
    day: str
    opened: int
    ended: int


class FiguresGiven(Given):
    from_ms: int
    to_ms: int
    total: TallyGiven
    by_district: list[DistrictTally]
    by_rule: list[RuleTallyGiven]
    by_day: list[DayTallyGiven]


class RankedGiven(Given):
    name: str
    company: str | None
    trucks: int
    confirmed: int
    pending: int
    points: int
    by_severity: dict[str, int]
    score: float


class Ranking(Given):
    items: list[RankedGiven]


class TrackPositionGiven(Given):
    time_ms: int
    lon: float
    lat: float
    speed_kmh: float | None
    heading_deg: float | None
    loaded: bool | None


class Track(Given):
    truck_id: str
    from_ms: int
    to_ms: int
    archived: bool = Field(description="false = only the tracks of violations are known")
    items: list[TrackPositionGiven]


@router.get("/figures")
def get_figures(
    caller: Caller,
    parts: PartsOf,
    from_ms: Moment = None,
    to_ms: Moment = None,
    district: District | None = None,
) -> FiguresGiven:
    """立案率 `filing_rate`, 结案率 `closure_rate`, 按期结案率 `in_time_rate`; per rule what was
    confirmed and void. By default of the last 30 days."""
    period = _period(parts.now_ms(), from_ms, to_ms, USUAL_MS, LONGEST_MS)
    zone = ZoneInfo(parts.maps.in_force().city.timezone)
    with parts.database.read() as session:
        made = figures(session, caller.actor, period, parts.now_ms(), zone, district)
    return _given(period, made)


@router.get("/figures/ranking")
def get_ranking(
    caller: Caller,
    parts: PartsOf,
    of: Of = "companies",
    order: Order = "black",
    from_ms: Moment = None,
    to_ms: Moment = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 20,
) -> Ranking:
    """红黑榜: `black` the worst first, `red` the best. By default of the last 30 days."""
    period = _period(parts.now_ms(), from_ms, to_ms, USUAL_MS, LONGEST_MS)
    city = parts.maps.in_force().city
    with parts.database.read() as session:
        ranked = ranking(session, caller.actor, period, city, of, order, limit)
    return Ranking(items=[RankedGiven.model_validate(one) for one in ranked])


@router.get("/trucks/{truck_id}/track")
def get_track(
    truck_id: Annotated[str, Path(max_length=64, pattern=LINE)],
    caller: Caller,
    parts: PartsOf,
    from_ms: Moment = None,
    to_ms: Moment = None,
) -> Track:
    """Where a truck was, as far as the caller may see it; by default in the last 3 hours, at most
    within a day."""
    period = _period(parts.now_ms(), from_ms, to_ms, DAY_MS // 8, tracks.LONGEST_MS)
    city = parts.maps.in_force().city
    with parts.database.read() as session:
        found = tracks.track(
            *(session, caller.actor, city, parts.archive, truck_id, period.from_ms, period.to_ms)
        )
    return Track(
        truck_id=truck_id,
        from_ms=period.from_ms,
        to_ms=period.to_ms,
        archived=parts.archive is not None,
        items=[TrackPositionGiven.model_validate(one) for one in found],
    )


def _period(
    now_ms: int, from_ms: int | None, to_ms: int | None, usual_ms: int, longest_ms: int
) -> Period:
    end_ms = now_ms + 1 if to_ms is None else to_ms
    start_ms = max(0, end_ms - usual_ms) if from_ms is None else from_ms
    if not start_ms < end_ms <= start_ms + longest_ms:
        raise Problem(422, f"from_ms comes before to_ms, by at most {longest_ms // DAY_MS} days")
    return Period(start_ms, end_ms)


def _given(period: Period, made: Figures) -> FiguresGiven:
    return FiguresGiven(
        from_ms=period.from_ms,
        to_ms=period.to_ms,
        total=TallyGiven.model_validate(made.total),
        by_district=[
            DistrictTally.model_validate({"district": district, **_fields(tally)})
            for district, tally in sorted(
                made.by_district.items(), key=lambda item: (item[0] is None, item[0] or "")
            )
        ],
        by_rule=[
            RuleTallyGiven(
                rule=rule,
                violations=one.violations,
                confirmed=one.confirmed,
                void=one.void,
                precision=one.precision,
            )
            for rule, one in made.by_rule.items()
        ],
        by_day=[
            DayTallyGiven(day=day, opened=one.opened, ended=one.ended)
            for day, one in made.by_day.items()
        ],
    )


def _fields(tally: Tally) -> dict[str, object]:
    return TallyGiven.model_validate(tally).model_dump()
