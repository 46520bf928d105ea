"""The text of a tape in colours: its phases as on its page, and what is skipped is pale."""

from __future__ import annotations

import re

from minigan.machine.colour import in_colour

HEADING = re.compile(r"\A.+|^.+(?=\n=+$)", re.MULTILINE)
PHASE = re.compile(r"^\d+  ([^.\n]+)\.", re.MULTILINE)
SKIPPED = re.compile(r"^.*  skipped(?: +\([\d,.]+\))?$", re.MULTILINE)
COLOURS = {"loss": "magenta", "forward": "cyan", "backward": "yellow"}  # by the last word


def coloured(text: str) -> str:
    """Return what ``tape_text`` has made, with the codes that a terminal paints by."""
    text = HEADING.sub(lambda found: in_colour(found[0], "bold"), text)
    text = SKIPPED.sub(lambda found: in_colour(found[0], "pale"), text)
    return PHASE.sub(
        lambda found: in_colour(found[0], COLOURS.get(found[1].split()[-1], "green")), text
    )
