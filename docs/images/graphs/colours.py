"""The colours of the pictures, on a light page and on a dark one, as a style sheet."""

from __future__ import annotations

FONT = "11px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
LIGHT = {  # the colours of each kind of mark, on a light page ...
    "ground": "#fdfcf9 #dcd9d0", "plate": "#ffffff #a9a79f", "param": "#f1eee3 #a9a79f",
    "op": "#e4e6ea #85888f", "frozen": "#f1f3f5 #85888f", "group": "none #a9a79f",
    "rule": "none #d3d0c7", "axis": "none #85888f", "sl": "none #85888f",
    "v": "#0b57a4", "g": "#b03a00", "t": "#6b3fa0", "s": "#5c5f66", "text": "#24262b",
    "vl": "none #0b57a4", "gl": "none #b03a00", "tl": "none #6b3fa0",
    "vb": "#9cc3ea", "gb": "#f0b08c", "tb": "#cbb3e6",
}  # fmt: skip
DARK = {  # ... and on a dark one
    "ground": "#191b1f #3b3e45", "plate": "#23262b #6d7078", "param": "#302f2a #6d7078",
    "op": "#3a3e46 #8b8f98", "frozen": "#1f2227 #8b8f98", "group": "none #6d7078",
    "rule": "none #44474e", "axis": "none #8b8f98", "sl": "none #8b8f98",
    "v": "#86bdf5", "g": "#ff9d66", "t": "#c6a5f2", "s": "#a9acb3", "text": "#e6e5e1",
    "vl": "none #86bdf5", "gl": "none #ff9d66", "tl": "none #c6a5f2",
    "vb": "#2d5f92", "gb": "#8f4a22", "tb": "#5f4488",
}  # fmt: skip
SHAPES = (
    ".vl,.gl,.tl{stroke-width:1.4}.sl,.frozen{stroke-dasharray:3 3}.group{stroke-dasharray:5 4}"
    ".b{font-weight:bold}.h{stroke-width:3px;paint-order:stroke}"
)


def rules_of(colours: dict[str, str], marks: set[str]) -> str:
    """Return the style sheet that gives the marks of a picture their colours."""
    lines = []
    for kind, pair in colours.items():
        if kind in marks:
            fill, _, stroke = pair.partition(" ")
            given = f"fill:{fill}" + (f";stroke:{stroke}" if stroke else "")
            lines.append(f"{'' if kind == 'text' else '.'}{kind}{{{given}}}")
    halo = colours["ground"].split()[0]
    return "".join(lines) + (f".h{{stroke:{halo}}}" if "h" in marks else "")


def style_of(marks: set[str]) -> str:
    """Return the style sheet of a picture that has these kinds of marks."""
    dark = f"@media(prefers-color-scheme:dark){{{rules_of(DARK, marks)}}}"
    return f"text{{font:{FONT}}}{SHAPES}{rules_of(LIGHT, marks)}{dark}"
