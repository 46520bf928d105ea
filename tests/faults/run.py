"""What does minigan do when things go wrong?  Kill it, damage its files, and see.

    python tests/faults/run.py                           # three minutes
    python tests/faults/run.py --long                    # hours: 200 kills, 2,000 flipped bits, ...
    python tests/faults/run.py --only kills operations   # two of the campaigns
    python tests/faults/run.py --only kills --case "small run 7" --seed 3

The campaigns, one file each beside this one:

    kills          SIGKILL, SIGTERM, SIGINT and SIGHUP at random moments of a run
    operations     every file operation of a run: the process dies there, or the operation fails
    flips          one flipped bit in a file of a run, or of a data set
    folders        links, pipes, folders and devices in the place of files; crafted checkpoints
    data           IDX and .gz files that are cut, extended, exchanged, or promise too much
    commands       random command lines of real options with good and bad values
    surroundings   the environment, the standard streams, the current folder, limits of the system
    soak           a run of many epochs: no epoch takes longer than the first, nor more memory

A campaign is a list of cases, and each case passes or fails.  A line for each campaign says what a
pass means, how many cases passed, and how long it took; then each failure follows with its reason.
The same seed gives the same cases, but for the moments of signals, which a clock decides.  The exit
status is 1 if any case failed, or if a campaign had none.  The campaigns need a POSIX system.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":  # the modules are faults.kills and so on, also for pytest and mypy
    sys.path[0] = str(Path(__file__).parents[1])
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a process with threads cannot be forked safely

from faults import (
    commands,
    data,
    flips,
    folders,
    kills,
    operations,
    soak,
    surroundings,
)
from faults.campaign import Campaign, Scale, print_result

CAMPAIGNS: dict[str, Campaign] = {
    "kills": kills,
    "operations": operations,
    "flips": flips,
    "folders": folders,
    "data": data,
    "commands": commands,
    "surroundings": surroundings,
    "soak": soak,
}


def main() -> int:
    """Run the campaigns, print a line for each, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--long", action="store_true", help="try everything, for hours")
    parser.add_argument(
        "--only", nargs="+", choices=CAMPAIGNS, default=list(CAMPAIGNS), metavar="NAME"
    )
    parser.add_argument("--case", default="", help="only cases whose names contain this text")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--soak-minutes", type=float, default=180.0, help="with --long")
    options = parser.parse_args()
    failed, start = 0, time.perf_counter()
    for name in options.only:
        with tempfile.TemporaryDirectory() as folder:
            scale = Scale(Path(folder).resolve(), options.long, options.seed, options.soak_minutes)
            result = print_result(name, CAMPAIGNS[name], scale, options.case)
        for case, reason in result.failures:
            print(f"  {name}, {case}, seed {options.seed}: {reason}", flush=True)
        failed += len(result.failures) or result.total == 0
    used = [
        os.times().user + os.times().system,
        os.times().children_user + os.times().children_system,
    ]
    print(f"{time.perf_counter() - start:.0f} s, {sum(used):.0f} s of CPU time", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
