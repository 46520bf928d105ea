"""The Korean pages hold the same code, formulas and figures as the English ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHAPTERS = [
    "backprop-by-hand",
    "rules",
    "adam",
    "checking-gradients",
    "the-gan",
    "the-tutorial",
    "gradient-of-a-gradient",
    "conditional",
    "style",
    "your-own-layer",
    "bug-museum",
]
TO_LEARN = [*CHAPTERS[:5], "gan-in-the-plane", *CHAPTERS[5:]]  # a page with no number of its own
FOR_USE = [
    "report",
    "your-own-images",
    "is-it-working",
    "failures",
    "notebooks",
    "weights",
    "reliability",
    "performance",
    "scaling",
    "cuda",
    "references",
]
PAIRS = {f"docs/ko/{name}.md": f"docs/{name}.md" for name in TO_LEARN + FOR_USE}
PAIRS["README.ko.md"] = "README.md"

CODE_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
DISPLAY = re.compile(r"\$\$.*?\$\$", re.DOTALL)
CODE_SPAN = re.compile(r"`[^`]+`")
INLINE = re.compile(r"\$[^$]+\$")
TARGET = re.compile(r"\]\([^)]*\)")
FIGURE = re.compile(r"\d+[.,]\d+")
FOLD = re.compile(r"</?(?:details|summary)>")  # an answer, or a hint, that a click opens
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
LONG_NUMBER = re.compile(r"\d{3,}")
PICTURE = re.compile(r"!\[[^\]]*\]\((?:\.\./)?(images/[^)]*)\)")
NUMBERS = re.compile(r"[^|\w가-힣]*\d[^|A-Za-z가-힣]*")  # a cell of a table without letters


def parts(text: str) -> dict[str, list[str]]:
    """Return what a translation leaves as it is.  Words change their order, so spans are sorted."""
    found = {}
    for name, pattern in (
        ("code blocks", CODE_BLOCK),
        ("display formulas", DISPLAY),
        ("code spans", CODE_SPAN),
        ("inline formulas", INLINE),
    ):
        found[name] = [each.group() for each in pattern.finditer(text)]
        text = pattern.sub("", text)
    found["folds"] = FOLD.findall(text)
    text = FOLD.sub("", text)
    found["pictures"] = [path.split("docs/")[-1] for path in PICTURE.findall(text)]
    text = TARGET.sub("]", text)
    found["figures"] = FIGURE.findall(text)
    found["headings"] = re.findall(r"^#+(?= )", text, re.MULTILINE)
    found["rows of tables"] = [str(row.count("|")) for row in re.findall(r"^\|.*", text, re.M)]
    below_heads = re.findall(r"^\|.*$(?!\n\|-)", text, re.MULTILINE)
    below_heads = [re.sub(r"(\d)(?: to |에서 )(\d)", r"\1~\2", row) for row in below_heads]
    cells = [cell.strip() for row in below_heads for cell in row.split("|")]
    found["numbers of tables"] = [cell for cell in cells if NUMBERS.fullmatch(cell)]
    for name in ("code spans", "inline formulas", "figures"):
        found[name] = sorted(" ".join(span.split()) for span in found[name])
    found["prose"] = re.split(r"\n\s*\n", GENERATED.sub("", text))
    return found


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def running_text(page: str) -> str:
    """Return the words of a page, without code, formulas, headings, pictures and links."""
    text = read(page)
    for pattern in (CODE_BLOCK, GENERATED, DISPLAY, CODE_SPAN, INLINE, FOLD):
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
def test_long_numbers_of_the_prose_are_there(page: str) -> None:
    """A number of three digits is never a word in Korean; a shorter one may be, as in two: 두."""
    korean, english = (CODE_BLOCK.sub("", read(each)) for each in (page, PAIRS[page]))
    assert set(LONG_NUMBER.findall(english)) <= set(LONG_NUMBER.findall(korean))


def test_every_chapter_is_in_korean() -> None:
    """The tables of contents of both languages name the same chapters, in the same order."""
    english, korean = (
        [re.findall(r"^[\w-]+$", part, re.MULTILINE) for part in read(page).split("{toctree}")[1:]]
        for page in ("docs/index.md", "docs/ko/index.md")
    )
    assert english[0] == korean[0] == TO_LEARN
    assert [page for page in english[1] if page in FOR_USE] == korean[1] == FOR_USE
    linked = re.findall(r"^\| \d+ \[[^\]]*\]\(([^)]*)\)", read("docs/ko/index.md"), re.MULTILINE)
    assert linked == [f"{name}.md" for name in CHAPTERS]


@pytest.mark.parametrize("page", PAIRS)
def test_korean_pages_lead_on_in_korean(page: str) -> None:
    """A link goes to the Korean page wherever there is one."""
    for target in re.findall(r"\]\(([^)#:\s]+)", CODE_BLOCK.sub("", read(page))):
        path = ((ROOT / page).parent / target).resolve()
        english = path.relative_to(ROOT).as_posix()
        translated = english in PAIRS.values() and english != PAIRS[page]
        assert not translated, f"{target} of {page}"


@pytest.mark.parametrize("page", PAIRS)
def test_bold_words_end(page: str) -> None:
    """Markdown shows **0%**를 with its stars: after a sign, they need a space or a sign to end."""
    text = CODE_SPAN.sub("x", CODE_BLOCK.sub("", read(page)))
    assert not re.findall(r"[^\w\s*]\*{1,2}[가-힣]", re.sub(r"\s\*{1,2}\S", " ", text))


@pytest.mark.parametrize("page", PAIRS)
def test_no_words_are_struck_out(page: str) -> None:
    """GitHub strikes out what stands between two ~ of a paragraph, as in 2~3 and 4~5."""
    text = CODE_SPAN.sub("", CODE_BLOCK.sub("", read(page)))
    for piece in re.split(r"\n\s*\n|\|", text):
        assert piece.count("~") < 2, piece


@pytest.mark.parametrize("page", PAIRS)
def test_korean_pages_link_to_the_english_ones(page: str) -> None:
    """README.md links to README.ko.md; the other English pages link to Korean by their index."""
    (link,) = re.findall(r"^\[English\]\(([^)]*)\)", read(page), re.MULTILINE)
    assert ((ROOT / page).parent / link).resolve() == ROOT / PAIRS[page]
    assert "[한국어](README.ko.md)" in read("README.md")


@pytest.mark.parametrize("page", sorted({*PAIRS, "docs/ko/index.md"} - {"docs/ko/references.md"}))
def test_prose_is_korean(page: str) -> None:
    """Each paragraph is Korean; its Latin letters are names of code, of formulas and of people.

    The page of references has English titles.
    """
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
    text += "<details>\n<summary>x</summary>\n\nx\n\n</details>\n"
    text += "| 7 | c |\n\n![x](images/x.png)\n"
    for changed in (
        text.replace("$x$", "$y$"),
        text.replace("`y`", "`z`"),
        text.replace("0.5", "0.6"),
        text.replace("$$\nx", "$$\ny"),
        text.replace("```py\nx", "```py\ny"),
        text.replace("# A", "## A"),
        text.replace("| a |", "| a | c |"),
        text.replace("| 7 |", "| 8 |"),
        text.replace("x.png", "y.png"),
        text.replace("</details>", ""),
    ):
        assert parts(changed) | {"prose": []} != parts(text) | {"prose": []}, changed
