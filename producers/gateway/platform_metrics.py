"""What the gateway for platforms tells Prometheus, as `streams.instruments` declares it.

One a process. Filled by the gateway's parts.
"""

from producers.gateway.common_metrics import CommonMetrics


class PlatformMetrics(CommonMetrics):
    """The figures of one gateway for platforms."""

    def __init__(self) -> None:
        super().__init__("gateway809")
        self.platforms = self.gauge("gateway_platforms")
        self.logins = self.counter("gateway_logins_total")
        self.again = self.gauge("gateway_undelivered_records")
        self.lost = self.counter("gateway_lost_records_total")
