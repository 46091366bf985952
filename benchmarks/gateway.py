"""What a gateway takes: messages a second, connections, and how long an acknowledgement takes.

`python -m benchmarks.gateway` starts a broker, a Redis and `mucktrack gateway`, and
terminals in processes of their own, which register, authenticate and send locations made
beforehand. Every message counted has been acknowledged with 0x8001, so that position and frame are
in Kafka. Terminals, broker and gateway share the machine: the gateway's own share is its processor
time, told beside each figure.
"""

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from array import array
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from benchmarks.soak import Worker, broker
from benchmarks.terminals import Plan, Result, phone, plate, work
from mucktrack.embedded import valkey
from mucktrack.topics import create_topics
from streams.access import KafkaAccess

PARTITIONS = 12
SPARE_FILES = 500
EVERY_S = 10
"""A truck's usual interval."""
WARM_UP_S, WARM_UP_RATE = 5.0, 2_000
"""Apache Kafka compiles its code meanwhile."""
FIRST = 0.2
"""Of the connections."""
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Answer:
    """Of all terminal processes together."""

    acknowledged: int
    refused: int
    late: int
    seconds: float
    waits_s: "array[float]"

    @property
    def rate(self) -> float:
        return self.acknowledged / self.seconds

    def wait_ms(self, share: float) -> float:
        return 1000 * self.waits_s[min(len(self.waits_s) - 1, int(share * len(self.waits_s)))]


class Terminals:
    """Several processes of them, all let in."""

    def __init__(
        self,
        port: int,
        count: int,
        processes: int,
        window: int,
        stack: ExitStack,
        first: int = 0,
    ) -> None:
        """`first`: the number of the first of them."""
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Pipe] = []
        share = count // processes
        for number in range(processes):
            pipe, other = context.Pipe()
            plan = Plan(port, first + number * share, share, window)
            process = context.Process(target=work, args=(plan, other), daemon=True)
            process.start()
            other.close()
            stack.callback(process.join, 5)
            stack.callback(pipe.close)
            self._pipes.append(pipe)
        self.count = sum(pipe.recv() for pipe in self._pipes)

    def drive(self, seconds: float, rate: float | None) -> Answer:
        """`rate` of all of them together; None = as fast as they are acknowledged."""
        for pipe in self._pipes:
            pipe.send((seconds, None if rate is None else rate / len(self._pipes)))
        results: list[Result] = [pipe.recv() for pipe in self._pipes]
        waits = array("f", sorted(wait for one in results for wait in one.waits_s))
        return Answer(
            sum(one.acknowledged for one in results),
            sum(one.refused for one in results),
            sum(one.late for one in results),
            max(one.seconds for one in results),
            waits,
        )


class Gateway(Worker):
    """The process under test."""

    def cpu_s(self) -> float:
        fields = (self._process / "stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * TICK_S


def write_fleet(folder: Path, count: int) -> Path:
    """A city that has nothing but trucks."""
    folder.mkdir()
    (folder / "city.toml").write_text('name = "Benchmark"\nadmin_code = "330200"\n')
    ring = "[[121.0,29.0],[121.3,29.0],[121.3,29.3],[121.0,29.3],[121.0,29.0]]"
    (folder / "districts.geojson").write_text(
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"code":"330203",'
        '"name":"西"},"geometry":{"type":"Polygon","coordinates":[' + ring + "]}}]}"
    )
    rows = "".join(f"{plate(number)},{phone(number)},,\n" for number in range(count))
    (folder / "trucks.csv").write_text("truck_id,terminal_id,company,max_load_kg\n" + rows)
    return folder


def allow_files() -> int:
    """As many open files as the system lets us; how many connections that is."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard - SPARE_FILES


class Installation:
    """Broker, Redis and city, on which gateways are started."""

    def __init__(
        self, options: argparse.Namespace, folder: Path, trucks: int, stack: ExitStack
    ) -> None:
        self._folder = folder
        self._kafka = stack.enter_context(broker(options, folder))
        self._redis = stack.enter_context(valkey(folder)).address
        self._city = write_fleet(folder / "city", trucks)
        create_topics(KafkaAccess.plain(self._kafka), PARTITIONS)

    def start(self, name: str, stack: ExitStack) -> tuple[Gateway, int]:
        """A new process, and its port."""
        port_file = self._folder / f"{name}.terminals-port"
        gateway = Gateway(
            name,
            ["gateway", "--port-file", str(port_file)],
            self._folder,
            kafka=self._kafka,
            redis=self._redis,
            city=str(self._city),
            partitions=str(PARTITIONS),
            gateway_port="0",
            gateway_metrics_port="0",
            gateway_connections_an_address="1000000",
        )
        stack.callback(gateway.child.stop)
        gateway.wait_until_ready()
        return gateway, int(port_file.read_text())


def measured(
    gateway: Gateway, terminals: Terminals, seconds: float, rate: float | None, what: str
) -> None:
    cpu_s, begin_s = gateway.cpu_s(), time.monotonic()
    answer = terminals.drive(seconds, rate)
    used = (gateway.cpu_s() - cpu_s) / (time.monotonic() - begin_s)
    trouble = "".join(
        f"; {count:,} {name}"
        for name, count in (("refused", answer.refused), ("late", answer.late))
        if count
    )
    print(
        f"{what}: {answer.rate:,.0f} messages/s acknowledged, p50 {answer.wait_ms(0.5):.0f} ms, "
        f"p99 {answer.wait_ms(0.99):.0f} ms, longest {answer.wait_ms(1):.0f} ms; the gateway took "
        f"{used:.2f} cores, {1e6 * used * answer.seconds / answer.acknowledged:.0f} µs a message"
        f"{trouble}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--terminals", type=int, default=1_000, help="for rates; 0 = leave that part out"
    )
    parser.add_argument("--connections", type=int, default=10_000, help="0 = leave that part out")
    parser.add_argument("--processes", type=int, default=2, help="of terminals")
    parser.add_argument("--window", type=int, default=32, help="unanswered of one terminal")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each part")
    parser.add_argument(
        "--rates", type=int, nargs="*", default=[5_000, 20_000], help="steady, messages a second"
    )
    parser.add_argument("--kafka", help="host:port of another broker than the embedded one")
    parser.add_argument("--apache", action="store_true", help="Apache Kafka, as the tests run it")
    options = parser.parse_args()
    most = allow_files()
    connections = min(options.connections, most)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        installation = Installation(
            options, Path(folder), max(connections, options.terminals), stack
        )
        if options.terminals:
            with ExitStack() as parts:
                rates(installation, options, parts)
        if connections:
            with ExitStack() as parts:
                many_connections(installation, connections, options, parts)


def rates(installation: Installation, options: argparse.Namespace, parts: ExitStack) -> None:
    gateway, port = installation.start("rates", parts)
    terminals = Terminals(port, options.terminals, options.processes, options.window, parts)
    several = f"{terminals.count:,} terminals"
    terminals.drive(WARM_UP_S, WARM_UP_RATE)
    for rate in options.rates:
        measured(gateway, terminals, options.seconds, rate, f"{several}, {rate:,} messages/s")
    measured(gateway, terminals, options.seconds, None, f"{several}, as fast as acknowledged")


def many_connections(
    installation: Installation, count: int, options: argparse.Namespace, parts: ExitStack
) -> None:
    """They come in, and each says where it is every ten seconds."""
    gateway, port = installation.start("connections", parts)
    begin_s = time.monotonic()
    # What the start has left free is used up before memory is measured.
    first = int(FIRST * count)
    Terminals(port, first, options.processes, options.window, parts)
    before_mb = gateway.rss_mb()
    terminals = Terminals(
        port, count - first, options.processes, options.window, parts, first=first
    )
    came_s, after_mb = time.monotonic() - begin_s, gateway.rss_mb()
    print(
        f"{count:,} connections, registered and authenticated within {came_s:.0f} s: "
        f"{1000 * (after_mb - before_mb) / terminals.count:.1f} kB each in the gateway, "
        f"{after_mb:.0f} MB in all"
    )
    rate = terminals.count / EVERY_S
    several = f"{terminals.count:,} terminals, each every {EVERY_S} s"
    measured(gateway, terminals, options.seconds, rate, several)
    print(f"{gateway.rss_mb():.0f} MB then")


if __name__ == "__main__":
    main()
