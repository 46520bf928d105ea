"""Draw the pictures of computations in the docs: graphs with their numbers, as SVG files.

python docs/images/graphs/draw.py

The numbers are computed by minigan, or by the code of the page that shows the picture, while the
picture is drawn.  tests/docs/test_graphs.py compares the files with what this command draws.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import adam
import batch_norm
import by_hand
import densities
import rules
import steps
import variants
from pen import Picture

PICTURES: dict[str, Callable[[], Picture]] = {
    **by_hand.PICTURES,
    **rules.PICTURES,
    **batch_norm.PICTURES,
    **adam.PICTURES,
    **steps.PICTURES,
    **variants.PICTURES,
    **densities.PICTURES,
}


def main() -> None:
    for name, picture in PICTURES.items():
        path = Path(__file__).with_name(f"{name}.svg")
        path.write_text(picture().svg(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
