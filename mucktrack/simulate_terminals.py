"""`mucktrack simulate --jt808`: a simulated fleet whose trucks are JT/T 808 terminals.

What `mucktrack.simulate` does for the topic, for a gateway: wiring, signals, what is said at the
end.
"""

import socket
import ssl
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import BinaryIO

import click

from mucktrack import city_check
from mucktrack.failures import BadInputError, WorkFailedError
from mucktrack.interruptible import interruptible
from mucktrack.outputs import check_distinct
from mucktrack.simulate import Plan, fleet_of
from producers.demo_city import DEMO_CITY
from producers.fleet import SimulationError
from producers.profiles.profile import load_profiles
from producers.simulate import HOUR_MS, Simulation, live_start_ms
from producers.terminals.device import DeviceMaker
from producers.terminals.fleet_sink import MOST_OPEN, NotAcknowledgedError, TerminalFleet
from producers.terminals.line import Address, Line
from producers.terminals.radio import Radio
from producers.terminals.tally import Tally
from producers.terminals.terminal import Terminal
from streams.access import UnusableFileError, tls_context
from streams.position import Position

REACH_S = 5.0


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where the terminals report, and what is written of that."""

    host: str
    port: int
    tls_ca: Path | None = None
    """PEM: who signed the gateway's certificate; None = no TLS."""
    sent: Path | None = None
    """Gets the positions as terminals report them, JSON lines."""
    acked: Path | None = None
    """Gets those that the gateway acknowledged."""

    def __str__(self) -> str:
        return f"gateway at {self.host}:{self.port}"


def simulate_terminals(plan: Plan, gateway: Gateway, speed: float | None) -> None:
    """Report to the gateway until the hours are over, or until SIGINT or SIGTERM, and say how much
    it was.

    `speed`: simulated seconds a second; None = as fast as the gateway acknowledges. Raises
    `BadInputError`, and `WorkFailedError` where the gateway cannot be reached or leaves positions
    unacknowledged.
    """
    check_distinct([plan.labels, gateway.sent, gateway.acked], inputs=[])
    city = city_check.load(plan.city or DEMO_CITY)
    start_ms = plan.start_ms(live_start_ms(city, time.time_ns() // 1_000_000))
    until_ms = None if plan.hours is None else start_ms + round(plan.hours * HOUR_MS)
    address = _address(gateway)
    devices = DeviceMaker(load_profiles())
    tally = Tally()

    def line_of(position: Position) -> Line:
        seed = f"{plan.seed} {position.truck_id}"
        terminal = Terminal(devices.device_for(position), tally)
        radio = Radio(seed, noise=plan.noise)
        return Line(terminal, radio, address, tally, Random(seed))  # noqa: S311

    try:
        fleet = fleet_of(plan, city, start_ms)
        _reach(gateway)
        with ExitStack() as stack:
            # Unbuffered: the labels are to be there whatever becomes of this process.
            labels = _opened(stack, plan.labels, buffering=0)
            tally.sent_to = _opened(stack, gateway.sent)
            tally.acknowledged_to = _opened(stack, gateway.acked)
            terminals = stack.enter_context(
                TerminalFleet(line_of, tally, None if speed else MOST_OPEN)
            )
            sink = stack.enter_context(interruptible(terminals))
            simulation = Simulation(fleet, sink, labels)
            try:
                simulation.run(speed=speed, until_ms=until_ms)
            except KeyboardInterrupt:
                simulation.bring_in(terminals)
            finally:
                _say(tally, terminals, simulation.done.labels)
    except SimulationError as error:
        raise BadInputError(str(error)) from None
    except NotAcknowledgedError as error:
        raise WorkFailedError(f"{gateway}: {error}") from None
    except OSError as error:
        raise BadInputError(f"{error.filename or plan.labels}: {error.strerror}") from None


def _address(gateway: Gateway) -> Address:
    try:
        tls = None if gateway.tls_ca is None else tls_context(gateway.tls_ca, None, None)
    except UnusableFileError as error:
        raise BadInputError(str(error)) from None
    return Address(gateway.host, gateway.port, tls)


def _reach(gateway: Gateway) -> None:
    """Terminals try for ever; whoever starts a thousand of them wants to know of a wrong port."""
    try:
        socket.create_connection((gateway.host, gateway.port), REACH_S).close()
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or str(error)
        raise WorkFailedError(
            f"{gateway}: {why}; is it running, and is the address right?"
        ) from None


def _opened(stack: ExitStack, path: Path | None, buffering: int = -1) -> BinaryIO | None:
    if path is None:
        return None
    file: BinaryIO = path.open("wb", buffering=buffering)
    stack.callback(_close, file)
    return file


def _close(file: BinaryIO) -> None:
    """What a full disk did not take has been told by whoever wrote it, with the file's name."""
    with suppress(OSError):
        file.close()


def _say(tally: Tally, terminals: TerminalFleet, labels: int) -> None:
    lines = [
        f"acknowledged {tally.acknowledged} positions of {tally.sent} sent · "
        f"{tally.backfilled} as backfill · sent again {tally.again} · left {terminals.open} · "
        f"offences labelled {labels}",
        f"terminals {terminals.terminals} · connections {tally.connections} · "
        f"failed {tally.failed_connections} · registrations {tally.registrations} · "
        f"logins {tally.logins}",
    ]
    problems = {
        "refused by the gateway": tally.refused,
        "no room in the terminal": tally.no_room,
        "answers that could not be read": tally.protocol_errors,
        **{f"refused {reason}": count for reason, count in sorted(tally.refusals.items())},
    }
    lines += [f"{what}: {count}" for what, count in problems.items() if count]
    for line in lines:
        click.echo(line, err=True)
