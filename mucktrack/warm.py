"""`python -m mucktrack.warm` compiles the core, so that no later start has to wait for it.

`make install` calls it.
"""

import sys

from streams.warm import compile_core


def main() -> None:
    """Compile what is not compiled yet; says so first, since it takes a while."""
    sys.stderr.write("mucktrack: compiling the core, once on this machine …\n")
    compile_core()


if __name__ == "__main__":
    main()
