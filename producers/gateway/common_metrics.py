"""What both gateways tell Prometheus, as `streams.instruments` declares it.

Filled by the gateways' parts; the outbox is asked when somebody asks for the page.
"""

from collections.abc import Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from producers.gateway.outbox import Outbox
from streams.instruments import Process
from streams.registry import ProcessMetrics


class CommonMetrics(ProcessMetrics):
    """The figures of a gateway of either kind."""

    def __init__(self, process: Process) -> None:
        super().__init__(process)
        self.connections = self.gauge("gateway_connections")
        self.closed = self.counter("gateway_connections_closed_total")
        self.messages = self.counter("gateway_messages_total")
        self.refused = self.counter("gateway_refused_total")
        self.rejects = self.counter("gateway_rejects_total")
        self.received_bytes = self.counter("gateway_received_bytes_total")
        self.positions = self.counter("gateway_positions_total")
        self.paused = self.gauge("gateway_paused_connections")
        self.delivery_seconds = self.histogram("gateway_delivery_seconds")
        self._outbox_bytes = self.gauge("gateway_outbox_bytes")

    def tell_of(self, outbox: Outbox) -> None:
        """From now on also what is on its way to Kafka."""
        self._outbox_bytes.set_function(lambda: outbox.held_bytes)
        self.registry.register(_Records(self, outbox))


class _Records(Collector):
    def __init__(self, metrics: CommonMetrics, outbox: Outbox) -> None:
        self._metrics = metrics
        self._outbox = outbox

    def collect(self) -> Iterator[Metric]:
        records = self._metrics.counter_family("gateway_outbox_records_total")
        records.add_metric(["acknowledged"], self._outbox.acknowledged)
        records.add_metric(["refused"], self._outbox.refused)
        yield records
