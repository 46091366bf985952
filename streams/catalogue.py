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
    """Fields of a position that it goes by, at this fix or through what is known of the truck."""
    condition: str
    """When it is true, in words."""
    message: str
    message_en: str
    """Sentences over the fields of `measured` and `threshold`, and over `NAMES`. Numbers stand as
    they are, up to a million; what ends in `_s` comes with its unit."""
    thresholds: tuple[Threshold, ...] = ()
    severe: Severity | None = None
    """Severity after escalation, where there is one."""
    message_nowhere: str = ""
    message_nowhere_en: str = ""
    """Where there is no site to measure the distance to."""
    exceptions: tuple[str, ...] = ()
    """When it is false all the same, or its inputs do not count, or what it does not ask."""
    state: tuple[str, ...] = ()
    """Thresholds of `[state]` that it goes by, beside those of all conditions or of †."""
    data: tuple[str, ...] = ()
    """Numbers and lists of the city that it goes by."""
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
_LASTING = "，已持续 {duration_s}、{fixes} 个定位点"
_LASTING_EN = ", for {duration_s} over {fixes} fixes"

REACHED: Final = "，达到升级界限 {severe_s}", ", long enough to be {severe} (limit {severe_s})"
"""Added to the sentences of a violation that escalates."""
ENDED: Final = "{title}结束，共 {duration_s}", "{title}: ended, {duration_s} in all"
"""The sentences of one that closes."""
NAMES: Final = {
    "site": "the site of `place`",
    "route": "the route of `place`",
    "zone": "the zone of `place`",
    "here": "the district of the place",
    "nearest": "the nearest district where it may be",
    "origin": "the district where it was loaded",
    "limit_of": "the zone that sets the limit, or the whole city",
    "permitted": "the disposal sites that the permits in date list",
}
"""What sentences name beside numbers: ids with their names."""

CATALOGUE: Final[tuple[Rule, ...]] = (
    Rule(
        id="off-route",
        title="偏离核准路线",
        title_en="Off the permitted route",
        shape="condition",
        severity="minor",
        severe="major",
        while_loaded=True,
        inputs=("loaded", "lifted", "speed_kmh"),
        condition="active permits, all with routes; outside the reach of all their source and "
        "disposal sites; farther than the corridor from every permitted route",
        thresholds=_run(3, 60, 900),
        message="载货行驶中偏离核准路线 {distance_m} 米（最近路线 {route}，走廊 {corridor_m} 米）"
        + _LASTING,
        message_en="Loaded and {distance_m} m off the permitted routes (nearest {route}, corridor "
        "{corridor_m} m)" + _LASTING_EN,
        exceptions=(
            "a permit in date without a list of routes limits none",
            "in the reach of a permit's source or disposal site there is no route to keep to",
        ),
        state=("site_margin_m",),
        data=(
            "`corridor_m` of the route, over 0 to 2000 m (50 where the file gives none)",
            "the permits' dates, routes and sites",
        ),
    ),
    Rule(
        id="no-permit",
        title="无证运输",
        title_en="Transport without a permit",
        shape="condition",
        severity="major",
        while_loaded=True,
        inputs=("loaded", "lifted", "speed_kmh"),
        condition="no permit that lists the truck is in date",
        thresholds=_run(3, 60),
        message="载货行驶时没有在有效期内的核准文件" + _LASTING,
        message_en="Loaded and moving with no permit in date" + _LASTING_EN,
        data=("the permits' trucks and dates",),
        exceptions=("a permit outside its hours is still in date: that is `out-of-hours`",),
    ),
    Rule(
        id="out-of-hours",
        title="超时段运输",
        title_en="Outside permitted hours",
        shape="condition",
        severity="minor",
        while_loaded=True,
        inputs=("loaded", "lifted", "speed_kmh"),
        condition="permits are in date, but none whose hours hold now",
        thresholds=_run(3, 60),
        message="载货行驶于 {local_time}，核准时段为 {hours}" + _LASTING,
        message_en="Loaded and moving at {local_time}, permitted {hours}" + _LASTING_EN,
        exceptions=(
            "a permit without hours holds all day",
            "a window over midnight belongs to the date on which it began",
        ),
        data=("the permits' dates and hours, by the city's clock",),
    ),
    Rule(
        id="cross-district-transit",
        title="载货跨区行驶",
        title_en="Loaded in a district not permitted",
        shape="condition",
        severity="lead",
        while_loaded=True,
        inputs=("loaded", "lifted", "speed_kmh"),
        condition="has an active permit; all active permits limit the districts; the district (or "
        "none) is not allowed, and it is farther than border_m from every allowed district",
        thresholds=(*_run(3, 60), _BORDER),
        message="载货行驶于核准区域之外（{here}），距最近核准区 {nearest} {distance_m} 米"
        "（界限 {border_m} 米）" + _LASTING,
        message_en="Loaded outside the permitted districts, in {here}, {distance_m} m from the "
        "nearest, {nearest} (limit {border_m} m)" + _LASTING_EN,
        exceptions=(
            "nearer to an allowed district than border_m, or as near",
            "a permit in date without a limit of districts limits none: it lists none, and its "
            "sites and routes lie in none",
        ),
        data=(
            "the permits' dates and districts; without a list those of their sites and routes",
            "the `district` that a site states, for places in its reach",
        ),
        state=("site_margin_m",),
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
        message="以 {speed_kmh} 公里/小时行驶于禁行区 {zone}" + _LASTING,
        message_en="Moving at {speed_kmh} km/h inside no-go zone {zone}" + _LASTING_EN,
        exceptions=(
            "outside its dates or hours a zone does not hold",
            "whether the truck is loaded does not matter",
        ),
        state=("stop_speed_kmh",),
        data=("the zones' dates and hours",),
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
        message="车速 {speed_kmh} 公里/小时，{limit_of}限速 {limit_kmh} 公里/小时" + _LASTING,
        message_en="{speed_kmh} km/h where {limit_kmh} km/h is allowed ({limit_of})" + _LASTING_EN,
        exceptions=(
            "no limit, where no zone sets one and the city has none",
            "whether the truck is loaded, and what counts as standing, does not matter",
        ),
        data=(
            "`limit_kmh` of the zones, over 5 km/h, with their dates and hours",
            "`speed_limit_kmh` of the city, over 5 km/h; none = no limit",
        ),
    ),
    Rule(
        id="uncovered-load",
        title="密闭不严",
        title_en="Load not covered",
        shape="condition",
        severity="major",
        while_loaded=True,
        inputs=("loaded", "lifted", "speed_kmh", "covered"),
        condition="covered = false",
        thresholds=_run(3, 30),
        message="载货行驶时密闭装置未关闭" + _LASTING,
        message_en="Loaded and moving with the cover open" + _LASTING_EN,
        exceptions=("covered not reported",),
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
        exceptions=(
            "lifted not reported",
            "whether the truck is loaded does not matter",
        ),
        state=("stop_speed_kmh",),
    ),
    Rule(
        id="overload",
        title="超载",
        title_en="Overloaded",
        shape="condition",
        severity="major",
        while_loaded=True,
        inputs=("loaded", "lifted", "speed_kmh", "load_kg"),
        condition="load_kg over the truck's max_load_kg × tolerance",
        thresholds=(
            *_run(3, 60),
            Threshold("tolerance", 1.05, "×", "of the permitted load", low=0.1, high=10),
        ),
        message="载重 {load_kg} 千克，核定 {max_load_kg} 千克（容差 {tolerance} 倍）" + _LASTING,
        message_en="Load of {load_kg} kg, permitted {max_load_kg} kg (tolerance "
        "×{tolerance})" + _LASTING_EN,
        exceptions=(
            "load_kg not reported",
            "the register states no max_load_kg of the truck: never overloaded",
        ),
        data=("`max_load_kg` of the truck",),
    ),
    Rule(
        id="unregistered-source",
        title="未登记工地装载",
        title_en="Loaded at an unregistered place",
        shape="event",
        severity="major",
        inputs=("loaded", "lifted"),
        condition="loaded becomes true from false by sensor outside the reach of every "
        "construction site",
        message="在登记工地范围外装载，距最近登记工地 {site} {distance_m} 米"
        "（范围 {site_margin_m} 米）",
        message_en="Loaded outside every registered construction site, {distance_m} m from the "
        "nearest, {site} (margin {site_margin_m} m)",
        message_nowhere="在登记工地范围外装载：全市没有在有效期内的登记工地",
        message_nowhere_en="Loaded outside every registered construction site: the city has none "
        "in date",
        exceptions=(
            "loaded not known to have been false before: a truck's first readings are no loading",
            "loading that is inferred from a stay is at a construction site",
            "readings with lifted = true do not count, nor stale ones of true after a dump by lift",
        ),
        state=("site_margin_m", "load_confirm"),
        data=("the construction sites' dates",),
    ),
    Rule(
        id="illegal-dumping",
        title="违规倾倒",
        title_en="Illegal dumping",
        shape="event",
        severity="critical",
        inputs=("loaded", "lifted", "speed_kmh"),
        condition="a dump seen by the load or lift sensor, outside the reach of every disposal and "
        "transfer site and of the trip's source",
        message="在消纳场和中转站范围外倾倒，距最近处 {site} {distance_m} 米"
        "（范围 {site_margin_m} 米）",
        message_en="Dumped outside every disposal and transfer site, {distance_m} m from the "
        "nearest, {site} (margin {site_margin_m} m)",
        message_nowhere="在消纳场和中转站范围外倾倒：全市没有在有效期内的消纳场或中转站",
        message_nowhere_en="Dumped outside every disposal and transfer site: the city has none in "
        "date",
        exceptions=(
            "in the reach of the site where the trip began",
            "loaded not known before",
            "lifted a second time without lifted = false since the last dump",
        ),
        state=("site_margin_m", "load_confirm", "stop_speed_kmh"),
        data=("the sites' dates",),
    ),
    Rule(
        id="suspected-dumping",
        title="疑似倾倒",
        title_en="Suspected dumping",
        shape="event",
        severity="lead",
        inputs=("loaded", "lifted", "speed_kmh"),
        condition="once per stop that has lasted dump_dwell_s: loaded, the truck has never "
        "reported loaded or lifted, the stop's first fix is outside every site's reach",
        message="无传感器车辆载货停留 {duration_s}（界限 {dump_dwell_s}），"
        "不在任何登记场所范围内",
        message_en="A loaded truck without sensors stood {duration_s} (limit {dump_dwell_s}) "
        "outside every registered site",
        exceptions=(
            "a truck that has once reported loaded or lifted",
            "the stop began in a site's reach, a car park's too",
            "not known to be loaded: loaded is known by a stay at a construction site alone",
        ),
        state=(
            "dump_dwell_s", "load_dwell_s", "stop_speed_kmh", "stop_radius_m", "max_gap_s",
            "site_margin_m",
        ),
        data=("the sites' dates",),
    ),
    Rule(
        id="wrong-site",
        title="未到核准消纳场",
        title_en="Dumped at a site not permitted",
        shape="event",
        severity="major",
        inputs=("loaded", "lifted", "speed_kmh"),
        condition="a dump in the reach of a disposal or transfer site; there is an active permit, "
        "and the active permits' disposal sites list neither the nearest disposal nor the nearest "
        "transfer site",
        message="在 {site} 倾倒，距该场所 {distance_m} 米（范围 {site_margin_m} 米），"
        "有效核准文件列明的是 {permitted}",
        message_en="Dumped at {site}, {distance_m} m from it (margin {site_margin_m} m); the "
        "permits in date list {permitted}",
        exceptions=(
            "no permit in date",
            "a permit in date without a list of disposal sites limits none",
            "a listed site is in reach too, if it is the nearest of its kind",
        ),
        state=("site_margin_m", "load_confirm", "stop_speed_kmh", "dump_dwell_s"),
        data=(
            "the permits' dates and disposal sites",
            "the sites' dates",
        ),
    ),
    Rule(
        id="site-closed",
        title="消纳场非开放时段倾倒",
        title_en="Dumped at a closed site",
        shape="event",
        severity="minor",
        inputs=("loaded", "lifted", "speed_kmh"),
        condition="there is an active permit; the dump is in the reach of disposal or transfer "
        "sites that the active permits list or do not limit, and none of those is open",
        message="{local_time} 在 {site} 倾倒，该场所开放时段为 {hours}（距离 {distance_m} 米，"
        "范围 {site_margin_m} 米）",
        message_en="Dumped at {site} at {local_time}, open {hours} ({distance_m} m from it, margin "
        "{site_margin_m} m)",
        exceptions=(
            "no permit in date",
            "a site without hours is open all day; out of its dates it is no site",
            "the nearest site of the other kind, permitted too, is open",
        ),
        state=("site_margin_m", "load_confirm", "stop_speed_kmh", "dump_dwell_s"),
        data=(
            "the sites' dates and hours, by the city's clock",
            "the permits' dates and disposal sites; no list = no limit",
        ),
    ),
    Rule(
        id="cross-district-dumping",
        title="跨区域倾倒",
        title_en="Dumped across a district border",
        shape="event",
        severity="critical",
        inputs=("loaded", "lifted", "speed_kmh"),
        condition="a dump in a district that is neither the trip's origin district nor allowed by "
        "an active permit, and farther than border_m from all of those; both districts are known",
        exceptions=(
            "a permit in date without a limit of districts excuses it",
            "nearer to an allowed district or that of origin than border_m, or as near",
            "the district of origin is not known (loaded when first seen, not at a "
            "construction site) or no longer in the city; the place of the dump is in no district",
        ),
        thresholds=(_BORDER,),
        message="跨区倾倒：自 {origin} 装载，在 {here} 倾倒，距装载区和核准区中最近的 "
        "{nearest} {distance_m} 米（界限 {border_m} 米）",
        message_en="Loaded in {origin}, dumped in {here}, {distance_m} m from {nearest}, the "
        "nearest of the district of origin and those permitted (limit {border_m} m)",
        state=("site_margin_m", "load_confirm", "stop_speed_kmh", "dump_dwell_s"),
        data=(
            "the permits' dates and districts; without a list those of their sites and routes",
            "the `district` that a site states, for places in its reach",
        ),
    ),
    Rule(
        id="signal-lost",
        title="载货失联",
        title_en="Signal lost while loaded",
        shape="event",
        severity="minor",
        inputs=("loaded", "lifted", "speed_kmh"),
        condition="loaded, last fix outside every site's reach, and silent for offline_s; closes "
        "with the truck's next fix",
        thresholds=(
            Threshold("offline_s", 600, "s", "a loaded truck this long silent is lost", low=1),
        ),
        message="载货车辆失去信号 {duration_s}（界限 {offline_s}），"
        "最后位置不在任何登记场所范围内",
        message_en="No signal from a loaded truck for {duration_s} (limit {offline_s}), last seen "
        "outside every registered site",
        exceptions=(
            "last seen in a site's reach, a car park's too",
            "not known to be loaded",
        ),
        state=("site_margin_m", "watermark_delay_s"),
        data=("the sites' dates",),
    ),
    Rule(
        id="undelivered",
        title="运输未闭环",
        title_en="Trip not completed",
        shape="event",
        severity="major",
        inputs=("loaded", "lifted", "speed_kmh"),
        condition="a trip with a known source is not known to have ended max_trip_s after it began",
        thresholds=(
            Threshold("max_trip_s", 14_400, "s", "a trip should have ended by then", low=60),
        ),
        message="自登记工地装载后 {duration_s}（界限 {max_trip_s}）仍未见卸载",
        message_en="Not unloaded {duration_s} after loading at a registered site (limit "
        "{max_trip_s})",
        exceptions=("the trip began in no construction site's reach",),
        state=("site_margin_m", "load_confirm", "load_dwell_s", "watermark_delay_s"),
        data=("the construction sites' dates",),
    ),
)  # fmt: skip

CONDITIONS: Final = tuple(rule for rule in CATALOGUE if rule.shape == "condition")
"""The condition rules; their numbers are 0 to len(CONDITIONS) - 1."""


def number_of(rule_id: str) -> int:
    """A rule's number: its row in the catalogue."""
    return next(i for i, rule in enumerate(CATALOGUE) if rule.id == rule_id)
