"""How this process was started: alone, or by mpiexec as one of several."""

from __future__ import annotations

import os
import re

from minigan.backend.ranks import ALONE, MPIRanks, Ranks
from minigan.errors import InputError

# What the starters of MPI programs tell each process: its number, and how many there are
STARTERS = {
    "PMI_RANK": "PMI_SIZE",
    "OMPI_COMM_WORLD_RANK": "OMPI_COMM_WORLD_SIZE",
    "PMIX_RANK": "SLURM_NTASKS",
}


def started_ranks() -> Ranks:
    """Return the processes that mpiexec has started with this one, or ``ALONE``.

    For a single process, mpi4py is not imported.  Raises InputError if it is missing.
    """
    if _started()[1] == 1:
        return ALONE
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise InputError(
            "mpiexec has started this program, which needs mpi4py to talk to the other processes: "
            "pip install 'minigan[mpi]'"
        ) from error
    except RuntimeError as error:  # without the library of MPI itself
        reason = str(error).strip().partition("\n")[0]
        raise InputError(f"mpiexec has started this program, but mpi4py says: {reason}") from error
    comm = MPI.COMM_WORLD
    return MPIRanks(comm, MPI) if comm.Get_size() > 1 else ALONE


def started_as() -> int:
    """Return the rank that mpiexec has told this process; 0 for a process that is alone."""
    return _started()[0]


def _started() -> tuple[int, int]:
    """Return the rank of this process, and how many there are; (0, 1) if mpiexec has not said both.

    A variable that is alone, or makes no sense, comes from elsewhere.
    """
    for name, of in STARTERS.items():
        rank, size = os.environ.get(name, ""), os.environ.get(of, "")
        numbers = all(re.fullmatch("[0-9]{1,9}", number) for number in (rank, size))
        if numbers and int(rank) < int(size):
            return int(rank), int(size)
    return 0, 1
