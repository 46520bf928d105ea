"""The exercises: backward rules to write yourself, checked by finite differences.

The blanks are the files of ``examples/exercises``; an installed wheel holds them here, in
``blanks``.  This room exports the names listed below.  It imports the public names of minigan, and
``gradcheck``.
"""

from minigan.exercises.verdicts import (
    RIGHT,
    Verdict,
    check_exercises,
    copy_blanks,
    verdict_table,
)

__all__ = ["RIGHT", "Verdict", "check_exercises", "copy_blanks", "verdict_table"]
