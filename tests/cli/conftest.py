"""Fixtures of the tests of the command."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.narrow import narrow_networks

from minigan.cli import main


@pytest.fixture
def run(
    tiny_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Path:
    """The folder of a run of four steps of narrow networks."""
    narrow_networks(monkeypatch)
    out = tmp_path / "run"
    args = ["train", "--epochs", "1", "--batch-size", "50", "--data", str(tiny_data)]
    assert main([*args, "--out", str(out)]) == 0
    capsys.readouterr()
    return out
