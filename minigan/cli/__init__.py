"""The command ``minigan``: it reads options, calls the library's functions, and prints lines.

This room exports ``main``.  It may import every other room, and no other room imports it.
"""

from minigan.cli.entry import main

__all__ = ["main"]
