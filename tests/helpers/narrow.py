"""The tutorial's networks with few units, for tests of what a run does around its steps.

A step of the whole networks is what ``tests/mathematics``, ``tests/training/test_first_steps.py``
and ``tests/training/test_golden.py`` are about.
"""

from __future__ import annotations

import pytest

import minigan as mg

WIDTHS = {256: 32, 512: 48, 1024: 64}  # the hidden layers; images and z keep their sizes


def narrow_networks(patch: pytest.MonkeyPatch) -> None:
    """Let ``generator`` and ``discriminator`` build networks of one twentieth of the parameters."""

    def linear(n_in: int, n_out: int) -> mg.Linear:
        return mg.Linear(WIDTHS.get(n_in, n_in), WIDTHS.get(n_out, n_out))

    patch.setattr("minigan.models.Linear", linear)
    patch.setattr("minigan.models.BatchNorm1d", lambda n: mg.BatchNorm1d(WIDTHS[n]))
