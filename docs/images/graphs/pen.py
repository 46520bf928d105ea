"""A pen for small pictures of computations, as SVG files of a few kilobytes.

All pictures keep one convention.  A *plate* holds a value: its name and shape, its numbers on the
left in the colour of the forward pass, and right of them, in the colour of the backward pass, the
gradient with respect to it.  A *pill* is an operation.  Arrows have the two colours as well.

The text of a picture stays text.  Each file has a title and a description for screen readers, a
style for light and one for dark screens, and a ground of its own, so that it can be read on any
page.  A picture is 360 units wide, and no letter is lower than 11 of them.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np
from colours import style_of
from figures import rows_of, shape_of

WIDTH = 360
LETTER = 6.65  # width of a letter of a fixed-width font of 11 units
ROW = 14  # from one line of numbers to the next


class Box(NamedTuple):
    """A rectangle that was drawn, for arrows to begin and end at."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def cx(self) -> float:
        return self.left + self.width / 2

    @property
    def cy(self) -> float:
        return self.top + self.height / 2


def short(value: float) -> str:
    """Return a coordinate with at most one decimal, the same on every computer."""
    return f"{round(value, 6) + 0:.1f}".removesuffix(".0")


class Picture:
    """One SVG file in the making."""

    def __init__(self, title: str, description: str, height: float) -> None:
        self.title, self.description, self.height = title, description, height
        self.parts: list[str] = []

    # --- single marks

    def add(self, tag: str, kind: str, **numbers: float | str) -> None:
        given = "".join(
            f' {name}="{value if isinstance(value, str) else short(value)}"'
            for name, value in numbers.items()
        )
        self.parts.append(f'<{tag} class="{kind}"{given}/>')

    def text(self, x: float, y: float, words: str, kind: str = "", anchor: str = "middle") -> None:
        """Write a line of text; ``y`` is its baseline, and columns of numbers keep their spaces."""
        given = f' class="{kind}"' if kind else ""
        given += "" if anchor == "start" else f' text-anchor="{anchor}"'
        words = escape(words, quote=False)
        space = ' xml:space="preserve"' if "  " in words or words != words.strip() else ""
        self.parts.append(f'<text x="{short(x)}" y="{short(y)}"{given}{space}>{words}</text>')

    def line(self, points: Iterable[tuple[float, float]], kind: str) -> None:
        path = "L".join(f"{short(x)} {short(y)}" for x, y in points)
        self.add("path", kind, d=f"M{path}")

    def dot(self, x: float, y: float, kind: str, r: float = 3.5) -> None:
        self.add("circle", kind, cx=x, cy=y, r=r)

    def bar(self, x: float, zero: float, height: float, width: float, kind: str) -> None:
        """Draw a bar that stands on the line ``zero``, or hangs from it if height is negative."""
        self.add("rect", kind, x=x, y=zero - max(height, 0), width=width, height=abs(height))

    @contextlib.contextmanager
    def group(self, identity: str) -> Iterator[None]:
        """Give the marks of a ``with`` block a name, by which a test finds their numbers."""
        self.parts.append(f'<g id="{identity}">')
        yield
        self.parts.append("</g>")

    # --- boxes

    def rectangle(self, box: Box, kind: str, round_: float = 4) -> Box:
        x, y, w, h = box
        self.add("rect", kind, x=x, y=y, width=w, height=h, rx=round_)
        return box

    def op(self, cx: float, top: float, words: str, kind: str = "op") -> Box:
        """Draw an operation: a pill with a line of words, or with several."""
        lines = words.split("\n")
        width = max(map(len, lines)) * LETTER + 18
        box = self.rectangle(Box(cx - width / 2, top, width, 6 + ROW * len(lines)), kind, 10)
        for k, line in enumerate(lines):
            self.text(cx, top + 14 + ROW * k, line)
        return box

    def head(self, cx: float, line: float, name: str, shape: str, colour: str) -> None:
        """Write a name, and its shape behind it."""
        start = cx - len(f"{name} {shape}".strip()) * LETTER / 2
        self.text(start, line, name, f"{colour} b", "start")
        if shape:
            self.text(start + (len(name) + 1) * LETTER, line, shape, "s", "start")

    def plate(
        self,
        cx: float,
        top: float,
        name: str,
        value: Any,
        grad: Any = None,
        *,
        shape: str | None = None,
        kind: str = "plate",
        colour: str = "v",
        grad_name: str = "",
        identity: str = "",
        width: float = 0,
    ) -> Box:
        """Draw a value and, unless ``grad`` is None, its gradient right of it.

        ``grad_name`` is "d" and the name unless it is given.  A test finds the numbers by
        ``identity``, which is the name unless it is given.
        """
        left, right = rows_of(value), [] if grad is None else rows_of(grad)
        shape = shape_of(value) if shape is None else shape
        grad_name = "" if grad is None else grad_name or f"d{name}"
        halves = [max(map(len, [f"{name} {shape}".strip(), *left])) * LETTER + 12]
        if grad is not None:
            halves.append(max(map(len, [grad_name, *right])) * LETTER + 12)
        halves = [half + max(0.0, width - sum(halves)) / len(halves) for half in halves]
        box = Box(cx - sum(halves) / 2, top, sum(halves), 20 + ROW * max(len(left), len(right)))
        edge = box.left + halves[0]
        with self.group(identity or name):
            self.rectangle(box, kind)
            self.head(box.left + halves[0] / 2, top + 13, name, shape, colour)
            for k, row in enumerate(left, start=1):
                self.text(box.left + halves[0] / 2, top + 13 + ROW * k, row, colour)
            if grad is not None:
                self.line([(edge, top + 3), (edge, box.bottom - 3)], "rule")
            for k, row in enumerate([grad_name, *right] if right else []):
                kind = "g" if k else "g b"
                self.text(edge + halves[-1] / 2, top + 13 + ROW * k, row, kind)
        return box

    def tall(
        self,
        cx: float,
        top: float,
        name: str,
        value: Any,
        grad: Any,
        kind: str = "plate",
        *,
        shape: str | None = None,
        grad_name: str = "",
        identity: str = "",
    ) -> Box:
        """Draw a row of numbers with its gradient below; the arguments are those of ``plate``."""
        shape = shape_of(value) if shape is None else shape
        grad_name = grad_name or f"d{name}"
        lines = [f"{name} {shape}", grad_name, rows_of(value)[0], rows_of(grad)[0]]
        width = max(map(len, lines)) * LETTER + 12
        box = Box(cx - width / 2, top, width, 4 * ROW + 8)
        middle = top + 2 * ROW + 4
        with self.group(identity or name):
            self.rectangle(box, kind)
            self.line([(box.left + 3, middle), (box.right - 3, middle)], "rule")
            self.head(cx, top + 13, name, shape, "v")
            self.text(cx, top + 13 + ROW, lines[2], "v")
            self.text(cx, middle + 13, grad_name, "g b")
            self.text(cx, middle + 13 + ROW, lines[3], "g")
        return box

    def tag(self, cx: float, cy: float, value: float, grad: float, identity: str) -> Box:
        """Draw a single number on an edge and its gradient, in one line without names."""
        left, right = rows_of(value)[0], rows_of(grad)[0]
        a, b = len(left) * LETTER + 8, len(right) * LETTER + 8
        box = Box(cx - (a + b) / 2, cy - 8, a + b, 16)
        with self.group(identity):
            self.rectangle(box, "param", 3)
            self.line([(box.left + a, cy - 5), (box.left + a, cy + 5)], "rule")
            self.text(box.left + a / 2, cy + 4, left, "v")
            self.text(box.left + a + b / 2, cy + 4, right, "g")
        return box

    # --- arrows

    def arrow(self, way: Sequence[tuple[float, float]], kind: str) -> None:
        """Draw an arrow along straight pieces; ``kind`` is v, g or t, the colour."""
        (x0, y0), (x1, y1) = way[-2:]
        length = float(np.hypot(x1 - x0, y1 - y0))
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        back = x1 - 7 * ux, y1 - 7 * uy
        self.line([*way[:-1], (x1 - 5 * ux, y1 - 5 * uy)], f"{kind}l")
        side = 3.2
        self.add(
            "path",
            kind,
            d=f"M{short(x1)} {short(y1)}L{short(back[0] - side * uy)} {short(back[1] + side * ux)}"
            f"L{short(back[0] + side * uy)} {short(back[1] - side * ux)}z",
        )

    def link(
        self,
        a: Box,
        b: Box,
        *,
        back: bool = True,
        start: float | None = None,
        end: float | None = None,
        half: float = 4.5,
    ) -> None:
        """Join a to b: an arrow forward and, right of it or below it, one backward.

        Where b lies below a, the arrows run from edge to edge and ``start`` and ``end`` are their
        x; where it lies beside a, they are their y.
        """
        half = half if back else 0
        if b.top >= a.bottom:
            x0 = a.cx if start is None else start
            x1 = b.cx if end is None else end
            down = [(x0 - half, a.bottom), (x1 - half, b.top)]
            up = [(x1 + half, b.top), (x0 + half, a.bottom)]
        else:
            y0 = a.cy if start is None else start
            y1 = b.cy if end is None else end
            x0, x1 = (a.right, b.left) if b.left >= a.right else (a.left, b.right)
            down = [(x0, y0 - half), (x1, y1 - half)]
            up = [(x1, y1 + half), (x0, y0 + half)]
        self.arrow(down, "v")
        if back:
            self.arrow(up, "g")

    def stop(self, x: float, y: float) -> None:
        """Draw a cross: here no gradient goes on."""
        for sign in (-1, 1):
            self.line([(x - 4.5, y - 4.5 * sign), (x + 4.5, y + 4.5 * sign)], "gl")

    # --- the file

    def svg(self) -> str:
        body = "\n".join(self.parts)
        marks = {"ground", "text"}.union(*map(str.split, re.findall('class="([^"]*)"', body)))
        w, h = WIDTH, short(self.height)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{short(WIDTH * 1.25)}"'
            f' height="{short(self.height * 1.25)}" viewBox="0 0 {w} {h}" role="img"'
            f' aria-labelledby="title desc">\n'
            f'<title id="title">{escape(self.title)}</title>\n'
            f'<desc id="desc">{escape(self.description)}</desc>\n<style>{style_of(marks)}</style>\n'
            f'<rect class="ground" x=".5" y=".5" width="{w - 1}" height="{short(self.height - 1)}"'
            f' rx="6"/>\n{body}\n</svg>\n'
        )
