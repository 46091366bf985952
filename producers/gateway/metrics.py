"""What a gateway for terminals tells Prometheus, as `streams.instruments` declares it.

One a process. Filled by the gateway's parts.
"""

from producers.gateway.common_metrics import CommonMetrics


class GatewayMetrics(CommonMetrics):
    """The figures of one gateway."""

    def __init__(self) -> None:
        super().__init__("gateway")
        self.sessions = self.gauge("gateway_sessions")
        self.sent_bytes = self.counter("gateway_sent_bytes_total")
        self.registrations = self.counter("gateway_registrations_total")
        self.authentications = self.counter("gateway_authentications_total")
        self.conflicts = self.counter("gateway_conflicts_total")
        self.undelivered = self.counter("gateway_undelivered_total")
        self.answered_seconds = self.histogram("gateway_answered_seconds")
