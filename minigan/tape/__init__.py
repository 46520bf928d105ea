"""One training step as a tape: recorded as rows, and shown as text, as a table or as a page.

This room exports the names listed below.  It imports the mathematics, which it watches at work, and
``training`` for the first step of a run.
"""

from minigan.tape.recorder import Trace, trace
from minigan.tape.rows import Line, Row, Tape
from minigan.tape.start import first_step

__all__ = ["Line", "Row", "Tape", "Trace", "first_step", "trace"]
