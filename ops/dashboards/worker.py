"""The dashboard of one worker in depth: for who wants to know why this one is slow."""

from grafana_foundation_sdk.models import dashboard as parts

from ops.dashboards.board import Section, board, single
from ops.dashboards.panels import THIRD, curves, number, spread, states
from ops.dashboards.queries import Query, buckets, now, quantile

ONE = '{instance="$instance"}'
PROCESS = '{job="worker", instance="$instance"}'
WAITING = {"0": ("no 否", "green"), "1": ("waits 等待", "orange")}


def dashboard() -> parts.Dashboard:
    return board(
        "worker",
        "mucktrack · Worker 工作进程",
        "One worker in depth. 单个工作进程详情。",
        [_present(), _work(), _partitions(), _state(), _process()],
        variables=[
            single(
                "instance", "Worker 工作进程", "label_values(mucktrack_partitions_loaded, instance)"
            )
        ],
        span="now-1h",
    )


def _present() -> Section:
    return "Now 当前", [
        number(
            "Positions 定位/s",
            "Positions that this worker takes. 该进程的定位接收速率。",
            "cps",
            Query(f"sum(rate(mucktrack_positions_total{ONE}[$__rate_interval]))"),
        ),
        number(
            "Lag 积压",
            "Age of the oldest record that waits to be taken. 最早一条待处理记录的时长。",
            "s",
            Query(f"max(mucktrack_lag_seconds{ONE})"),
            [(None, "green"), (5, "orange"), (60, "red")],
        ),
        number(
            "Partitions 分区",
            "Partitions that it reads. 正在读取的分区数。",
            "short",
            Query(f"mucktrack_partitions_loaded{ONE}"),
            graph=False,
        ),
        number(
            "Up for 已运行",
            "Since the process has started. 进程启动至今。",
            "dtdurations",
            now(f"time() - process_start_time_seconds{PROCESS}"),
            graph=False,
        ),
        number(
            "City 城市版本",
            "Version of the city that is in force. 生效的城市数据版本。",
            "none",
            now(f"mucktrack_city_info{ONE}", "{{version}}"),
            graph=False,
            text=True,
        ),
        number(
            "Program 程序版本",
            "Version of the program and of Python. 程序与 Python 版本。",
            "none",
            now(f"mucktrack_build_info{PROCESS}", "{{version}}"),
            graph=False,
            text=True,
        ),
    ]


def _work() -> Section:
    return "Work 处理", [
        spread(
            "Record age 记录时延",
            "From the timestamp of a micro-batch's newest record to its outputs acknowledged. "
            "从微批最新记录写入到输出被确认。",
            "s",
            buckets("mucktrack_record_age_seconds", ONE),
        ),
        spread(
            "Micro-batches 微批",
            "From taking a micro-batch to its outputs acknowledged. 从取出微批到输出被确认。",
            "s",
            buckets("mucktrack_batch_seconds", ONE),
        ),
        curves(
            "Positions by outcome 定位按结果",
            "What became of the positions it took. 已接收定位的结果。",
            "cps",
            [
                Query(
                    f"sum by (outcome) (rate(mucktrack_positions_total{ONE}[$__rate_interval]))",
                    "{{outcome}}",
                )
            ],
            width=THIRD,
            stacked=True,
        ),
        curves(
            "Detection 判定用时",
            "Of a micro-batch: decoding and detection, and all of it. 每个微批的解码判定与总用时。",
            "s",
            [
                Query(quantile(0.5, "mucktrack_detect_seconds", matching=ONE), "detect p50"),
                Query(quantile(0.99, "mucktrack_detect_seconds", matching=ONE), "detect p99"),
                Query(quantile(0.99, "mucktrack_batch_seconds", matching=ONE), "batch p99"),
            ],
            width=THIRD,
        ),
        curves(
            "Outputs 输出",
            "Outputs that Kafka has not acknowledged yet, and attempts made again. "
            "Kafka 尚未确认的输出，以及重试次数。",
            "short",
            [
                Query(f"mucktrack_outputs_waiting{ONE}", "waiting 待确认"),
                Query(
                    f"increase(mucktrack_output_retries_total{ONE}[$__rate_interval])",
                    "retries 重试",
                ),
            ],
            width=THIRD,
        ),
    ]


def _partitions() -> Section:
    return "Partitions 分区", [
        curves(
            "Records waiting 待处理记录",
            "On the broker and not taken. 已在服务器上、尚未处理。",
            "short",
            [Query(f"mucktrack_lag_records{ONE}", "{{partition}}")],
            width=THIRD,
        ),
        curves(
            "Records taken 处理速率",
            "By partition. 按分区。",
            "cps",
            [
                Query(
                    f"sum by (partition) (deriv(mucktrack_next_offset{ONE}[$__rate_interval]))",
                    "{{partition}}",
                )
            ],
            width=THIRD,
        ),
        curves(
            "Trucks 车辆",
            "Trucks remembered. 已记住的车辆。",
            "short",
            [Query(f"mucktrack_trucks{ONE}", "{{partition}}")],
            width=THIRD,
        ),
        curves(
            "Rebalances 重新分配",
            "How long the group stood still, and until a partition was read again. "
            "消费组停顿时长，以及分区恢复读取的时长。",
            "s",
            [
                Query(quantile(0.99, "mucktrack_rebalance_seconds", matching=ONE), "group 组"),
                Query(
                    quantile(0.99, "mucktrack_partition_load_seconds", matching=ONE), "load 加载"
                ),
            ],
            width=THIRD,
        ),
        states(
            "Waits 等待",
            "What the worker waits for. 该进程在等待什么。",
            [Query(f"max by (for) (mucktrack_waiting{PROCESS})", "{{for}}")],
            WAITING,
            width=THIRD,
        ),
        curves(
            "Watermark behind 水位落后",
            "Clock minus the highest time of a fix; large where terminals are simulated or late. "
            "时钟与最高定位时间之差；模拟或迟到时较大。",
            "s",
            [Query(f"time() - mucktrack_highest_time_seconds{ONE}", "{{partition}}")],
            width=THIRD,
        ),
    ]


def _state() -> Section:
    return "Checkpoints 检查点", [
        curves(
            "Age 时长",
            "Of the state in the last checkpoint, while there is a newer one. 最近检查点的时长。",
            "s",
            [Query(f"mucktrack_checkpoint_age_seconds{ONE}", "{{partition}}")],
            width=THIRD,
            limit=120,
        ),
        curves(
            "Size 大小",
            "All that is kept of a partition, compressed. 分区状态大小，压缩后。",
            "bytes",
            [Query(f"mucktrack_checkpoint_size_bytes{ONE}", "{{partition}}")],
            width=THIRD,
        ),
        curves(
            "Saving 保存用时",
            "Until a checkpoint is in Redis, and how long detection stands still for it. "
            "检查点写入 Redis 的用时，以及判定因此停顿的时长。",
            "s",
            [
                Query(quantile(0.99, "mucktrack_checkpoint_seconds", matching=ONE), "save p99"),
                Query(
                    quantile(0.99, "mucktrack_checkpoint_copy_seconds", matching=ONE), "copy p99"
                ),
            ],
            width=THIRD,
        ),
        curves(
            "Written 写入",
            "For checkpoints, compressed. 检查点写入速率，压缩后。",
            "Bps",
            [Query(f"rate(mucktrack_checkpoint_bytes_total{ONE}[$__rate_interval])", "Redis")],
            width=THIRD,
        ),
        curves(
            "Failures 失败",
            "Saves, commits and live positions that were not taken. "
            "未成功的检查点、提交与实时位置写入。",
            "short",
            [
                Query(
                    f"increase(mucktrack_checkpoint_failures_total{ONE}[$__rate_interval])",
                    "checkpoints 检查点",
                ),
                Query(
                    f"increase(mucktrack_commit_failures_total{ONE}[$__rate_interval])",
                    "commits 提交",
                ),
                Query(
                    f"increase(mucktrack_live_failures_total{ONE}[$__rate_interval])", "live 实时"
                ),
                Query(f"increase(mucktrack_fenced_total{ONE}[$__rate_interval])", "fenced 被隔离"),
            ],
            width=THIRD,
        ),
        curves(
            "Census 清点",
            "Counting the trucks, beside detection. 与判定并行的车辆清点用时。",
            "s",
            [Query(quantile(0.99, "mucktrack_census_seconds", matching=ONE), "p99")],
            width=THIRD,
        ),
    ]


def _process() -> Section:
    return "Process 进程", [
        curves(
            "Processor 处理器",
            "Cores that are busy with it; one worker uses one and a little. 占用的处理器核数。",
            "short",
            [Query(f"rate(process_cpu_seconds_total{PROCESS}[$__rate_interval])", "cores 核")],
            width=THIRD,
        ),
        curves(
            "Memory 内存",
            "Resident memory. 常驻内存。",
            "bytes",
            [Query(f"process_resident_memory_bytes{PROCESS}", "resident 常驻")],
            width=THIRD,
        ),
        curves(
            "Open files 打开文件",
            "And as many as it may. 及其上限。",
            "short",
            [
                Query(f"process_open_fds{PROCESS}", "open 打开"),
                Query(f"process_max_fds{PROCESS}", "limit 上限"),
            ],
            width=THIRD,
        ),
    ]
