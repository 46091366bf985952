"""What a worker tells Prometheus.

One `Metrics` a worker, with a registry of its own, so that nothing is global and importing this
module registers nothing. Filled by the worker's parts, served by `streams.app`. It must not know
where the figures come from. No label is unbounded: never a truck or a site.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.health import HUNG_S, Health
from streams.health_pages import serve_pages

FIX = "fix"
"""Outcome of a position that passed the quality gate; the others are the reasons of section 3."""
SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
AGES_S = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 15.0, 60.0, 600.0, 86_400.0)


class Metrics:
    """The figures of one worker; units are Prometheus' base units."""

    def __init__(self, hung_s: float = HUNG_S) -> None:
        """`hung_s`: see `streams.health`."""
        registry = self.registry = CollectorRegistry()
        self.health = Health(registry, hung_s)
        self.positions = Counter(
            "mucktrack_positions_total",
            "Positions taken, by outcome: fix, or the reason they were rejected for.",
            ["outcome"],
            registry=registry,
        )
        self.ticks = Counter("mucktrack_ticks_total", "Ticks taken.", registry=registry)
        self.violations = Counter(
            "mucktrack_violations_total",
            "Violations acknowledged by the broker.",
            ["rule", "phase"],
            registry=registry,
        )
        self.trips = Counter(
            "mucktrack_trips_total", "Ended trips acknowledged by the broker.", registry=registry
        )
        self.batch_seconds = Histogram(
            "mucktrack_batch_seconds",
            "From taking a micro-batch to its outputs acknowledged.",
            buckets=SECONDS,
            registry=registry,
        )
        self.detect_seconds = Histogram(
            "mucktrack_detect_seconds",
            "Decoding and detection of a micro-batch, without its outputs.",
            buckets=SECONDS,
            registry=registry,
        )
        self.record_age_seconds = Histogram(
            "mucktrack_record_age_seconds",
            "From the timestamp of a micro-batch's newest record to its outputs acknowledged.",
            buckets=AGES_S,
            registry=registry,
        )
        self.output_retries = Counter(
            "mucktrack_output_retries_total",
            "Attempts to send outputs that the broker did not acknowledge.",
            registry=registry,
        )
        self.commit_failures = Counter(
            "mucktrack_commit_failures_total",
            "Offset commits that failed; offsets are a hint, so nothing is lost.",
            registry=registry,
        )
        self.waiting_outputs = Gauge(
            "mucktrack_outputs_waiting",
            "Outputs not yet acknowledged; stays above 0 while Kafka is away.",
            registry=registry,
        )
        self.live_failures = Counter(
            "mucktrack_live_failures_total",
            "Writes of live positions that Redis did not take.",
            registry=registry,
        )
        self.live_dropped = Counter(
            "mucktrack_live_dropped_total",
            "Live positions left out because too many trucks were waiting.",
            registry=registry,
        )
        self.checkpoint_copy_seconds = Histogram(
            "mucktrack_checkpoint_copy_seconds",
            "How long detection stood still for a checkpoint.",
            buckets=SECONDS,
            registry=registry,
        )
        self.checkpoint_seconds = Histogram(
            "mucktrack_checkpoint_seconds",
            "From copying the state of a partition to its checkpoint in the store.",
            buckets=SECONDS,
            registry=registry,
        )
        self.checkpoint_bytes = Counter(
            "mucktrack_checkpoint_bytes_total",
            "Bytes written for checkpoints, compressed.",
            registry=registry,
        )
        self.checkpoint_failures = Counter(
            "mucktrack_checkpoint_failures_total",
            "Attempts to save a checkpoint that the store did not answer.",
            registry=registry,
        )
        self.checkpoint_time_seconds = Gauge(
            "mucktrack_checkpoint_time_seconds",
            "When the state of the last checkpoint was copied, Unix time.",
            ["partition"],
            registry=registry,
        )
        self.checkpoint_offset = Gauge(
            "mucktrack_checkpoint_offset",
            "Offset at which a worker would go on after a crash.",
            ["partition"],
            registry=registry,
        )
        self.fenced = Counter(
            "mucktrack_fenced_total",
            "Partitions that another worker had loaded when they were to be saved.",
            registry=registry,
        )
        self.city_versions = Gauge(
            "mucktrack_city_versions", "Versions of the city that are known.", registry=registry
        )
        self.city_failures = Counter(
            "mucktrack_city_failures_total",
            "Looks for published cities that failed: Redis away, a version broken, gone, replaced.",
            ["reason"],
            registry=registry,
        )
        self.partitions_assigned = Gauge(
            "mucktrack_partitions_assigned", "Partitions given to this worker.", registry=registry
        )
        self.partitions_loaded = Gauge(
            "mucktrack_partitions_loaded", "Partitions this worker reads.", registry=registry
        )
        self.trucks = Gauge(
            "mucktrack_trucks",
            "Trucks remembered; at the limit, positions of others are too_many_trucks.",
            ["partition"],
            registry=registry,
        )
        self.next_offset = Gauge(
            "mucktrack_next_offset",
            "Offset of the record to be taken next; all outputs of those before are acknowledged.",
            ["partition"],
            registry=registry,
        )
        self.highest_time_seconds = Gauge(
            "mucktrack_highest_time_seconds",
            "Highest time of a fix or tick, Unix time; the watermark follows it.",
            ["partition"],
            registry=registry,
        )

    def note_trucks(self, partition: int, trucks: int) -> None:
        self.trucks.labels(partition).set(trucks)

    def note_progress(self, partition: int, next_offset: int, highest_ms: int | None) -> None:
        """How far a partition has been worked through. To be called after everything else has been
        counted: who sees the offset may rely on the counts."""
        if highest_ms is not None:
            self.highest_time_seconds.labels(partition).set(highest_ms / 1000)
        self.next_offset.labels(partition).set(next_offset)

    def note_checkpoint(self, partition: int, next_offset: int) -> None:
        self.checkpoint_time_seconds.labels(partition).set_to_current_time()
        self.checkpoint_offset.labels(partition).set(next_offset)

    def forget_progress(self) -> None:
        """The partitions have been given up: others tell how far they are."""
        self.trucks.clear()
        for figures in (self.next_offset, self.checkpoint_time_seconds, self.checkpoint_offset):
            figures.clear()
        self.highest_time_seconds.clear()

    def serve(self, host: str, port: int) -> int:
        """Tell the figures, and the health, until the process ends; the port taken.

        Port 0 takes a free one. Raises `OSError` where the address cannot be had.
        """
        return serve_pages(self.registry, self.health, host, port)
