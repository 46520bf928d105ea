"""The exhibits of examples/bug_museum.py, in four rooms; ``exhibit`` switches bugs on and off."""

from . import memory, numerics, penalties, rules

EXHIBITS = {
    exhibit.name: exhibit for room in (rules, memory, numerics, penalties) for exhibit in room.ROOM
}
