"""`python -m mucktrack.warm` compiles the core, so that no later start has to wait for it.

`make install` calls it.
"""

import sys

from streams.detect import Engine, PreparedCity
from streams.explain.narrator import Narrator
from streams.warm import CITY, TRUCK_ID, compile_core, fixes


def main() -> None:
    """Compile what is not compiled yet; says so first, since it takes a while."""
    sys.stderr.write("mucktrack: compiling the core, once on this machine …\n")
    compile_core()
    told = list(Narrator(Engine.offline(PreparedCity.of(CITY)), TRUCK_ID).take(fixes()))
    if not told:
        raise AssertionError("the drive was to be explained, so that all of that is compiled")


if __name__ == "__main__":
    main()
