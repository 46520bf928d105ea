"""A mistake on the command line, said in one line: tyro says it in a box of several."""

from __future__ import annotations

import re

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
BORDER = "│|╭╮╰╯─- \t"
# What tyro says about words that are no numbers: its words, and what was expected
WORDS = "(?P<words>.+)"
NUMBERS = {
    rf"invalid literal for int\(\) with base 10: {WORDS}": "a whole number",
    rf"could not convert string to float: {WORDS}": "a number",
    rf"no type matching {{None}}\|INT could be instantiated from \[{WORDS}\]": "a whole number",
    rf"no type matching {{None}}\|FLOAT could be instantiated from \[{WORDS}\]": "a number",
    rf"no type matching {{None}}\|{{INT INT}} .* from \[{WORDS}\]": "two whole numbers",
    rf"Could not parse arguments \[{WORDS}\] into tuple type .*float, float.*": "two numbers",
}


def in_one_line(box: str, more: str) -> str:
    """Return the sentences of tyro's box, with ``more``, the command that lists all options.

    The box has a title, what is wrong, perhaps something that helps, and a hint, with rules between
    them.
    """
    lines = [COLOUR.sub("", line).strip() for line in box.splitlines()]
    parts: list[list[str]] = [[]]
    for line in lines[1:]:  # without the title
        words = line.strip("│| \t")
        if words.strip(BORDER):
            parts[-1].append(words)
        elif parts[-1]:
            parts.append([])
    wrong, *helps = [" ".join(part) for part in parts if part] or [" ".join(lines)]
    wrong = re.sub(r" \(applied to [^)]*\)", "", wrong.partition(" Arguments are applied to")[0])
    wrong = _about_numbers(wrong.rstrip(".")).replace("Expected 1 values", "Expected 1 value")
    options, commands = list[str](), ""
    for text in helps:
        if text.startswith("Available subcommands"):
            commands = f" {text}."
        if text.startswith("Perhaps you meant"):
            found = re.findall(r"(?<!\S)--[a-z0-9-]+", text)
            options = [one for one in dict.fromkeys(found) if one != "--help" and one not in wrong]
    meant = f" Perhaps you meant {' or '.join(options)}." if options else ""
    return f"{wrong}.{commands}{meant} All options: {more}"


def _about_numbers(wrong: str) -> str:
    """Return what is wrong; of words that are no numbers, what was expected of them."""
    for said, expected in NUMBERS.items():
        if found := re.fullmatch(rf"Error parsing (?P<option>\S+): {said}", wrong):
            return f"{found['option']} is {found['words']}, expected {expected}"
    return wrong
