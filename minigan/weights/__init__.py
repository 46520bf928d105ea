"""Weights: a network is built again from its text, and loaded from the file that ``save`` wrote.

This room offers the names listed below.  It imports the mathematics, ``data``, and the rooms that
those import.
"""

from minigan.weights.architecture import build, own_classes
from minigan.weights.stored import load

__all__ = ["build", "load", "own_classes"]
