"""One training step as a tape: recorded as rows, and shown as text, as a table or as a page.

This room exports the names listed below.  It imports the mathematics, which it watches at work, and
``training`` for the first step of a run, or the next one.
"""

from minigan.tape.colours import coloured
from minigan.tape.recorder import Trace, trace
from minigan.tape.resumed import next_step
from minigan.tape.rows import Bars, Line, Pictures, Row, Tape
from minigan.tape.start import Start, first_step, start_of

__all__ = [
    "Bars",
    "Line",
    "Pictures",
    "Row",
    "Start",
    "Tape",
    "Trace",
    "coloured",
    "first_step",
    "next_step",
    "start_of",
    "trace",
]
