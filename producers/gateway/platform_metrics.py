"""What the gateway for platforms tells Prometheus.

One a process, with a registry of its own. No label is unbounded: never a plate or an address.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge

from streams.health import Health
from streams.health_pages import serve_pages


class PlatformMetrics:
    """The figures of one gateway for platforms; units are Prometheus' base units."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.health = Health(registry)
        self.connections = Gauge(
            "mucktrack_gateway809_connections", "Connections that are open.", registry=registry
        )
        self.platforms = Gauge(
            "mucktrack_gateway809_platforms", "Platforms that are logged in.", registry=registry
        )
        self.closed = self._counter(
            "connections_closed", "Connections that have ended, by why.", "reason"
        )
        self.logins = self._counter(
            "logins", "Logins answered, by the result of 0x1002 (0: let in).", "result"
        )
        self.messages = self._counter("messages", "Messages read, by kind.", "kind")
        self.refused = self._counter(
            "refused", "Frames that could not be read, and messages not taken, by why.", "reason"
        )
        self.rejects = self._counter(
            "rejects", "Positions kept among the rejects, by why.", "reason"
        )
        self.received_bytes = Counter(
            "mucktrack_gateway809_received_bytes_total", "Bytes read.", registry=registry
        )
        self.positions = Counter(
            "mucktrack_gateway809_positions_total",
            "Positions acknowledged by Kafka.",
            registry=registry,
        )
        self.again = Gauge(
            "mucktrack_gateway809_undelivered_records",
            "Records that Kafka did not take, kept to be written again; nothing is read meanwhile.",
            registry=registry,
        )
        self.lost = Counter(
            "mucktrack_gateway809_lost_records_total",
            "Records that Kafka did not take before the gateway was stopped.",
            registry=registry,
        )
        self.paused = Gauge(
            "mucktrack_gateway809_paused_connections",
            "Connections that are not read because Kafka is slow.",
            registry=registry,
        )

    def serve(self, host: str, port: int) -> int:
        """Tell the figures, and the health, until the process ends; the port taken.

        Port 0 takes a free one. Raises `OSError` where the address cannot be had.
        """
        return serve_pages(self.registry, self.health, host, port)

    def _counter(self, name: str, about: str, label: str) -> Counter:
        full = f"mucktrack_gateway809_{name}_total"
        return Counter(full, about, [label], registry=self.registry)
