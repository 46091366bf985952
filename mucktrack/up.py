"""`mucktrack up`: everything on one machine (design section 8).

Starts the parts, shows what happens, and stops them in the order that loses nothing: fleet, worker,
archiver, gateway, console, servers.
"""

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from rich.console import Console as Terminal

from mucktrack import city_check
from mucktrack.access import check_unused, redis_url
from mucktrack.beforehand import check_fleet, check_redis
from mucktrack.catch_up import catch_up, fleet_start_ms
from mucktrack.children import Child
from mucktrack.console_part import Console
from mucktrack.failures import BadInputError, WorkFailedError
from mucktrack.interrupts import interrupts
from mucktrack.monitor import Monitor
from mucktrack.part_checks import check, stop
from mucktrack.parts import Archiver, Fleet, FleetPlan, Gateway, Servers, Worker
from mucktrack.run_folder import make_run_folder
from mucktrack.scrape import WorkerFigures
from mucktrack.scrape_targets import told_to_prometheus
from mucktrack.settings import SETTINGS, Settings
from mucktrack.view import View, open_view
from producers.demo_city import DEMO_CITY

LOOK_S = 0.25
DRAIN_S = 120.0
"""How long the worker may take, at the end, for what was published and not yet processed."""
DRAIN_AFTER_SIGNAL_S = 3.0
"""Somebody waits for the prompt."""


def up(
    settings: Settings, plan: FleetPlan, seconds: float | None, *, with_console: bool = True
) -> None:
    """Run until Ctrl-C or SIGTERM, or for `seconds`; then print a summary.

    Raises `BadInputError` for a city with faults or too small for the fleet, `WorkFailedError` when
    a part fails.
    """
    console = Terminal()
    folder_of_city = settings.city or DEMO_CITY
    city = city_check.load(folder_of_city)
    check_fleet(plan, city)
    check_unused(settings)
    redis = redis_url(settings)
    if redis is not None:
        check_redis(redis)
    try:
        folder = make_run_folder(settings.state_dir)
    except OSError as error:
        raise BadInputError(f"cannot write {settings.state_dir}: {error.strerror}") from None
    with ExitStack() as stack:
        stack.enter_context(interrupts())
        try:
            with console.status("starting Kafka, Redis and the worker…"):
                servers = Servers(settings, folder, stack)
                worker = Worker(settings, servers, folder_of_city, folder, stack)
                archive = archive_folder(settings, folder)
                office = (
                    Console(settings, servers, folder_of_city, archive, folder, stack)
                    if with_console
                    else None
                )
                worker.wait_until_ready()
                kept = (
                    None if archive is None else Archiver(settings, servers, archive, folder, stack)
                )
                if office is not None:
                    office.wait_until_ready()
                before = catch_up(servers.kafka, settings.partitions, worker.figures)
                monitor = stack.enter_context(closing(_monitor(servers, worker, before)))
                start_ms = fleet_start_ms(city, time.time_ns() // 1_000_000, before.highest_time_ms)
                gateway, address = None, None
                if plan.by_terminals:
                    gateway = Gateway(settings, servers, folder_of_city, folder, stack)
                    address = gateway.address()
                ports = {"worker": worker.metrics_port} | {
                    job: part.metrics_port()
                    for job, part in (("archiver", kept), ("console", office), ("gateway", gateway))
                    if part is not None
                }
                stack.enter_context(
                    told_to_prometheus(settings.state_dir, settings.metrics_host, ports)
                )
                fleet = Fleet(
                    *(plan, servers, folder_of_city, settings.partitions, start_ms, folder, stack),
                    address,
                )
        except KeyboardInterrupt:
            console.print("stopped before everything was ready")
            return
        heading = [
            f"Kafka {servers.kafka} · Redis {SETTINGS['redis'].shown(servers.redis)} · "
            f"metrics {worker.metrics_url}",
            f"{city_check.describe(city)} · fleet of {plan.trucks}, {plan.speed:g}× time",
            f"logs and labels of the offences in {folder}",
        ]
        if archive is not None:
            heading.append(f"archive of what arrives in {archive}")
        if address is not None:
            heading.append(f"its trucks are terminals that report to the gateway at {address}")
        if office is not None:
            heading.insert(0, office.heading())
        view = stack.enter_context(closing(open_view(console, heading, city.timezone)))
        keepers = [part.child for part in (kept, gateway, office) if part is not None]
        complete = _watch(monitor, view, servers, worker, fleet, keepers, seconds)
        for child in (worker.child, *keepers):
            stop(child)
        view.show(monitor.snapshot(), [])
    _print_summary(console, monitor)
    if not complete:
        raise WorkFailedError(
            f"the worker has not processed within {DRAIN_S:g} s what the fleet published; "
            f"see {worker.child.log}"
        )


def archive_folder(settings: Settings, run_folder: Path) -> Path | None:
    """Where to archive; None = nowhere. The embedded broker's log begins anew each time, so that
    each run has an archive of its own; of a given broker, which may hold much, one is kept where it
    is asked for."""
    return settings.archive if settings.kafka is not None else run_folder / "archive"


def _monitor(servers: Servers, worker: Worker, before: WorkerFigures) -> Monitor:
    return Monitor(servers.kafka, servers.redis, worker.metrics_host, worker.metrics_port, before)


def _watch(
    monitor: Monitor,
    view: View,
    servers: Servers,
    worker: Worker,
    fleet: Fleet,
    keepers: Sequence[Child],
    seconds: float | None,
) -> bool:
    """Show what happens until it is time to end, end the fleet, and wait for the worker; False
    where that took too long."""
    children = [server.child for server in servers.started]
    children += [worker.child, fleet.child, *keepers]
    ends_at = math.inf if seconds is None else time.monotonic() + seconds
    try:
        while time.monotonic() < ends_at:
            fresh = monitor.look(LOOK_S)
            for child in children:
                check(child)
            view.show(monitor.snapshot(), fresh)
        return monitor.wait_for(fleet.stop(), DRAIN_S)
    except KeyboardInterrupt:
        monitor.wait_for(fleet.stop(), DRAIN_AFTER_SIGNAL_S)
        return True


def _print_summary(console: Terminal, monitor: Monitor) -> None:
    """Its last line is read by programs."""
    last = monitor.snapshot()
    lines = [f"{rule} {last.titles[rule]}: {_phases(last.by_rule[rule])}" for rule in last.by_rule]
    lines.append(
        f"positions {last.positions} · violations {last.violations} · rejected {last.rejected}"
    )
    for line in lines:
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def _phases(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {phase}" for phase, count in counts.items())
