"""The Korean pages hold the same code, formulas and figures as the English ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHAPTERS = [
    "backprop-by-hand",
    "rules",
    "the-gan",
    "the-tutorial",
    "gradient-of-a-gradient",
    "conditional",
    "style",
]
PAIRS = {f"docs/ko/{name}.md": f"docs/{name}.md" for name in [*CHAPTERS, "is-it-working"]}
PAIRS["README.ko.md"] = "README.md"

CODE_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
DISPLAY = re.compile(r"\$\$.*?\$\$", re.DOTALL)
CODE_SPAN = re.compile(r"`[^`]+`")
INLINE = re.compile(r"\$[^$]+\$")
TARGET = re.compile(r"\]\([^)]*\)")
FIGURE = re.compile(r"\d+[.,]\d+")
GENERATED = re.compile(r"<!-- (\w+) -->.*<!-- end of \1 -->", re.DOTALL)  # by a program

PLAIN = r"\S*(?<![니시])다(?=[.?!](?:[\s)]|$))"  # 한다., in place of 합니다. or 합시다.
TRANSLATED = "(?<!서브)그래디언트|벌칙|위층|아래층|소식|인수|찍[는고]|들통|밀[린려]"
TERMS = {
    "역전파": "backprop",
    "판별자": "discriminator",
    "생성자": "generator",
    "잠재 벡터": "latent vector",
    "배치 정규화": "batch normalization",
    "이동 평균": "moving average",
    "이진 교차 엔트로피": "binary cross-entropy",
    "유한 차분": "finite difference",
    "가능도": "likelihood",
    "노름": "norm",
    "로짓": "logit",
    "기울기": "gradient",
    "매개변수": "parameter",
    "포화": "saturation",
    "붕괴": "collapse",
    "인자": "argument",
    "편향": "bias",
    "정답": "target",
}


def parts(text: str) -> dict[str, list[str]]:
    """Return what a translation leaves as it is.  Words change their order, so spans are sorted."""
    found = {}
    for name, pattern in (
        ("code blocks", CODE_BLOCK),
        ("generated tables", GENERATED),
        ("display formulas", DISPLAY),
        ("code spans", CODE_SPAN),
        ("inline formulas", INLINE),
    ):
        found[name] = [each.group() for each in pattern.finditer(text)]
        text = pattern.sub("", text)
    text = TARGET.sub("]", text)
    found["figures"] = FIGURE.findall(text)
    found["headings"] = re.findall(r"^#+(?= )", text, re.MULTILINE)
    found["rows of tables"] = [str(row.count("|")) for row in re.findall(r"^\|.*", text, re.M)]
    for name in ("code spans", "inline formulas", "figures"):
        found[name] = sorted(" ".join(span.split()) for span in found[name])
    found["prose"] = re.split(r"\n\s*\n", text)
    return found


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def running_text(page: str) -> str:
    """Return the words of a page, without code, formulas, headings, pictures and links."""
    text = read(page)
    for pattern in (CODE_BLOCK, GENERATED, DISPLAY, CODE_SPAN, INLINE):
        text = pattern.sub("", text)
    text = re.sub(r"^(#| {4}).*", "", text, flags=re.MULTILINE)
    text = re.sub(r"!?\[[^](]*\]\([^)]*\)", "", text)
    return " ".join(text.replace("*", "").split())


@pytest.mark.parametrize("page", PAIRS)
def test_code_formulas_and_figures_are_the_same(page: str) -> None:
    korean, english = parts(read(page)), parts(read(PAIRS[page]))
    for name in set(english) - {"prose"}:
        assert korean[name] == english[name], f"{name} of {page}"


@pytest.mark.parametrize("page", PAIRS)
def test_korean_pages_link_to_the_english_ones(page: str) -> None:
    """README.md links to README.ko.md; the other English pages link to Korean by their index."""
    (link,) = re.findall(r"^\[English\]\(([^)]*)\)", read(page), re.MULTILINE)
    assert ((ROOT / page).parent / link).resolve() == ROOT / PAIRS[page]
    assert "[한국어](README.ko.md)" in read("README.md")


@pytest.mark.parametrize("page", [*PAIRS, "docs/ko/index.md"])
def test_prose_is_korean(page: str) -> None:
    """Each paragraph is Korean; its Latin letters are names of code, of formulas and of people."""
    for paragraph in parts(read(page))["prose"]:
        hangul = len(re.findall("[가-힣]", paragraph))
        latin = len(re.findall("[A-Za-z]", paragraph))
        assert latin < 20 or hangul > latin / 2, paragraph


@pytest.mark.parametrize("page", PAIRS)
def test_formulas_begin_after_a_space(page: str) -> None:
    """GitHub shows $x$ as a formula after a space, but not after a Korean letter."""
    text = CODE_SPAN.sub("", DISPLAY.sub("", CODE_BLOCK.sub("", read(page))))
    before = [text[: found.start()][-1:] for found in INLINE.finditer(text)]
    assert set(before) <= {" ", "\n"}, [c for c in before if not c.isspace()]


@pytest.mark.parametrize("page", [*PAIRS, "docs/ko/index.md"])
def test_sentences_are_polite(page: str) -> None:
    """Each sentence ends as it does in a Korean textbook (합니다체), not as in a newspaper."""
    assert not re.findall(PLAIN, running_text(page))


@pytest.mark.parametrize("page", [*PAIRS, "docs/ko/index.md"])
def test_words_are_those_of_korean_books(page: str) -> None:
    """None of the words that a translation would take from a dictionary, or from a metaphor."""
    assert not re.findall(TRANSLATED, read(page))


@pytest.mark.parametrize("page", PAIRS)
def test_terms_come_with_their_english(page: str) -> None:
    """The first sentence that has a term gives the English term in brackets behind it."""
    text = running_text(page)
    first = {term: text[text.find(term) :][:60] for term in TERMS if term in text}
    for term, found in first.items():
        assert re.match(rf"[가-힣 ]+\([^)]*{TERMS[term]}", found), found


def test_the_comparison_sees_a_change() -> None:
    text = "# A\n\nSet $x$ to `y` or 0.5.\n\n$$\nx\n$$\n\n```py\nx\n```\n\n| a | b |\n"
    text += "<!-- t -->\n| c | 7 |\n<!-- end of t -->\n"
    for changed in (
        text.replace("$x$", "$y$"),
        text.replace("`y`", "`z`"),
        text.replace("0.5", "0.6"),
        text.replace("$$\nx", "$$\ny"),
        text.replace("```py\nx", "```py\ny"),
        text.replace("# A", "## A"),
        text.replace("| a |", "| a | c |"),
        text.replace("| 7 |", "| 8 |"),
    ):
        assert parts(changed) | {"prose": []} != parts(text) | {"prose": []}, changed
