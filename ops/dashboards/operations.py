"""The dashboard that is looked at when something is wrong: does everything run, is it in time?"""

from grafana_foundation_sdk.models import dashboard as parts

from ops.dashboards.board import Section, board
from ops.dashboards.panels import (
    GOOD,
    THIRD,
    ZERO_IS_GOOD,
    curves,
    number,
    rows,
    states,
)
from ops.dashboards.queries import Query, listed, now, quantile

SERVICES = 'job=~"worker|archiver|gateway|gateway809|console"'
UP = {"1": ("up 正常", "green"), "0": ("down 故障", "red")}
WAITING = {"0": ("no 否", "green"), "1": ("waits 等待", "orange")}
ANSWERS = {"1": ("answers 应答", "green"), "0": ("away 无应答", "red")}


def dashboard() -> parts.Dashboard:
    return board(
        "operations",
        "mucktrack · Operations 运行",
        "Whether everything runs and is in time. 系统是否正常、及时。",
        [_present(), _flow(), _services(), _gateways(), _state(), _queue()],
    )


def _present() -> Section:
    return "Now 当前", [
        number(
            "Positions 定位/s",
            "Positions that workers take, of all sources. 各来源定位数据的接收速率。",
            "cps",
            Query("mucktrack:positions:rate5m"),
            GOOD,
        ),
        number(
            "Latency 时延 p99",
            "From a record's timestamp to its verdict acknowledged, for 99 in 100 records; the "
            "promise is half a second. 99% 的记录从写入到判定确认的时间，承诺为半秒。",
            "s",
            Query("mucktrack:record_age_seconds:p99_5m"),
            [(None, "green"), (0.5, "orange"), (1, "red")],
        ),
        number(
            "Lag 积压",
            "Age of the oldest record that waits to be taken. 最早一条待处理记录的时长。",
            "s",
            Query("max(mucktrack_lag_seconds)"),
            [(None, "green"), (5, "orange"), (60, "red")],
        ),
        number(
            "Rejected 拒收",
            "Share of the positions that fail the quality gate, of the last half hour. "
            "近半小时未通过质量检查的定位比例。",
            "percentunit",
            Query("mucktrack:positions_rejected:ratio_rate30m"),
            [(None, "green"), (0.05, "orange"), (0.2, "red")],
        ),
        number(
            "Workers 工作进程",
            "Workers that answer. 有应答的工作进程数。",
            "short",
            now('sum(up{job="worker"})'),
            [(None, "red"), (1, "green")],
            graph=False,
        ),
        number(
            "Alerts 告警",
            "Alerts that fire; the table below says which. 正在触发的告警数，详见下表。",
            "short",
            now('count(ALERTS{alertstate="firing"}) or vector(0)'),
            ZERO_IS_GOOD,
            graph=False,
        ),
    ]


def _flow() -> Section:
    return "Flow 流量", [
        curves(
            "Positions by outcome 定位按结果",
            "What became of the positions: fix, or the reason they were rejected for. "
            "定位数据的结果：有效，或拒收原因。",
            "cps",
            [
                Query(
                    "sum by (outcome) (rate(mucktrack_positions_total[$__rate_interval]))",
                    "{{outcome}}",
                )
            ],
            stacked=True,
        ),
        curves(
            "Latency 时延",
            "From a record's timestamp to its verdict acknowledged. 记录写入到判定确认。",
            "s",
            [
                Query("mucktrack:record_age_seconds:p50_5m", "p50"),
                Query("mucktrack:record_age_seconds:p99_5m", "p99"),
            ],
            limit=1,
        ),
        curves(
            "Stages 各阶段 p99",
            "Received: from a fix to the gateway, stored by the terminal meanwhile or not. "
            "Judged: from there to the verdict. Queued: until it is acknowledged. "
            "各阶段用时：接收、判定、入队。",
            "s",
            [Query(quantile(0.99, "mucktrack_stage_seconds", "stage"), "{{stage}}")],
            width=THIRD,
            logarithmic=True,
        ),
        curves(
            "Lag 积压",
            "Records that are on the broker and have not been taken, by worker. "
            "各工作进程尚未处理的记录数。",
            "short",
            [Query("sum by (instance) (mucktrack_lag_records)", "{{instance}}")],
            width=THIRD,
        ),
        curves(
            "Rejects by reason 拒收原因",
            "Share of all positions. 占全部定位的比例。",
            "percentunit",
            [Query('outcome:mucktrack_positions:ratio_rate30m{outcome!="fix"}', "{{outcome}}")],
            width=THIRD,
        ),
    ]


def _services() -> Section:
    return "Services 服务", [
        states(
            "Up 运行状态",
            "Whether Prometheus gets an answer from each process. 各进程是否应答。",
            [Query(f"max by (job, instance) (up{{{SERVICES}}})", "{{job}} {{instance}}")],
            UP,
            width=THIRD,
        ),
        states(
            "Waits 等待",
            "What processes wait for: Kafka, Redis, the group, their partitions, the city. "
            "进程在等待什么。",
            [Query("max by (job, for) (mucktrack_waiting)", "{{job}}: {{for}}")],
            WAITING,
            width=THIRD,
        ),
        states(
            "Servers 依赖服务",
            "Whether Kafka, Redis and the database answer the processes. 各依赖服务是否应答。",
            [Query("min by (job, server) (mucktrack_server_up)", "{{job}}: {{server}}")],
            ANSWERS,
            width=THIRD,
        ),
        rows(
            "Alerts that fire 正在触发的告警",
            "Their sections in docs/runbook.md say what to do. 处理办法见 docs/runbook.md。",
            "none",
            listed('max by (alertname, severity, job, instance) (ALERTS{alertstate="firing"})'),
            [
                (
                    "organize",
                    {
                        "excludeByName": {"Time": True, "Value": True},
                        "renameByName": {
                            "alertname": "Alert 告警",
                            "severity": "Severity 级别",
                            "job": "Job 服务",
                            "instance": "Instance 实例",
                        },
                    },
                )
            ],
        ),
        curves(
            "Memory 内存",
            "Resident memory of each process. 各进程常驻内存。",
            "bytes",
            [Query(f"process_resident_memory_bytes{{{SERVICES}}}", "{{job}} {{instance}}")],
        ),
    ]


def _gateways() -> Section:
    return "Gateways 网关", [
        curves(
            "Connections 连接",
            "Open connections of terminals and platforms. 终端与平台的连接数。",
            "short",
            [Query("sum by (job) (mucktrack_gateway_connections)", "{{job}}")],
            width=THIRD,
        ),
        curves(
            "Messages 报文",
            "Messages read, by kind. 已读报文，按类型。",
            "cps",
            [
                Query(
                    "sum by (kind) (rate(mucktrack_gateway_messages_total[$__rate_interval])) > 0",
                    "{{kind}}",
                )
            ],
            width=THIRD,
            stacked=True,
        ),
        curves(
            "Refused 拒收报文",
            "Frames that could not be read, and messages not taken, by why. "
            "无法解析或未受理的报文，按原因。",
            "cps",
            [
                Query(
                    "sum by (reason) (rate(mucktrack_gateway_refused_total[$__rate_interval]))",
                    "{{reason}}",
                )
            ],
            width=THIRD,
        ),
        curves(
            "Answered 应答 p99",
            "From reading positions to their answer, and of that, until Kafka has them. "
            "从读取定位到应答终端，及其中 Kafka 的用时。",
            "s",
            [
                Query(quantile(0.99, "mucktrack_gateway_answered_seconds"), "answered 应答"),
                Query(quantile(0.99, "mucktrack_gateway_delivery_seconds"), "Kafka"),
            ],
            width=THIRD,
        ),
        curves(
            "On the way to Kafka 待写入",
            "Put on the way to Kafka and not acknowledged yet. 已发送、Kafka 尚未确认。",
            "bytes",
            [Query("sum by (job) (mucktrack_gateway_outbox_bytes)", "{{job}}")],
            width=THIRD,
        ),
        curves(
            "Connections ended 连接结束",
            "By why. 按原因。",
            "cps",
            [
                Query(
                    "sum by (reason) "
                    "(rate(mucktrack_gateway_connections_closed_total[$__rate_interval]))",
                    "{{reason}}",
                )
            ],
            width=THIRD,
        ),
    ]


def _state() -> Section:
    return "State 状态", [
        curves(
            "Checkpoint age 检查点时长",
            "How old the state is that a worker would go on with after a crash, at most. "
            "工作进程崩溃后恢复所用状态的时长（最旧分区）。",
            "s",
            [Query("max by (instance) (mucktrack_checkpoint_age_seconds)", "{{instance}}")],
            width=THIRD,
            limit=120,
        ),
        curves(
            "Checkpoint size 检查点大小",
            "All that is kept in Redis of the partitions, compressed. Redis 中的检查点，压缩后。",
            "bytes",
            [Query("sum(mucktrack_checkpoint_size_bytes)", "Redis")],
            width=THIRD,
        ),
        curves(
            "Rebalances 重新分配",
            "How often the group gave workers their partitions, within ten minutes. "
            "十分钟内消费组重新分配分区的次数。",
            "short",
            [
                Query(
                    "sum by (instance) (increase(mucktrack_rebalances_total[10m]))", "{{instance}}"
                )
            ],
            width=THIRD,
        ),
    ]


def _queue() -> Section:
    return "Archive and cases 归档与案件", [
        curves(
            "Archive behind 归档积压",
            "Records that the archiver has not read. 归档进程尚未读取的记录。",
            "short",
            [Query("sum(mucktrack_archive_lag_records)", "records 记录")],
            width=THIRD,
        ),
        curves(
            "Archived 归档写入",
            "Bytes of finished files. 已完成文件的字节数。",
            "Bps",
            [Query("sum(rate(mucktrack_archive_bytes_total[$__rate_interval]))", "files 文件")],
            width=THIRD,
        ),
        curves(
            "Archive disk 归档磁盘",
            "Room left where the archive lies. 归档所在磁盘的剩余空间。",
            "bytes",
            [
                Query("min(mucktrack_archive_disk_free_bytes)", "free 剩余"),
                Query("min(mucktrack_archive_disk_bytes)", "size 容量"),
            ],
            width=THIRD,
        ),
        curves(
            "Violations latency 违规时延 p99",
            "From the moment at which a violation could be known to its place on the queue, and "
            "from there to the case. 从违规可认定到入队，再到立案。",
            "s",
            [
                Query(quantile(0.99, "mucktrack_violation_latency_seconds"), "queue 入队"),
                Query(quantile(0.99, "mucktrack_enforcement_arrival_seconds"), "case 立案"),
            ],
            width=THIRD,
            logarithmic=True,
        ),
        curves(
            "Webhooks 消息通知",
            "Tries that receivers have not taken, by receiver. 接收方未接收的尝试。",
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
            "Queue behind 违规待立案",
            "Violations on the queue that are no case yet. 队列中尚未立案的违规。",
            "short",
            [
                Query(
                    "sum(max by (partition) (mucktrack_enforcement_lag_records))", "violations 违规"
                )
            ],
            width=THIRD,
        ),
    ]
