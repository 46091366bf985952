"""`python -m mucktrack`: how `mucktrack up` starts its worker and fleet, installed or not."""

from mucktrack.cli import main

main()
