"""Draws the picture of docs/architecture.md: the rooms of minigan, and which imports which.

python docs/images/rooms.py

The rooms and the arrows are read from the imports in the sources, by the same function as in
tests/test_rooms.py.
"""

from __future__ import annotations

import functools
import sys
from collections import Counter
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))
from helpers.imports import module_imports, room_of  # noqa: E402

SAYS = {
    "cli": "the command minigan",
    "exercises": "blanks, and what checks them",
    "minigan": "the public names, as mg has them",
    "evaluation": "a finished run, measured",
    "tape": "one step, row by row",
    "bench": "the time of a step",
    "exchange": "PyTorch, safetensors, ONNX",
    "training": "a run: options, loop, folder, pictures",
    "gradcheck": "are the gradients right?",
    "report": "the page of a run",
    "metrics": "how good are images?",
    "weights": "networks from files",
    "mathematics": "layers, networks, losses, Adam,\nthe penalty R1, the GAN step",
    "data": "MNIST, minibatches, archives",
    "backend": "where arrays live: NumPy, CuPy",
    "machine": "BLAS, terminal, files",
    "errors": "what a user can put right",
}
COLORS = {"mathematics": "#f3c9b5", "minigan": "#e4e0d2"}
WIDTH, HEIGHT = 3.3, 0.62  # of a box


def main() -> None:
    modules = module_imports()
    imports: dict[str, set[str]] = {room_of(module): set() for module in modules}
    for module, imported in modules.items():
        imports[room_of(module)] |= {room_of(name) for name in imported} - {room_of(module)}
    sizes = Counter(map(room_of, modules))

    @functools.cache
    def floor(room: str) -> int:
        return 1 + max((floor(other) for other in imports[room]), default=-1)

    @functools.cache
    def below(room: str) -> frozenset[str]:
        """All rooms that it imports, directly or by way of another."""
        return frozenset(imports[room]).union(*(below(other) for other in imports[room]))

    place: dict[str, tuple[float, float]] = {}
    for height in sorted({floor(room) for room in imports}):
        row = [room for room in SAYS if floor(room) == height]
        for k, room in enumerate(row):
            place[room] = 4.0 * (k - (len(row) - 1) / 2), 1.15 * height

    figure = Figure(figsize=(11.7, 7.6), layout="constrained")
    axes = figure.subplots()
    for room, others in imports.items():
        x, y = place[room]
        for other in others:
            if any(other in below(between) for between in others):
                continue  # a way through another room is drawn already
            to_x, to_y = place[other]
            style = {"arrowstyle": "-|>", "color": "0.45", "linewidth": 1.1, "mutation_scale": 11}
            aside = max(-0.45 * WIDTH, min(0.45 * WIDTH, 0.4 * (to_x - x)))  # past other boxes
            start, end = (x + aside, y - HEIGHT / 2), (to_x - aside, to_y + HEIGHT / 2)
            axes.annotate("", end, start, arrowprops=style)
    for room, (x, y) in place.items():
        corner = x - WIDTH / 2, y - HEIGHT / 2
        color = COLORS.get(room, "#d7e3f1")
        box = FancyBboxPatch(corner, WIDTH, HEIGHT, "round,pad=0.04", fc=color, ec="0.35", lw=0.9)
        axes.add_patch(box)
        count = f"  ({sizes[room]} files)" if sizes[room] > 1 else ""
        title = f"{room}{count}"
        axes.text(x, y + 0.17, title, ha="center", va="center", weight="bold", fontsize=10)
        small = 8 if "\n" in SAYS[room] else 9
        axes.text(x, y - 0.13, SAYS[room], ha="center", va="center", fontsize=small)
    edge = 0.2 + WIDTH / 2
    axes.set(xlim=(-6 - edge, 6 + edge), ylim=(-0.45, max(y for _, y in place.values()) + 0.45))
    axes.axis("off")
    figure.savefig(HERE / "rooms.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
