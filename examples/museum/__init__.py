"""The exhibits of examples/bug_museum.py, in five rooms; ``exhibit`` switches bugs on and off."""

from . import classes_and_styles, memory, numerics, penalties, rules

ROOMS = rules, memory, numerics, penalties, classes_and_styles
EXHIBITS = {exhibit.name: exhibit for room in ROOMS for exhibit in room.ROOM}
