"""Would the tests notice a wrong formula?  Change the core in one place at a time, and see.

    python -m pip install ".[mutation]"
    python tests/mutation/run.py                         # all of it: an hour on two cores
    python tests/mutation/run.py --only optim losses     # some files

cosmic-ray makes the changes, which are called mutants: a plus becomes a minus, a number grows by
one, a condition is turned round.  A mutant is killed if a test fails.  One that survives is a hole
in the tests, or makes no difference to anybody; then ``equivalent.json`` names it and says why.
The exit status is 1 if a mutant survives that is not in this list.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.json")

MATHEMATICS = "tests/mathematics"
# The check takes its time: mutants meet a third of the battery of scales.
SOME = "(not no_wrong_rule or (tanh and off)) and (not no_right or tanh) and (not far or 100)"
# the files of the check, those with the quickest tests first
FILES = "verdict problem precision rounding kinks extrapolation compare check faults".split()
GRADCHECK = [
    *(f"tests/gradcheck/test_{name}.py" for name in FILES),
    "tests/gradcheck/test_gradcheck.py",
    "tests/gradcheck/test_gan_gradients.py",
    "tests/gradcheck/test_scales.py",
    f"-k=not everything and not generator and {SOME}",
]
TESTS = {  # the tests that kill most of a file's mutants come first
    "layers": [f"{MATHEMATICS}/test_layers.py", MATHEMATICS],
    "activations": [f"{MATHEMATICS}/test_activations.py", MATHEMATICS],
    "batch_norm": [f"{MATHEMATICS}/test_batch_norm.py", MATHEMATICS],
    "network": [f"{MATHEMATICS}/test_network.py", MATHEMATICS],
    "losses": [f"{MATHEMATICS}/test_losses.py", MATHEMATICS],
    "optim": [f"{MATHEMATICS}/test_optim.py", MATHEMATICS],
    "penalty": [f"{MATHEMATICS}/test_penalty.py", MATHEMATICS],
    "conditional": [f"{MATHEMATICS}/test_conditional.py", MATHEMATICS],
    "style": [f"{MATHEMATICS}/test_style.py", MATHEMATICS],
    "gan": [f"{MATHEMATICS}/test_gan.py", f"{MATHEMATICS}/test_penalty.py", MATHEMATICS],
    "gradcheck/penalty": ["tests/gradcheck/test_r1_check.py", f"{MATHEMATICS}/test_penalty.py"],
    "gradcheck/watch": [
        "tests/gradcheck/test_kinks.py",
        "tests/gradcheck/test_faults.py",
        *GRADCHECK,
    ],
    **{f"gradcheck/{name}": [f"tests/gradcheck/test_{name}.py", *GRADCHECK] for name in FILES},
}
QUICK = ["-x", "-q", "--tb=no", "-p", "no:cacheprovider", "-p", "_hypothesis_pytestplugin"]
QUICK += ["--hypothesis-profile=unshrunk"]  # nobody reads why a mutant fails
# Bit operations do not take floats, and the | of a type is never computed; //, % and ** in the
# place of another operator add little to / and *, and "is" little to ==, since small numbers are
# one object each.
LEFT_OUT = [
    r".*_(RShift|LShift|BitOr|BitAnd|BitXor|FloorDiv|Mod)$",
    r".*BinaryOperator_BitOr_.*",
    r".*BinaryOperator_.*_Pow$",
    r".*ComparisonOperator_(?!Is).*_(Is|IsNot)$",
]


@dataclass(frozen=True)
class Mutant:
    """One change of one line, and what the tests said to it."""

    file: str
    place: str  # the function
    was: str
    became: str
    survived: bool

    @property
    def name(self) -> tuple[str, ...]:
        return self.file, self.place, self.was, self.became


def mutants_of(file: str, folder: Path) -> list[Mutant]:
    """Make all mutants of a file in a copy of the checkout, and run its tests on each."""
    copy = folder / file.replace("/", "_")
    skip = shutil.ignore_patterns(".*", "__pycache__", "docs", "build")
    shutil.copytree(ROOT, copy, ignore=skip)
    config, session = copy / "mutation.toml", copy / "session.sqlite"
    command = [sys.executable, "-m", "pytest", *QUICK, *TESTS[file]]
    config.write_text(
        "[cosmic-ray]\n"
        f'module-path = "minigan/{file}.py"\ntimeout = 120.0\nexcluded-modules = []\n'
        f"test-command = {json.dumps(' '.join(map(_quoted, command)))}\n"
        '[cosmic-ray.distributor]\nname = "local"\n'
        f"[cosmic-ray.filters.operators-filter]\nexclude-operators = {json.dumps(LEFT_OUT)}\n"
    )
    tools = Path(sys.executable).parent
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    # All tests must pass before anything is changed.  This run also compiles them to bytecode; the
    # package is compiled anew for each mutant, since bytecode is told apart only by the second.
    subprocess.run(command, cwd=copy, env=environment, check=True, stdout=subprocess.DEVNULL)
    for compiled in (copy / "minigan").rglob("__pycache__"):
        shutil.rmtree(compiled)
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    for words in (
        [tools / "cosmic-ray", "init", config, session],
        [tools / "cr-filter-operators", session, config],
        [tools / "cosmic-ray", "exec", config, session],
    ):
        subprocess.run([str(word) for word in words], cwd=copy, env=environment, check=True)
    found = list(_results(file, session))
    shutil.rmtree(copy)
    killed = sum(not mutant.survived for mutant in found)
    print(f"{file}: {killed} of {len(found)} killed", flush=True)
    return found


def _quoted(word: str) -> str:
    return f"'{word}'" if " " in word else word


def _results(file: str, session: Path) -> Iterator[Mutant]:
    never_called = _overloads((ROOT / "minigan" / f"{file}.py").read_text(encoding="utf-8"))
    rows = sqlite3.connect(session).execute(
        "select definition_name, start_pos_row, diff, test_outcome from mutation_specs "
        "join work_results using (job_id) where worker_outcome != 'SKIPPED'"
    )
    for place, row, diff, outcome in rows:
        if row in never_called:
            continue
        lines = [line for line in diff.splitlines() if line[:3] not in ("---", "+++")]
        was, became = (
            " ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+"
        )
        yield Mutant(file, place or "", was, became, outcome == "SURVIVED")


def _overloads(source: str) -> set[int]:
    """Return the lines of functions that only state types."""
    return {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
        and node.decorator_list
        and ast.unparse(node.decorator_list[0]) == "overload"
        for line in range(node.decorator_list[0].lineno, (node.end_lineno or 0) + 1)
    }


def main() -> int:
    """Make all mutants, print the table and the survivors, and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=TESTS, default=list(TESTS), metavar="FILE")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--survivors", type=Path, help="a file that gets the survivors as JSON")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        ThreadPoolExecutor(options.workers) as workers,
    ):
        results = list(workers.map(lambda file: mutants_of(file, Path(folder)), options.only))
    known = {tuple(one["mutant"]) for one in json.loads(EQUIVALENT.read_text(encoding="utf-8"))}
    lines = ["| file | mutants | killed | equivalent | survived |", "|---|---|---|---|---|"]
    holes: list[Mutant] = []
    for file, found in zip(options.only, results, strict=True):
        alive = [mutant for mutant in found if mutant.survived]
        listed = [mutant for mutant in alive if mutant.name in known]
        holes += [mutant for mutant in alive if mutant.name not in known]
        lines.append(
            f"| {file}.py | {len(found)} | {len(found) - len(alive)} | {len(listed)} | "
            f"{len(alive) - len(listed)} |"
        )
    print("\n".join(lines))
    for mutant in holes:
        print(f"\n{mutant.file}, {mutant.place}\n  was    {mutant.was}\n  became {mutant.became}")
    if options.survivors:
        text = [{"mutant": mutant.name, "why": ""} for mutant in holes]
        options.survivors.write_text(json.dumps(text, indent=1, ensure_ascii=False) + "\n")
    return 1 if holes else 0


if __name__ == "__main__":
    raise SystemExit(main())
