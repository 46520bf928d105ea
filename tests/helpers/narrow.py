"""The tutorial's networks with few units, for tests of what a run does around its steps.

A step of the whole networks is what ``tests/mathematics``, ``tests/training/test_first_steps.py``
and ``tests/training/test_golden.py`` are about.
"""

from __future__ import annotations

from typing import Any

import pytest

import minigan as mg
from minigan.style import Constant, ModulatedLinear, Noise, Shift

WIDTHS = {256: 32, 512: 48, 1024: 64}  # the hidden layers; images and z keep their sizes


def narrow_networks(patch: pytest.MonkeyPatch) -> None:
    """Let ``generator`` and ``discriminator`` build networks of one twentieth of the parameters."""

    def narrowed(layer: type[mg.Layer]) -> Any:
        return lambda *sizes: layer(*(WIDTHS.get(n, n) for n in sizes))

    for layer in (mg.Linear, mg.BatchNorm1d, Constant, ModulatedLinear, Shift, Noise):
        patch.setattr(f"minigan.models.{layer.__name__}", narrowed(layer))
