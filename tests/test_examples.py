"""The examples run and do what they say, and so does every code block of the README."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sybil import Document
from sybil.parsers.markdown import CodeBlockParser

from minigan.cli import main

ROOT = Path(__file__).parent.parent


def run_example(name: str, **environment: str) -> str:
    result = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_xor() -> None:
    lines = run_example("xor.py").splitlines()
    table = dict(line.split(" = ") for line in lines if " xor " in line)
    assert {key: round(float(p)) for key, p in table.items()} == {
        "0 xor 0": 0,
        "0 xor 1": 1,
        "1 xor 0": 1,
        "1 xor 1": 0,
    }
    assert lines[-1].startswith("PASS")
    code = (ROOT / "examples" / "xor.py").read_text().splitlines()
    assert len([line for line in code if line and not line.startswith("#")]) <= 25


def test_mnist_gan(tmp_path: Path) -> None:
    out = run_example("mnist_gan.py", EPOCHS="1", BATCH_SIZE="2000", OUT=str(tmp_path))
    assert re.search(r"Epoch \[1/1\]  d_loss \d\.\d{4}  g_loss \d\.\d{4}", out)
    with Image.open(tmp_path / "epoch_0001.png") as picture:
        assert np.asarray(picture).std() > 10


def run_python(example: Any) -> None:
    example.namespace["printed"] = io.StringIO()
    with contextlib.redirect_stdout(example.namespace["printed"]):
        exec(compile(example.parsed, "README.md", "exec"), example.namespace)


def compare_text(example: Any) -> None:
    """A text block is what the python block before it printed."""
    assert example.namespace["printed"].getvalue().strip() == example.parsed.strip()


def test_readme_blocks_print_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = ROOT / "README.md"
    monkeypatch.chdir(tmp_path)
    parsers = CodeBlockParser("python", run_python), CodeBlockParser("text", compare_text)
    examples = list(Document.parse(str(readme), *parsers).examples())
    assert len(examples) == 8
    for example in examples:
        example.evaluate()


@pytest.mark.parametrize("command", ["train", "sample", "gradcheck", "info"])
def test_readme_commands_and_their_options_exist(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = re.findall(rf"minigan {command}\b([^`\n#]*)", (ROOT / "README.md").read_text())
    assert lines
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    help_text = capsys.readouterr().out
    for option in re.findall(r"--[a-z-]+", " ".join(lines)):
        assert f"{option} " in help_text, option


def test_readme_links_lead_somewhere() -> None:
    readme = (ROOT / "README.md").read_text()
    links = re.findall(r"\]\(([^)#:]+)\)", readme)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link
