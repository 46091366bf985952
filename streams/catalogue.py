"""The rules, one row each (design section 6): the only place where a rule's id, titles, inputs,
thresholds, severity and sentences are written.

The compiled functions in `streams.rules` decide; a row says what they decide and how it is told.
Order matters: condition rules come first, and a rule's number is its row. `RULES.md` is printed
from this table.
"""

from dataclasses import dataclass
from typing import Final, Literal

Severity = Literal["lead", "minor", "major", "critical"]
Phase = Literal["opened", "escalated", "closed", "occurred"]

PHASES: Final[tuple[Phase, ...]] = ("opened", "escalated", "closed", "occurred")
OPENED, ESCALATED, CLOSED, OCCURRED = range(4)


@dataclass(frozen=True, slots=True)
class Threshold:
    """A configurable number; `low` and `high` are what a city may set it to."""

    name: str
    default: float
    unit: str
    meaning: str
    low: float = 0
    high: float = 1e9

    @property
    def is_count(self) -> bool:
        return self.unit in ("fixes", "readings")


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    title: str
    title_en: str
    shape: Literal["condition", "event"]
    """A condition is true or false at each fix and makes runs; an event occurs once."""
    severity: Severity
    inputs: tuple[str, ...]
    """Fields of a position that it needs; where they are null it is false."""
    condition: str
    """When it is true, in words."""
    message: str
    message_en: str
    """Sentences over the fields of `measured` and `threshold`, whose numbers they give as they
    are."""
    thresholds: tuple[Threshold, ...] = ()
    severe: Severity | None = None
    """Severity after escalation, where there is one."""
    exceptions: str = ""
    while_loaded: bool = False
    """† in the design: needs loaded = true and a speed over `stop_speed_kmh`."""


def _run(fixes: int, seconds: float, severe_s: float | None = None) -> tuple[Threshold, ...]:
    run = (
        Threshold("min_fixes", fixes, "fixes", "a run opens with at least so many", low=1),
        Threshold("min_s", seconds, "s", "and when it has lasted so long"),
    )
    if severe_s is None:
        return run
    return (*run, Threshold("severe_s", severe_s, "s", "it escalates when it has lasted so long"))


_BORDER = Threshold(
    "border_m", 100, "m", "nearer to an allowed district is not outside", high=5_000
)
_LASTING = "，已持续 {duration_s} 秒、{fixes} 个定位点"
_LASTING_EN = ", for {duration_s} s over {fixes} fixes"

CATALOGUE: Final[tuple[Rule, ...]] = (
    Rule(
        id="off-route",
        title="偏离核准路线",
        title_en="Off the permitted route",
        shape="condition",
        severity="minor",
        severe="major",
        while_loaded=True,
        inputs=("loaded", "speed_kmh"),
        condition="active permits, all with routes; outside the reach of all their source and "
        "disposal sites; farther than the corridor from every permitted route",
        thresholds=_run(3, 60, 900),
        message="载货行驶中偏离核准路线 {distance_m} 米（走廊 {corridor_m} 米）" + _LASTING,
        message_en="Loaded and {distance_m} m off the permitted routes (corridor "
        "{corridor_m} m)" + _LASTING_EN,
    ),
    Rule(
        id="no-permit",
        title="无证运输",
        title_en="Transport without a permit",
        shape="condition",
        severity="major",
        while_loaded=True,
        inputs=("loaded", "speed_kmh"),
        condition="no permit that lists the truck is in date",
        thresholds=_run(3, 60),
        message="载货行驶时没有在有效期内的核准文件" + _LASTING,
        message_en="Loaded and moving with no permit in date" + _LASTING_EN,
    ),
    Rule(
        id="out-of-hours",
        title="超时段运输",
        title_en="Outside permitted hours",
        shape="condition",
        severity="minor",
        while_loaded=True,
        inputs=("loaded", "speed_kmh"),
        condition="permits are in date, but none whose hours hold now",
        thresholds=_run(3, 60),
        message="载货行驶时间不在核准时段内" + _LASTING,
        message_en="Loaded and moving outside the permitted hours" + _LASTING_EN,
    ),
    Rule(
        id="cross-district-transit",
        title="载货跨区行驶",
        title_en="Loaded in a district not permitted",
        shape="condition",
        severity="lead",
        while_loaded=True,
        inputs=("loaded", "speed_kmh"),
        condition="has an active permit; all active permits limit the districts; the district (or "
        "none) is not allowed, and it is farther than border_m from every allowed district",
        thresholds=(*_run(3, 60), _BORDER),
        message="载货行驶于未核准的区域，距最近核准区 {distance_m} 米（界限 {border_m} 米）"
        + _LASTING,
        message_en="Loaded outside the permitted districts, {distance_m} m from the nearest "
        "(limit {border_m} m)" + _LASTING_EN,
    ),
    Rule(
        id="no-go-zone",
        title="闯禁行区",
        title_en="In a no-go zone",
        shape="condition",
        severity="minor",
        inputs=("speed_kmh",),
        condition="in a no_go zone that holds; speed over stop_speed_kmh",
        thresholds=_run(2, 0),
        message="以 {speed_kmh} 公里/小时行驶于禁行区" + _LASTING,
        message_en="Moving at {speed_kmh} km/h inside a no-go zone" + _LASTING_EN,
    ),
    Rule(
        id="speeding",
        title="超速",
        title_en="Speeding",
        shape="condition",
        severity="minor",
        inputs=("speed_kmh",),
        condition="speed over the lowest limit of the speed_limit zones that hold here, else over "
        "the city's limit",
        thresholds=_run(3, 20),
        message="车速 {speed_kmh} 公里/小时，限速 {limit_kmh} 公里/小时" + _LASTING,
        message_en="{speed_kmh} km/h where {limit_kmh} km/h is allowed" + _LASTING_EN,
    ),
    Rule(
        id="uncovered-load",
        title="密闭不严",
        title_en="Load not covered",
        shape="condition",
        severity="major",
        while_loaded=True,
        inputs=("loaded", "speed_kmh", "covered"),
        condition="covered = false",
        thresholds=_run(3, 30),
        message="载货行驶时密闭装置未关闭" + _LASTING,
        message_en="Loaded and moving with the cover open" + _LASTING_EN,
    ),
    Rule(
        id="lifted-moving",
        title="举升行驶",
        title_en="Moving with the body lifted",
        shape="condition",
        severity="major",
        inputs=("lifted", "speed_kmh"),
        condition="lifted = true and speed over stop_speed_kmh",
        thresholds=_run(2, 0),
        message="货厢举升状态下以 {speed_kmh} 公里/小时行驶" + _LASTING,
        message_en="Moving at {speed_kmh} km/h with the body lifted" + _LASTING_EN,
    ),
    Rule(
        id="overload",
        title="超载",
        title_en="Overloaded",
        shape="condition",
        severity="major",
        while_loaded=True,
        inputs=("loaded", "speed_kmh", "load_kg"),
        condition="load_kg over the truck's max_load_kg × tolerance",
        thresholds=(
            *_run(3, 60),
            Threshold("tolerance", 1.05, "×", "of the permitted load", low=0.1, high=10),
        ),
        message="载重 {load_kg} 千克，核定 {max_load_kg} 千克（容差 {tolerance} 倍）"
        + _LASTING,
        message_en="Load of {load_kg} kg, permitted {max_load_kg} kg (tolerance "
        "×{tolerance})" + _LASTING_EN,
    ),
    Rule(
        id="unregistered-source",
        title="未登记工地装载",
        title_en="Loaded at an unregistered place",
        shape="event",
        severity="major",
        inputs=("loaded",),
        condition="loaded becomes true from false by sensor outside the reach of every "
        "construction site",
        message="在登记工地范围外装载，距最近登记工地 {distance_m} 米"
        "（范围 {site_margin_m} 米）",
        message_en="Loaded outside every registered construction site, {distance_m} m from the "
        "nearest (margin {site_margin_m} m)",
    ),
    Rule(
        id="illegal-dumping",
        title="违规倾倒",
        title_en="Illegal dumping",
        shape="event",
        severity="critical",
        inputs=("loaded", "lifted"),
        condition="a dump seen by the load or lift sensor, outside the reach of every disposal and "
        "transfer site and of the trip's source",
        message="在消纳场和中转站范围外倾倒，距最近处 {distance_m} 米"
        "（范围 {site_margin_m} 米）",
        message_en="Dumped outside every disposal and transfer site, {distance_m} m from the "
        "nearest (margin {site_margin_m} m)",
    ),
    Rule(
        id="suspected-dumping",
        title="疑似倾倒",
        title_en="Suspected dumping",
        shape="event",
        severity="lead",
        inputs=(),
        condition="once per stop that has lasted dump_dwell_s: loaded, the truck has never "
        "reported loaded or lifted, the stop's first fix is outside every site's reach",
        message="无传感器车辆载货停留 {duration_s} 秒（界限 {dump_dwell_s} 秒），"
        "不在任何登记场所范围内",
        message_en="A loaded truck without sensors stood {duration_s} s (limit "
        "{dump_dwell_s} s) outside every registered site",
    ),
    Rule(
        id="wrong-site",
        title="未到核准消纳场",
        title_en="Dumped at a site not permitted",
        shape="event",
        severity="major",
        inputs=(),
        condition="a dump in the reach of a disposal or transfer site; there is an active permit, "
        "and the active permits' disposal sites list neither the nearest disposal nor the nearest "
        "transfer site",
        message="在核准范围以外的消纳场或中转站倾倒，距该场所 {distance_m} 米"
        "（范围 {site_margin_m} 米）",
        message_en="Dumped at a disposal or transfer site that no active permit lists, "
        "{distance_m} m from it (margin {site_margin_m} m)",
    ),
    Rule(
        id="site-closed",
        title="消纳场非开放时段倾倒",
        title_en="Dumped at a closed site",
        shape="event",
        severity="minor",
        inputs=(),
        condition="there is an active permit; the dump is in the reach of disposal or transfer "
        "sites that the active permits list or do not limit, and none of those is open",
        message="在消纳场或中转站非开放时段倾倒，距该场所 {distance_m} 米"
        "（范围 {site_margin_m} 米）",
        message_en="Dumped at a permitted site outside its opening hours, {distance_m} m from "
        "it (margin {site_margin_m} m)",
    ),
    Rule(
        id="cross-district-dumping",
        title="跨区域倾倒",
        title_en="Dumped across a district border",
        shape="event",
        severity="critical",
        inputs=(),
        condition="a dump in a district that is neither the trip's origin district nor allowed by "
        "an active permit, and farther than border_m from all of those; both districts are known",
        exceptions="an active permit without a limit of districts excuses it",
        thresholds=(_BORDER,),
        message="跨区倾倒：距装载区和核准区最近 {distance_m} 米（界限 {border_m} 米）",
        message_en="Dumped in another district, {distance_m} m from the district of origin and "
        "those permitted (limit {border_m} m)",
    ),
    Rule(
        id="signal-lost",
        title="载货失联",
        title_en="Signal lost while loaded",
        shape="event",
        severity="minor",
        inputs=(),
        condition="loaded, last fix outside every site's reach, and silent for offline_s; closes "
        "with the truck's next fix",
        thresholds=(
            Threshold("offline_s", 600, "s", "a loaded truck this long silent is lost", low=1),
        ),
        message="载货车辆失去信号 {duration_s} 秒（界限 {offline_s} 秒），"
        "最后位置不在任何登记场所范围内",
        message_en="No signal from a loaded truck for {duration_s} s (limit {offline_s} s), "
        "last seen outside every registered site",
    ),
    Rule(
        id="undelivered",
        title="运输未闭环",
        title_en="Trip not completed",
        shape="event",
        severity="major",
        inputs=(),
        condition="a trip with a known source is not known to have ended max_trip_s after it began",
        thresholds=(
            Threshold("max_trip_s", 14_400, "s", "a trip should have ended by then", low=60),
        ),
        message="自登记工地装载后 {duration_s} 秒（界限 {max_trip_s} 秒）仍未见卸载",
        message_en="Not unloaded {duration_s} s after loading at a registered site (limit "
        "{max_trip_s} s)",
    ),
)  # fmt: skip

CONDITIONS: Final = tuple(rule for rule in CATALOGUE if rule.shape == "condition")
"""The condition rules; their numbers are 0 to len(CONDITIONS) - 1."""


def number_of(rule_id: str) -> int:
    """A rule's number: its row in the catalogue."""
    return next(i for i, rule in enumerate(CATALOGUE) if rule.id == rule_id)
