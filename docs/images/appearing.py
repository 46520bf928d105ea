"""Draw the film of docs/README.md: the samples of a run, from its first picture to its last.

minigan train --threads 1 --out runs/film && python docs/images/appearing.py runs/film
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

ROWS, WHOLE = 4, 8  # of the 8 rows of a picture, these are shown
SECONDS = 4.8  # for all pictures: a page should not move for longer than five


def main() -> None:
    samples = Path(sys.argv[1]) / "samples"
    files = [*sorted(samples.glob("step_*.png")), *sorted(samples.glob("epoch_*.png"))]
    frames = []
    for file in files:
        with Image.open(file) as picture:
            frames.append(picture.crop((0, 0, picture.width, picture.height * ROWS // WHOLE)))
    first, *others = frames
    out = Path(__file__).with_name("appearing.gif")
    # without `loop`, the film is played once, and its last picture stays
    first.save(out, save_all=True, append_images=others, duration=int(1000 * SECONDS / len(frames)))
    print(out)


if __name__ == "__main__":
    main()
