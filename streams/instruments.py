"""Every metric of every process, declared: the one table that classes, docs and tests go by.

The classes that fill them (`streams.metrics`, `streams.archive.metrics`,
`producers.gateway.metrics`, `producers.gateway.platform_metrics`, `enforcement.metrics`) make them
of it through `streams.registry`; `docs/metrics.md` is written of it (`streams.metrics_page`). Names
and units are Prometheus' book: base units, `_total` for what only grows, `_info` for texts. No
label is unbounded: never a truck, a terminal, a site or an address. Importing this registers
nothing, and it must not know how a figure comes about.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

from streams.catalogue import CATALOGUE, PHASES
from streams.sources import NO_SOURCE, OTHER_SOURCE, SOURCES

Kind = Literal["counter", "gauge", "histogram"]
Process = Literal["worker", "gateway", "gateway809", "archiver", "console"]

PREFIX: Final = "mucktrack_"
OTHER: Final = SOURCES[OTHER_SOURCE]
"""What stands for every value that a label does not have: so hostile input makes no new series."""
NONE: Final = SOURCES[NO_SOURCE]
"""There is no value."""
FIX: Final = "fix"
"""Outcome of a position that passed the quality gate; the others are reasons to reject it."""
MOST_DISTRICTS: Final = 64
"""That have a label of their own in one process. A prefecture has about ten; who watches a whole
province has 100 and more, and sees the rest as one."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label, and what it may say."""

    name: str
    values: tuple[str, ...] = ()
    """All there are; empty = `bound` says which."""
    bound: str = ""
    """What keeps their number down, where they are not a list."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """One metric as it stands on the page."""

    name: str
    kind: Kind
    help: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()
    """Upper bounds, of histograms."""
    processes: tuple[Process, ...] = ()


def _counter(name: str, text: str, *labels: Label) -> Instrument:
    return Instrument(PREFIX + name, "counter", text, labels)


def _gauge(name: str, text: str, *labels: Label) -> Instrument:
    return Instrument(PREFIX + name, "gauge", text, labels)


def _histogram(name: str, text: str, buckets: tuple[float, ...], *labels: Label) -> Instrument:
    return Instrument(PREFIX + name, "histogram", text, labels, buckets)


def _of(*processes: Process) -> "_Section":
    return _Section(processes)


@dataclass(frozen=True, slots=True)
class _Section:
    processes: tuple[Process, ...]

    def have(self, *instruments: Instrument) -> tuple[Instrument, ...]:
        return tuple(replace(one, processes=self.processes) for one in instruments)


WORK_S: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""For what is over in moments."""
ANSWER_S: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
AGE_S: Final = (
    *(0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 15.0, 60.0, 600.0, 86_400.0),
)
LATENCY_S: Final = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0),
    *(1_800.0, 7_200.0, 86_400.0),
)
"""From a stage that takes milliseconds to a terminal that sends in the morning what it stored at
night."""
STANDSTILL_S: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)

PARTITION: Final = Label("partition", bound="the partitions of the topic")
OUTCOME: Final = Label(
    "outcome",
    (
        *(FIX, "malformed", "wrong_partition", "bad_coordinates", "not_located"),
        *("few_satellites", "future_time", "duplicate", "late", "impossible_jump"),
        "too_many_trucks",
    ),
)
SOURCE: Final = Label("source", SOURCES)
RULE: Final = Label("rule", tuple(rule.id for rule in CATALOGUE))
SEVERITY: Final = Label("severity", ("lead", "minor", "major", "critical"))
PHASE: Final = Label("phase", PHASES)
DISTRICT: Final = Label(
    "district",
    bound=f"codes of the city's districts, the first {MOST_DISTRICTS} that the process was told "
    f"of in their order; `{OTHER}` = any further one, `{NONE}` = outside all of them",
)
STAGE: Final = Label("stage", ("received", "judged", "queued"))
SERVER: Final = Label("server", ("kafka", "redis", "database"))
SERVERS: Final[dict[Process, tuple[str, ...]]] = {
    "worker": ("kafka", "redis"),
    "gateway": ("kafka", "redis"),
    "gateway809": ("kafka",),
    "archiver": ("kafka",),
    "console": ("kafka", "database"),
}
"""Which of them each process has a `server_up` of."""
RECEIVER: Final = Label("receiver", bound="the receivers in the file of webhooks")
VERSION: Final = Label("version", bound="one at a time")
STATE: Final = Label(
    "state",
    (
        *("new", "accepted", "dispatched", "handled", "verified"),
        *("closed", "void", "waived", "transferred"),
    ),
)
REJECTED: Final = Label("reason", ("malformed", "encrypted_coordinates"))

EVERYWHERE: Final = _of("worker", "gateway", "gateway809", "archiver", "console").have(
    _gauge(
        "build_info",
        "1; the version of the program and of Python.",
        VERSION,
        Label("python", bound="one at a time"),
    ),
    _gauge(
        "waiting",
        "1 while the process waits for this; /readyz says for what exactly, and since when.",
        Label("for", ("starting", "kafka", "redis", "group", "loading", "city", "database")),
    ),
    _gauge(
        "server_up",
        "0 while a server that the process works with does not answer it, as far as it knows.",
        SERVER,
    ),
)

PROCESS: Final = tuple(
    replace(one, name=one.name.removeprefix(PREFIX), processes=EVERYWHERE[0].processes)
    for one in (
        _counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds."),
        _gauge("process_resident_memory_bytes", "Resident memory size in bytes."),
        _gauge("process_virtual_memory_bytes", "Virtual memory size in bytes."),
        _gauge(
            "process_start_time_seconds", "Start time of the process since unix epoch in seconds."
        ),
        _gauge("process_open_fds", "Number of open file descriptors."),
        _gauge("process_max_fds", "Maximum number of open file descriptors."),
    )
)
"""Those of the client library, in its words; only where there is a /proc."""

WORKER: Final = _of("worker").have(
    _counter(
        "positions_total",
        "Positions taken, by where they come from and what became of them: fix, or the reason "
        "they were rejected for.",
        SOURCE,
        OUTCOME,
    ),
    _counter("ticks_total", "Ticks taken."),
    _counter(
        "violations_total",
        "Violations acknowledged by the broker.",
        RULE,
        SEVERITY,
        PHASE,
        DISTRICT,
    ),
    _counter(
        "trips_total",
        "Ended trips acknowledged by the broker, by what told of the dump.",
        Label("dump_basis", ("unknown", "sensor", "inferred", "lift")),
    ),
    _histogram(
        "stage_seconds",
        "How long each fix took to get through a stage. received: from its time to the gateway, or "
        "to its record where none has received it; judged: from there to the verdict; queued: "
        "from there until the outputs of its micro-batch are acknowledged.",
        LATENCY_S,
        STAGE,
    ),
    _histogram(
        "violation_latency_seconds",
        "From the moment at which a violation was to be known (detected_ms) to its "
        "acknowledgement on the queue.",
        LATENCY_S,
        SEVERITY,
    ),
    _histogram(
        "record_age_seconds",
        "From the timestamp of a micro-batch's newest record to its outputs acknowledged.",
        AGE_S,
    ),
    _histogram("batch_seconds", "From taking a micro-batch to its outputs acknowledged.", WORK_S),
    _histogram(
        "detect_seconds", "Decoding and detection of a micro-batch, without its outputs.", WORK_S
    ),
    _counter(
        "fixes_ahead_total",
        "Fixes timed 2 s or more after they were received: a terminal's or a gateway's clock is "
        "wrong.",
    ),
    _gauge(
        "record_ahead_seconds",
        "The most by which a record's timestamp was ahead of this machine's clock within the last "
        "minute; 0 = none was.",
    ),
    _gauge("lag_records", "Records that are on the broker and have not been taken.", PARTITION),
    _gauge(
        "lag_seconds",
        "Age of the record taken last, while there are more; 0 = all have been taken.",
        PARTITION,
    ),
    _gauge(
        "next_offset",
        "Offset of the record to be taken next; all outputs of those before are acknowledged.",
        PARTITION,
    ),
    _gauge(
        "highest_time_seconds",
        "Highest time of a fix or tick, Unix time; the watermark follows it.",
        PARTITION,
    ),
    _gauge("partitions_assigned", "Partitions given to this worker."),
    _gauge("partitions_loaded", "Partitions this worker reads."),
    _counter("rebalances_total", "Times that the group has given this worker its partitions."),
    _histogram(
        "rebalance_seconds",
        "From giving up the partitions, or the start, to being given those of the next round.",
        STANDSTILL_S,
    ),
    _histogram(
        "partition_load_seconds",
        "From being given a partition to reading it: its checkpoint is loaded meanwhile.",
        STANDSTILL_S,
    ),
    _counter(
        "fenced_total", "Partitions that another worker had loaded when they were to be saved."
    ),
    _gauge(
        "checkpoint_age_seconds",
        "How old the state in the last checkpoint is, while there is a newer one; 0 = all saved.",
        PARTITION,
    ),
    _gauge(
        "checkpoint_time_seconds",
        "When the state of the last checkpoint was copied, Unix time.",
        PARTITION,
    ),
    _gauge("checkpoint_offset", "Offset at which a worker would go on after a crash.", PARTITION),
    _gauge("checkpoint_size_bytes", "All that is kept of a partition, compressed.", PARTITION),
    _counter("checkpoint_bytes_total", "Bytes written for checkpoints, compressed."),
    _histogram(
        "checkpoint_seconds",
        "From copying the state of a partition to its checkpoint in the store.",
        WORK_S,
    ),
    _histogram(
        "checkpoint_copy_seconds", "How long detection stood still for a checkpoint.", WORK_S
    ),
    _counter(
        "checkpoint_failures_total",
        "Attempts to save a checkpoint that the store did not answer.",
    ),
    _counter(
        "output_retries_total", "Attempts to send outputs that the broker did not acknowledge."
    ),
    _gauge("outputs_waiting", "Outputs not yet acknowledged; stays above 0 while Kafka is away."),
    _counter(
        "commit_failures_total",
        "Offset commits that failed; offsets are a hint, so nothing is lost.",
    ),
    _counter("live_failures_total", "Writes of live positions that Redis did not take."),
    _counter("live_dropped_total", "Live positions left out because too many trucks were waiting."),
    _gauge(
        "trucks",
        "Trucks remembered; at the limit, positions of others are too_many_trucks.",
        PARTITION,
    ),
    _gauge("trucks_seen", "Trucks with a fix within 24 h of the highest time of their partition."),
    _gauge("trucks_moving", "Of those seen and not silent, trucks whose last fix was over 5 km/h."),
    _gauge("trucks_loaded", "Of those seen, trucks known to be loaded."),
    _gauge(
        "trucks_silent",
        "Of those seen, trucks without a fix within 10 min of the highest time of their partition.",
    ),
    _gauge("trips_open", "Trips under way, of the trucks seen."),
    _histogram("census_seconds", "Counting the trucks, beside detection.", WORK_S),
    _gauge("city_versions", "Versions of the city that are known."),
    _gauge(
        "city_info",
        "1; the version of the city that is in force now, its first 12 digits.",
        VERSION,
    ),
    _gauge(
        "city_start_time_seconds",
        "Since when that version is in force, Unix time; of a city directory, when one of its "
        "files was changed last.",
    ),
    _gauge(
        "city_permits",
        "Permits of that version whose dates hold; there are none in a week where nobody has "
        "published those of the next year.",
        Label("day", ("today", "in_7_days")),
    ),
    _counter(
        "city_failures_total",
        "Looks for published cities that failed: Redis away, a version broken, gone, replaced.",
        Label("reason", ("away", "broken", "gone", "replaced")),
    ),
)

GATEWAYS: Final = (
    _gauge("gateway_connections", "Connections that are open."),
    _counter("gateway_rejects_total", "Locations kept among the rejects, by why.", REJECTED),
    _counter("gateway_positions_total", "Positions acknowledged by Kafka."),
    _counter("gateway_received_bytes_total", "Bytes read."),
    _gauge("gateway_paused_connections", "Connections that are not read because Kafka is slow."),
    _gauge("gateway_outbox_bytes", "On the way to Kafka: put, and not yet acknowledged."),
    _counter(
        "gateway_outbox_records_total",
        "Positions, frames and rejects put on the way to Kafka, by whether it has taken them.",
        Label("result", ("acknowledged", "refused")),
    ),
    _histogram(
        "gateway_delivery_seconds", "From sending a batch to Kafka to its answer.", ANSWER_S
    ),
)
"""Of both: the job tells them apart."""


def _traffic(
    closed: tuple[str, ...], kinds: tuple[str, ...], refused: tuple[str, ...]
) -> tuple[Instrument, ...]:
    """What both gateways have too, each with values of its own."""
    return (
        _counter(
            "gateway_connections_closed_total",
            "Connections that have ended, by why.",
            Label("reason", closed),
        ),
        _counter("gateway_messages_total", "Messages read, by kind.", Label("kind", kinds)),
        _counter(
            "gateway_refused_total",
            "Frames that could not be read, and messages that were not taken, by why.",
            Label("reason", refused),
        ),
    )


GATEWAY: Final = _of("gateway").have(
    *GATEWAYS,
    *_traffic(
        closed=(
            *("by_peer", "stopping", "too_many", "too_many_of_address", "no_frame", "not_let_in"),
            *("idle", "unsent", "faults", "refused", "taken_over", "undelivered", "unregistered"),
            *("register_changed", "bug"),
        ),
        kinds=(
            *("answer", "heartbeat", "unregister", "register", "authenticate", "parameters"),
            *("location", "location_answer", "batch", OTHER),
        ),
        refused=(
            *("no_frame", "wrong", "not_let_in", "too_many_phones", "too_many_awaited"),
            *("parts_missing", "encrypted"),
        ),
    ),
    _gauge("gateway_sessions", "Terminals that are let in."),
    _counter("gateway_sent_bytes_total", "Bytes sent."),
    _counter(
        "gateway_registrations_total",
        "Registrations answered, by the result of 0x8100; away: Redis did not answer.",
        Label(
            "result",
            (
                *("done", "truck_taken", "truck_unknown", "terminal_taken"),
                *("terminal_unknown", "away"),
            ),
        ),
    ),
    _counter(
        "gateway_authentications_total",
        "Authentications answered: done, refused; away: Redis did not answer.",
        Label("result", ("done", "refused", "away")),
    ),
    _counter(
        "gateway_conflicts_total",
        "Terminals that claimed what is another's, by kind.",
        Label("kind", ("truck_claimed", "other_device", "flapping")),
    ),
    _counter(
        "gateway_undelivered_total",
        "Messages not kept by Kafka, for which the terminal was told to send again.",
    ),
    _histogram(
        "gateway_answered_seconds",
        "From reading a message with positions to its answer, once Kafka has acknowledged.",
        ANSWER_S,
    ),
)

GATEWAY809: Final = _of("gateway809").have(
    *GATEWAYS,
    *_traffic(
        closed=(
            *("by_peer", "stopping", "too_many", "no_login", "login_refused", "logout", "idle"),
            *("unsent", "faults", "taken_over"),
        ),
        kinds=(
            *("login", "logout", "keep_alive", "closing", "registration", "position", "backfill"),
            *("vehicle", OTHER),
        ),
        refused=("no_frame", "wrong", "not_logged_in", "other_access_code"),
    ),
    _gauge("gateway_platforms", "Platforms that are logged in."),
    _counter(
        "gateway_logins_total",
        "Logins answered, by the result of 0x1002 (0: let in).",
        Label("result", ("0", "1", "2", "3", "4", "5", "6")),
    ),
    _gauge(
        "gateway_undelivered_records",
        "Records that Kafka did not take, kept to be written again; nothing is read meanwhile.",
    ),
    _counter(
        "gateway_lost_records_total",
        "Records that Kafka did not take before the gateway was stopped.",
    ),
)

ARCHIVER: Final = _of("archiver").have(
    _counter(
        "archive_elements_total",
        "Elements of records read, by kind.",
        Label("kind", ("position", "tick", "malformed")),
    ),
    _counter("archive_files_total", "Files finished."),
    _counter("archive_rows_total", "Rows in finished files."),
    _counter("archive_bytes_total", "Bytes of finished files."),
    _gauge("archive_read_offset", "Offset of the record to be read next.", PARTITION),
    _gauge(
        "archive_archived_offset",
        "Offset after the last record in a finished file: where an archiver would begin.",
        PARTITION,
    ),
    _gauge(
        "archive_lag_records", "Records that are on the broker and have not been read.", PARTITION
    ),
    _gauge("archive_waiting_bytes", "Read and not yet written, roughly."),
    _gauge("archive_disk_free_bytes", "Room left where the archive lies."),
    _gauge("archive_disk_bytes", "Size of the file system that the archive lies on."),
)

CONSOLE: Final = _of("console").have(
    _counter("enforcement_events_total", "Records of the violations' topic that were new."),
    _counter("enforcement_repeated_total", "Records that had been taken before."),
    _counter("enforcement_unreadable_total", "Records that are no violation."),
    _counter("enforcement_cases_opened_total", "Cases opened."),
    _gauge(
        "enforcement_next_offset",
        "Offset of the violation to be read next; all before are in the database.",
        PARTITION,
    ),
    _gauge(
        "enforcement_lag_records",
        "Violations that are on the broker and have not been read.",
        PARTITION,
    ),
    _histogram(
        "enforcement_arrival_seconds",
        "From the timestamp of a violation's record to its case in the database.",
        LATENCY_S,
    ),
    _gauge("cases", "Cases, by state and severity.", STATE, SEVERITY),
    _gauge(
        "cases_overdue",
        "Cases whose time limit has passed and that have not ended, by severity.",
        SEVERITY,
    ),
    _gauge(
        "cases_supervised", "Cases under supervision that have not ended, by severity.", SEVERITY
    ),
    _counter("audit_entries_total", "Entries in the audit trail, since its beginning."),
    _counter("webhook_sent_total", "Messages that a receiver has taken.", RECEIVER),
    _counter("webhook_not_taken_total", "Tries that a receiver has not taken.", RECEIVER),
    _counter("webhook_dead_total", "Messages put aside after their last try.", RECEIVER),
    _gauge("webhook_dead_letters", "Messages that lie aside.", RECEIVER),
    _gauge(
        "webhook_waiting_entries",
        "Entries of the audit trail that a receiver has not been led past yet.",
        RECEIVER,
    ),
)

INSTRUMENTS: Final = (
    *(*EVERYWHERE, *PROCESS, *WORKER, *GATEWAY, *GATEWAY809, *ARCHIVER, *CONSOLE),
)
"""A name that several processes have stands here once, or once for each where values differ."""


def of_process(process: Process) -> tuple[Instrument, ...]:
    """All that a process of this kind has, in the table's order."""
    return tuple(one for one in INSTRUMENTS if process in one.processes)
