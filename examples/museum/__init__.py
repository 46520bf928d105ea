"""The exhibits of examples/bug_museum.py, in three rooms; ``exhibit`` switches bugs on and off."""

from . import memory, numerics, rules

EXHIBITS = {exhibit.name: exhibit for room in (rules, memory, numerics) for exhibit in room.ROOM}
