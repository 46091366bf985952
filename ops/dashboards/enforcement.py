"""The dashboard of violations and cases: what happens where, by which rule, and what then."""

from grafana_foundation_sdk.models import dashboard as parts

from ops.dashboards.board import Section, board, choice
from ops.dashboards.panels import THIRD, ZERO_IS_GOOD, bars, curves, number, rows
from ops.dashboards.queries import Query, listed, now, quantile

BEGUN = (
    'mucktrack_violations_total{phase=~"opened|occurred", rule=~"$rule", '
    'district=~"$district", severity=~"$severity"}'
)
"""Each violation once: when it opens, or occurs."""
WARM = [(None, "green"), (1, "yellow"), (10, "orange"), (50, "red")]


def dashboard() -> parts.Dashboard:
    return board(
        "enforcement",
        "mucktrack · Enforcement 执法",
        "Violations by district and rule, and what becomes of them. 各区、各规则的违规及其处置。",
        [_present(), _violations(), _past(), _cases(), _receivers()],
        variables=[
            choice("rule", "Rule 规则", "label_values(mucktrack_violations_total, rule)"),
            choice(
                "district", "District 区县", "label_values(mucktrack_violations_total, district)"
            ),
            choice(
                "severity", "Severity 级别", "label_values(mucktrack_violations_total, severity)"
            ),
        ],
        span="now-24h",
        refresh="1m",
    )


def _present() -> Section:
    return "Now 当前", [
        number(
            "Violations 违规",
            "Violations that opened or occurred in the time shown. 所示时段内发生的违规数。",
            "short",
            now(f"sum(increase({BEGUN}[$__range]))"),
            decimals=0,
            graph=False,
        ),
        number(
            "Critical 严重",
            "Of those, critical ones. 其中严重违规。",
            "short",
            now(
                'sum(increase(mucktrack_violations_total{phase=~"opened|occurred", rule=~"$rule", '
                'district=~"$district", severity="critical"}[$__range])) or vector(0)'
            ),
            ZERO_IS_GOOD,
            decimals=0,
            graph=False,
        ),
        number(
            "New cases 待受理",
            "Cases that nobody has accepted yet. 尚未受理的案件。",
            "short",
            Query('sum(max by (severity) (mucktrack_cases{state="new"}))'),
            decimals=0,
        ),
        number(
            "Open cases 在办",
            "Cases that have not ended. 未结案件。",
            "short",
            Query(
                "sum(max by (state, severity) "
                '(mucktrack_cases{state!~"closed|void|waived|transferred"}))'
            ),
            decimals=0,
        ),
        number(
            "Overdue 超期",
            "Cases whose time limit has passed. 已超过办理时限的案件。",
            "short",
            Query("sum(max by (severity) (mucktrack_cases_overdue))"),
            ZERO_IS_GOOD,
            decimals=0,
        ),
        number(
            "Supervised 督办",
            "Cases under supervision. 督办中的案件。",
            "short",
            Query("sum(max by (severity) (mucktrack_cases_supervised))"),
            [(None, "green"), (1, "orange")],
            decimals=0,
        ),
    ]


def _violations() -> Section:
    return "Violations 违规", [
        curves(
            "By rule 按规则",
            "Violations that opened or occurred, for each interval. 各时段发生的违规，按规则。",
            "short",
            [Query(f"sum by (rule) (increase({BEGUN}[$__rate_interval])) > 0", "{{rule}}")],
            bars=True,
            stacked=True,
        ),
        curves(
            "By district 按区县",
            "The same by the code of the district; none = outside all of them. "
            "按区县代码；none 表示不在任何区县内。",
            "short",
            [Query(f"sum by (district) (increase({BEGUN}[$__rate_interval])) > 0", "{{district}}")],
            bars=True,
            stacked=True,
        ),
        bars(
            "Rules 规则排名",
            "In the time shown. 所示时段合计。",
            "short",
            now(f"sort_desc(sum by (rule) (increase({BEGUN}[$__range])))", "{{rule}}"),
            WARM,
        ),
        bars(
            "Districts 区县排名",
            "In the time shown. 所示时段合计。",
            "short",
            now(f"sort_desc(sum by (district) (increase({BEGUN}[$__range])))", "{{district}}"),
            WARM,
        ),
        bars(
            "Severities 级别",
            "In the time shown. 所示时段合计。",
            "short",
            now(f"sort_desc(sum by (severity) (increase({BEGUN}[$__range])))", "{{severity}}"),
            WARM,
        ),
        rows(
            "Rule by district 规则 × 区县",
            "Violations in the time shown. 所示时段内各区县各规则的违规数。",
            "short",
            listed(f"round(sum by (rule, district) (increase({BEGUN}[$__range])))"),
            [
                (
                    "groupingToMatrix",
                    {
                        "rowField": "rule",
                        "columnField": "district",
                        "valueField": "Value",
                        "emptyValue": "zero",
                    },
                )
            ],
            width=24,
            height=12,
            coloured=True,
            steps=[(None, "transparent"), (1, "yellow"), (10, "orange"), (50, "red")],
        ),
    ]


def _past() -> Section:
    return "Against the past 与历史相比", [
        curves(
            "In an hour 每小时",
            "Violations in the hour before, by rule. 前一小时的违规，按规则。",
            "short",
            [Query('rule:mucktrack_violations_begun:increase1h{rule=~"$rule"}', "{{rule}}")],
        ),
        curves(
            "Expected in an hour 每小时预期",
            "As many for each position as at this time yesterday, the day before and a week ago; "
            "empty in the first week. 按昨日、前日、上周同一时段折算的预期；首周为空。",
            "short",
            [Query('rule:mucktrack_violations_expected:1h{rule=~"$rule"}', "{{rule}}")],
        ),
        curves(
            "To the queue 入队时延 p99",
            "From the moment at which a violation could be known to its place on the queue. "
            "从违规可被认定到进入队列。",
            "s",
            [
                Query(
                    quantile(0.99, "mucktrack_violation_latency_seconds", "severity"),
                    "{{severity}}",
                )
            ],
            logarithmic=True,
        ),
        curves(
            "To the case 立案时延 p99",
            "From the queue to the case. 从队列到立案。",
            "s",
            [Query(quantile(0.99, "mucktrack_enforcement_arrival_seconds"), "p99")],
            logarithmic=True,
        ),
    ]


def _cases() -> Section:
    return "Cases 案件", [
        bars(
            "By state 按状态",
            "All cases there are. 全部案件。",
            "short",
            now("sum by (state) (max by (state, severity) (mucktrack_cases))", "{{state}}"),
        ),
        curves(
            "Opened 立案",
            "Cases opened, for each interval. 各时段立案数。",
            "short",
            [
                Query(
                    "sum(increase(mucktrack_enforcement_cases_opened_total[$__rate_interval]))",
                    "cases 案件",
                )
            ],
            width=THIRD,
            bars=True,
        ),
        curves(
            "Overdue 超期",
            "By severity. 按级别。",
            "short",
            [Query("max by (severity) (mucktrack_cases_overdue)", "{{severity}}")],
            width=THIRD,
            limit=1,
        ),
    ]


def _receivers() -> Section:
    return "Receivers of webhooks 消息接收方", [
        curves(
            "Taken 已接收",
            "Messages that a receiver has taken. 接收方已接收的消息。",
            "cps",
            [
                Query(
                    "sum by (receiver) (rate(mucktrack_webhook_sent_total[$__rate_interval]))",
                    "{{receiver}}",
                )
            ],
            width=THIRD,
        ),
        curves(
            "Not taken 未接收",
            "Tries that a receiver has not taken; they are made again. 未被接收的尝试，将重试。",
            "cps",
            [
                Query(
                    "sum by (receiver) (rate(mucktrack_webhook_not_taken_total[$__rate_interval]))",
                    "{{receiver}}",
                )
            ],
            width=THIRD,
        ),
        curves(
            "Wait, put aside 等待与搁置",
            "Entries that a receiver has still to be told of, and messages put aside in the end. "
            "尚待通知的条目，以及最后一次尝试后搁置的消息。",
            "short",
            [
                Query("max by (receiver) (mucktrack_webhook_waiting_entries)", "{{receiver}} wait"),
                Query("max by (receiver) (mucktrack_webhook_dead_letters)", "{{receiver}} aside"),
            ],
            width=THIRD,
        ),
    ]
