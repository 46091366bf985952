"""What a gateway tells Prometheus.

One a process, with a registry of its own, like `streams.metrics`. Filled by the gateway's parts. No
label is unbounded: never a phone, a plate or an address.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.health import Health
from streams.health_pages import serve_pages

ANSWERED_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class GatewayMetrics:
    """The figures of one gateway; units are Prometheus' base units."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.health = Health(registry)
        self.connections = Gauge(
            "mucktrack_gateway_connections", "Connections that are open.", registry=registry
        )
        self.sessions = Gauge(
            "mucktrack_gateway_sessions", "Terminals that are let in.", registry=registry
        )
        self.closed = Counter(
            "mucktrack_gateway_connections_closed_total",
            "Connections that have ended, by why.",
            ["reason"],
            registry=registry,
        )
        self.messages = Counter(
            "mucktrack_gateway_messages_total",
            "Messages read, by kind.",
            ["kind"],
            registry=registry,
        )
        self.refused = Counter(
            "mucktrack_gateway_refused_total",
            "Frames that could not be read, and messages that were not taken, by why.",
            ["reason"],
            registry=registry,
        )
        self.received_bytes = Counter(
            "mucktrack_gateway_received_bytes_total", "Bytes read.", registry=registry
        )
        self.sent_bytes = Counter(
            "mucktrack_gateway_sent_bytes_total", "Bytes sent.", registry=registry
        )
        self.registrations = Counter(
            "mucktrack_gateway_registrations_total",
            "Registrations answered, by the result of 0x8100; away: Redis did not answer.",
            ["result"],
            registry=registry,
        )
        self.authentications = Counter(
            "mucktrack_gateway_authentications_total",
            "Authentications answered: done, refused; away: Redis did not answer.",
            ["result"],
            registry=registry,
        )
        self.conflicts = Counter(
            "mucktrack_gateway_conflicts_total",
            "Terminals that claimed what is another's, by kind.",
            ["kind"],
            registry=registry,
        )
        self.positions = Counter(
            "mucktrack_gateway_positions_total",
            "Positions acknowledged by Kafka and so to the terminal.",
            registry=registry,
        )
        self.rejects = Counter(
            "mucktrack_gateway_rejects_total",
            "Locations that are no positions, by why.",
            ["reason"],
            registry=registry,
        )
        self.undelivered = Counter(
            "mucktrack_gateway_undelivered_total",
            "Messages not kept by Kafka, for which the terminal was told to send again.",
            registry=registry,
        )
        self.answered_seconds = Histogram(
            "mucktrack_gateway_answered_seconds",
            "From reading a message with positions to its answer, once Kafka has acknowledged.",
            buckets=ANSWERED_S,
            registry=registry,
        )
        self.paused = Gauge(
            "mucktrack_gateway_paused_connections",
            "Connections that are not read because Kafka is slow.",
            registry=registry,
        )

    def serve(self, host: str, port: int) -> int:
        """Tell the figures, and the health, until the process ends; the port taken.

        Port 0 takes a free one. Raises `OSError` where the address cannot be had.
        """
        return serve_pages(self.registry, self.health, host, port)
