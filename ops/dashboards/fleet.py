"""The dashboard of the trucks: how many drive, are loaded, are silent; and where it happens.

Prometheus holds no positions of trucks: they would be a series each, and theirs to see whom the
console lets. So the map here shows districts, from a file that `mucktrack city grafana` writes;
trucks are on the map of the console, to which a link leads. Decision 0014 says more.
"""

from grafana_foundation_sdk.builders import common
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as parts

from ops.dashboards.board import Section, board
from ops.dashboards.panels import HALF, HIGH, THIRD, WHOLE, bars, curves, number, world
from ops.dashboards.queries import Query, listed, now

OUTLINES = "public/maps/mucktrack-districts.geojson"
CENTRES = "public/gazetteer/mucktrack-districts.json"
"""Where Grafana serves the two files of `mucktrack city grafana`; compose puts them there."""
NOTHING = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
"""A transparent tile: every other base map asks servers on the internet."""
WARM = [(None, "green"), (1, "yellow"), (10, "orange"), (50, "red")]


def dashboard() -> parts.Dashboard:
    return board(
        "fleet",
        "mucktrack · Fleet 车队",
        "Trucks: how many drive, are loaded, are silent, and where it happens. "
        "车辆：行驶、载货、失联，以及违规发生地。",
        [_present(), _where(), _course(), _supply()],
    )


def _present() -> Section:
    return "Now 当前", [
        number(
            "Seen 24 h 在线",
            "Trucks with a fix within the last 24 hours. 24 小时内有定位的车辆。",
            "short",
            Query("sum(mucktrack_trucks_seen)"),
            decimals=0,
        ),
        number(
            "Moving 行驶",
            "Of those, trucks whose last fix was over 5 km/h. 其中最近定位速度超过 5 km/h 的车辆。",
            "short",
            Query("sum(mucktrack_trucks_moving)"),
            decimals=0,
        ),
        number(
            "Loaded 载货",
            "Of those, trucks known to be loaded. 其中已知载货的车辆。",
            "short",
            Query("sum(mucktrack_trucks_loaded)"),
            decimals=0,
        ),
        number(
            "Silent 失联",
            "Of those, trucks without a fix for ten minutes. 其中十分钟无定位的车辆。",
            "short",
            Query("sum(mucktrack_trucks_silent)"),
            decimals=0,
        ),
        number(
            "Trips 在途趟次",
            "Trips under way. 正在进行的运输趟次。",
            "short",
            Query("sum(mucktrack_trips_open)"),
            decimals=0,
        ),
        number(
            "Trips done 完成趟次",
            "Trips that ended in the time shown. 所示时段内完成的趟次。",
            "short",
            now("sum(increase(mucktrack_trips_total[$__range]))"),
            decimals=0,
            graph=False,
        ),
    ]


def _where() -> Section:
    counted = (
        "round(sum by (district) "
        '(increase(mucktrack_violations_total{phase=~"opened|occurred"}[$__range])))'
    )
    return "Where 地点", [
        world(
            "Violations by district 各区违规",
            "Violations that opened or occurred in the time shown, in the middle of their "
            "district. Trucks themselves are on the console's map: see the link at the top. "
            "所示时段内各区发生的违规；车辆位置见处置平台地图（上方链接）。",
            "short",
            listed(counted),
            [_districts(), _counts()],
            common.MapLayerOptions()
            .type("xyz")
            .name("Empty")
            .config({"url": NOTHING, "attribution": ""}),
            WARM,
            width=16,
        ),
        bars(
            "Districts 区县排名",
            "The same as a list; none = outside all districts. 同左；none 表示不在任何区县内。",
            "short",
            now(
                "sort_desc(sum by (district) "
                '(increase(mucktrack_violations_total{phase=~"opened|occurred"}[$__range])))',
                "{{district}}",
            ),
            WARM,
            height=HIGH,
        ),
        curves(
            "By district 按区县",
            "In the hour before. 前一小时。",
            "short",
            [Query("district:mucktrack_violations_begun:increase1h", "{{district}}")],
            width=WHOLE,
        ),
    ]


def _districts() -> common.MapLayerOptions:
    return (
        common.MapLayerOptions()
        .type("geojson")
        .name("Districts 区县")
        .config(
            {
                "src": OUTLINES,
                "rules": [],
                "style": {"color": {"fixed": "blue"}, "opacity": 0.12, "lineWidth": 2},
            }
        )
        .tooltip(False)
    )


def _counts() -> common.MapLayerOptions:
    """The answer's column of values is called so by Grafana where a query has one series a row."""
    return (
        common.MapLayerOptions()
        .type("markers")
        .name("Violations 违规")
        .config(
            {
                "showLegend": True,
                "style": {
                    "color": {"field": "Value", "fixed": "dark-green"},
                    "opacity": 0.7,
                    "size": {"field": "Value", "fixed": 12, "min": 8, "max": 40},
                    "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
                    "text": {"mode": "field", "field": "Value", "fixed": ""},
                    "textConfig": {
                        "fontSize": 14,
                        "offsetX": 0,
                        "offsetY": 0,
                        "textAlign": "center",
                        "textBaseline": "middle",
                    },
                },
            }
        )
        .location(
            common.FrameGeometrySource()
            .mode(shapes.FrameGeometrySourceMode.LOOKUP)
            .lookup("district")
            .gazetteer(CENTRES)
        )
        .tooltip(True)
    )


def _course() -> Section:
    return "Course 变化", [
        curves(
            "Trucks 车辆",
            "Seen within 24 hours, and what they do. 24 小时内在线车辆及其状态。",
            "short",
            [
                Query("sum(mucktrack_trucks_seen)", "seen 在线"),
                Query("sum(mucktrack_trucks_moving)", "moving 行驶"),
                Query("sum(mucktrack_trucks_loaded)", "loaded 载货"),
                Query("sum(mucktrack_trucks_silent)", "silent 失联"),
            ],
        ),
        curves(
            "Silent share 失联比例",
            "Of the trucks seen within 24 hours; a network that fails makes a step. "
            "占 24 小时内在线车辆的比例；网络故障时会突升。",
            "percentunit",
            [
                Query(
                    "sum(mucktrack_trucks_silent) / (sum(mucktrack_trucks_seen) > 0)", "silent 失联"
                )
            ],
            most=1,
        ),
        curves(
            "Trips ended 完成趟次",
            "For each interval, by what told of the dump. 各时段完成的趟次，按卸货判定依据。",
            "short",
            [
                Query(
                    "sum by (dump_basis) (increase(mucktrack_trips_total[$__rate_interval]))",
                    "{{dump_basis}}",
                )
            ],
            width=HALF,
            bars=True,
            stacked=True,
        ),
        curves(
            "Trips under way 在途趟次",
            "Of the trucks seen within 24 hours. 24 小时内在线车辆的在途趟次。",
            "short",
            [Query("sum(mucktrack_trips_open)", "trips 趟次")],
            width=HALF,
        ),
    ]


def _supply() -> Section:
    return "Where positions come from 数据来源", [
        curves(
            "Positions by source 定位按来源",
            "JT/T 808 terminals, JT/T 809 platforms, files, simulated. 终端、平台、文件、模拟。",
            "cps",
            [
                Query(
                    "sum by (source) (rate(mucktrack_positions_total[$__rate_interval])) > 0",
                    "{{source}}",
                )
            ],
            width=THIRD,
            stacked=True,
        ),
        curves(
            "Terminals let in 已鉴权终端",
            "Terminals of JT/T 808 that are let in. 已通过鉴权的 808 终端。",
            "short",
            [Query("sum(mucktrack_gateway_sessions)", "terminals 终端")],
            width=THIRD,
        ),
        curves(
            "Trucks remembered 已记车辆",
            "By worker; positions of trucks beyond the limit are rejected. "
            "各工作进程记住的车辆；超过上限的车辆会被拒收。",
            "short",
            [Query("sum by (instance) (mucktrack_trucks)", "{{instance}}")],
            width=THIRD,
        ),
    ]
