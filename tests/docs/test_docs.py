"""Every code block of README and docs runs and prints what the page says; every link leads on."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import textwrap
from pathlib import Path
from typing import Any

import pytest
from sybil import Document
from sybil.parsers.markdown import CodeBlockParser

from minigan.cli.entry import main

ROOT = Path(__file__).parents[2]
PAGES = [
    page.relative_to(ROOT).as_posix()
    for folder in (".", "docs", "docs/ko", "examples", "examples/exercises")
    for page in sorted((ROOT / folder).glob("*.md"))
    if page.name != "CHANGELOG.md"
]


def run_python(example: Any) -> None:
    example.namespace["printed"] = io.StringIO()
    with contextlib.redirect_stdout(example.namespace["printed"]):
        exec(compile(example.parsed, example.path, "exec"), example.namespace)


def compare_text(example: Any) -> None:
    """Hold a text block against what the python block before it printed.

    Sybil removes indents that all lines have in common.
    """
    printed = textwrap.dedent(example.namespace["printed"].getvalue())
    assert printed.strip() == textwrap.dedent(example.parsed).strip()


def compare_source(example: Any) -> None:
    """Hold a py or js block against the file that its first line names: it is an excerpt of it."""
    first, lines = example.parsed.split("\n", 1)
    source = (ROOT / re.sub("^(#|//) ", "", first)).read_text(encoding="utf-8")
    indents = {line[: len(line) - len(line.lstrip())] for line in source.splitlines()}
    excerpts = (textwrap.indent(lines.rstrip(), indent) for indent in indents)
    assert any(f"\n{excerpt}\n" in source for excerpt in excerpts), f"{first} has other lines"


PARSERS = (
    CodeBlockParser("python", run_python),
    CodeBlockParser("text", compare_text),
    CodeBlockParser("py", compare_source),
    CodeBlockParser("js", compare_source),
)


def with_torch(page: str) -> Any:
    """Return the page, marked if its blocks need PyTorch."""
    needs = "import torch" in (ROOT / page).read_text(encoding="utf-8")
    return pytest.param(page, marks=pytest.mark.torch) if needs else page


@pytest.mark.parametrize("page", [with_torch(page) for page in PAGES])
def test_blocks_do_what_they_say(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if "import torch" in (ROOT / page).read_text(encoding="utf-8"):
        pytest.importorskip("torch")
    for example in Document.parse(str(ROOT / page), *PARSERS).examples():
        example.evaluate()


def test_every_block_is_of_a_kind_that_is_tested() -> None:
    """A block with another label would be skipped; a text block needs a python block before it."""
    tested = {"python", "text", "py", "js", "sh"}
    elsewhere = {
        "docs/bug-museum.md": {""},  # right and wrong lines: test_museum.py
        "docs/ko/bug-museum.md": {""},
        "docs/failures.md": {""},  # the same: test_gallery.py
        "docs/ko/failures.md": {""},
        "docs/is-it-working.md": {"console"},  # what a command printed: it takes a minute
        "docs/ko/is-it-working.md": {"console"},
        "docs/your-own-images.md": {"console"},  # a folder of somebody's pictures
        "docs/ko/your-own-images.md": {"console"},
        "docs/performance.md": {"console"},  # the same, on the machine it names
        "docs/ko/performance.md": {"console"},
        "examples/exercises/README.md": {"console"},  # test_exercise.py
        "README.md": {""},  # the tree of the package: test_tree.py
        "README.ko.md": {""},
        "docs/architecture.md": {""},
        "docs/index.md": {"{include} README.md", "{toctree}"},
        "docs/ko/index.md": {"{toctree}"},
        "docs/api.md": {"{eval-rst}"},
        "docs/notebooks.md": {"{eval-rst}"},
        "docs/ko/notebooks.md": {"{eval-rst}"},
    }
    count = 0
    for page in PAGES:
        fences = re.findall(r"^```(.*)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
        labels = fences[::2]  # the others close
        assert set(labels) <= tested | elsewhere.get(page, set()), page
        for before, label in zip(["", *labels], labels, strict=False):
            assert label != "text" or before == "python", page
        count += sum(label in tested for label in labels)
    assert count >= 60


FOLDED = re.compile(r"^<details>\n<summary>[^<\n]+</summary>\n\n(.*?)\n\n</details>$", re.M | re.S)


@pytest.mark.parametrize("page", PAGES)
def test_what_is_folded_is_shown_and_run(page: str) -> None:
    """GitHub and MyST need blank lines within a fold; its blocks are run as all others are."""
    text = (ROOT / page).read_text(encoding="utf-8")
    folds = FOLDED.findall(text)
    assert len(folds) == text.count("<details") == text.count("</details"), page
    run = {example.parsed for example in Document.parse(str(ROOT / page), *PARSERS).examples()}
    for fold in folds:
        assert set(re.findall(r"^```(?:python|py)\n(.*?)```$", fold, re.M | re.S)) <= run


@pytest.mark.parametrize("folder", ["docs", "docs/ko"])
def test_each_of_the_first_chapters_asks(folder: str) -> None:
    """Chapters 2 to 10 ask before they tell; chapters 1 to 10 end with three questions."""
    rules = (ROOT / folder / "rules.md").read_text(encoding="utf-8")
    asked = re.findall(r"exercises/(ex\d+_\w+\.py)\)", rules.partition("<details>")[0])
    asked += re.findall(r"exercises/(ex\d+_\w+\.py)\)", rules.partition("<details>")[2])
    assert asked == sorted(file.name for file in (ROOT / "examples/exercises").glob("ex0[1-8]*"))
    question = re.compile(r"^\*\*(?:\w+ it first|먼저 \w+ ?보세요)\.\*\*", re.MULTILINE)
    names = ["backprop-by-hand", "rules", "adam", "checking-gradients", "the-gan", "the-tutorial"]
    names += ["gradient-of-a-gradient", "conditional", "style", "your-own-layer"]
    for name in names:
        text = (ROOT / folder / f"{name}.md").read_text(encoding="utf-8")
        assert len(question.findall(text)) >= 3 or name == "backprop-by-hand"
        last = re.split("^## ", text, flags=re.MULTILINE)[-1]
        assert len(FOLDED.findall(last)) == 3
        assert re.findall(r"^\*\*(\d)\.\*\* ", last, re.MULTILINE) == ["1", "2", "3"]
        assert len(re.findall("^```python$", last, re.MULTILINE)) == 3


@pytest.mark.parametrize("folder", ["docs", "docs/ko"])
def test_chapters_and_exercises_are_one_path(folder: str) -> None:
    """Who reads the chapters in their order meets the exercises in theirs."""
    table = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    named: list[str] = []
    for chapter in re.findall(r"^\| \d+ \[[^]]*\]\(([\w-]+\.md)\)", table, re.MULTILINE):
        text = (ROOT / folder / chapter).read_text(encoding="utf-8")
        named += re.findall(r"exercises/(ex\d+)_\w+\.py\)", text)
    met = list(dict.fromkeys(named))
    assert met == [f"ex{number:02}" for number in range(1, 16)]


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_their_options_exist(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    text = "\n".join(blocks).replace("\\\n", " ")
    for line in re.findall(r"\bminigan ([a-z-].*)", text):
        command, *words = shlex.split(line.split("&&")[0], comments=True)
        if command == "--version":
            continue
        with pytest.raises(SystemExit) as caught:
            main([command, "--help"])
        assert caught.value.code == 0
        help_text = capsys.readouterr().out
        for option in (word for word in words if word.startswith("--")):
            assert re.search(rf"{option}[ ,]", help_text), line
    for script in re.findall(r"\bpython ((?:examples|docs)/\S+\.py)", text):
        assert (ROOT / script).exists(), script


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for link, anchor in re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]*))?\)", text):
        target = (ROOT / page).parent / link if link else ROOT / page
        assert target.exists(), link
        if anchor:
            heads = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {slug(head) for head in heads}, anchor


def slug(head: str) -> str:
    """Return the anchor that GitHub and MyST make of a heading."""
    return re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-")
