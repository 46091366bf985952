"""`mucktrack bench`: how fast it is here, beside its own ceilings and goals."""

from pathlib import Path

import click

from mucktrack.options import FilePath

KINDS = ("core", "detect", "worker", "latency", "memory", "growth", "all")


@click.command("bench")
@click.argument("what", type=click.Choice(KINDS), metavar="WHAT")
@click.option("--quick", is_flag=True, help="Small sizes: that it works, not how fast it is.")
@click.option("--rounds", type=click.IntRange(1), metavar="N", help="Of each; medians are told.")
@click.option(
    "--trucks",
    type=click.IntRange(100, 10_000_000),
    metavar="N",
    help="On the road in core, detect and worker.",
)
@click.option(
    "--positions",
    type=click.IntRange(1_000, 100_000_000),
    metavar="N",
    help="Measured in each round of core, detect and arrays.",
)
@click.option(
    "--json", "json", type=FilePath(), metavar="FILE", help="Write the figures as one JSON object."
)
@click.option(
    "--plot", type=FilePath(), metavar="FILE.png", help="Draw the curves of growth (matplotlib)."
)
def bench(
    what: str,
    quick: bool,
    rounds: int | None,
    trucks: int | None,
    positions: int | None,
    json: Path | None,
    plot: Path | None,
) -> None:
    """Measure how fast mucktrack is on this machine.

    WHAT is core (columns to verdicts), detect (a file to verdicts), worker (Kafka in to violations
    acknowledged, with embedded servers, in arrays and as single records, by one and by two),
    latency (a fix published to its violation on the queue), memory (bytes a truck), growth (the
    cost of a position as trucks, sites, routes, borders, offenders and batches grow), or all.

    Each runs in turn with its own ceiling: a scalar reading, decoding alone, a plain Faust agent.
    The positions are of trucks on the roads of a made-up city, the same in every run. What is
    printed is medians, with the goals; without --quick, `all` takes half an hour of a machine that
    does nothing else. Positions a second of core, detect and growth are by processor time.
    """
    from benchmarks.bench.command import run, sizes

    chosen = sizes(quick=quick, rounds=rounds, trucks=trucks, positions=positions)
    for line in run(what, chosen, json, plot):
        click.echo(line)
