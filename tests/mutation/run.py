"""Would the tests notice a wrong formula?  Change the core in one place at a time, and see.

    python -m pip install ".[mutation]"
    python tests/mutation/run.py                         # all of it: an hour on two cores
    python tests/mutation/run.py --only optim losses     # some files

cosmic-ray makes the changes, which are called mutants: a plus becomes a minus, a number grows by
one, a condition is turned round.  A mutant is killed if a test fails, or if the tests have not
ended after two minutes, which is counted on its own.  One that survives is a hole in the tests, or
makes no difference to anybody; then ``equivalent.json`` names it and says why.
The exit status is 1 if a mutant survives that is not in this list.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.json")

FOLDER = ROOT / "tests" / "mathematics"
SLOW = ("test_parity.py", "test_gan.py", "test_style.py", "test_batch_norm.py")  # these come last
MATHEMATICS = [
    f"tests/mathematics/{file.name}"
    for file in sorted(FOLDER.glob("test_*.py"), key=lambda f: (f.name in SLOW, f.name == SLOW[0]))
]


WEIGHTS = "tests/weights/test_saved_networks.py"  # a network in a file is the same network


def first(*names: str) -> list[str]:
    """Return the tests of the mathematics, those with these names before all others."""
    return [*(f"tests/mathematics/test_{name}.py" for name in names), *MATHEMATICS]


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
    "layers": first("layers", "penalty", "layer_errors", "network"),
    "activations": first("activations", "penalty", "losses"),
    "batch_norm": [*first("batch_norm"), WEIGHTS],
    "network": [*first("network", "nothing_silent", "style"), WEIGHTS],
    "losses": first("losses"),
    "optim": first("optim"),
    "penalty": first("penalty"),
    "conditional": first("conditional"),
    "style": first("style"),
    "styled": [*first("style"), WEIGHTS],
    "gan": first("gan", "conditional", "penalty"),
    "gradcheck/penalty": ["tests/gradcheck/test_r1_check.py", "tests/mathematics/test_penalty.py"],
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
    late: bool = False  # its tests did not fail, but did not end either: too slow, or for ever

    @property
    def name(self) -> tuple[str, ...]:
        return self.file, self.place, self.was, self.became


def mutants_of(file: str, folder: Path, known: set[tuple[str, ...]]) -> list[Mutant]:
    """Make all mutants of a file in a copy of the checkout, and run its tests on each.

    Those that are known to make no difference are not run: they would take most of the time.
    """
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

    def run(tool: str, *words: Path) -> None:
        line = [str(word) for word in (tools / tool, *words)]
        subprocess.run(line, cwd=copy, env=environment, check=True)

    run("cosmic-ray", Path("init"), config, session)
    run("cr-filter-operators", session, config)
    listed = _skip_known(file, copy / "minigan" / f"{file}.py", session, known)
    run("cosmic-ray", Path("exec"), config, session)
    found = [*_results(file, session), *listed]
    shutil.rmtree(copy)
    killed = sum(not mutant.survived for mutant in found)
    print(f"{file}: {killed} of {len(found)} killed", flush=True)
    return found


def _quoted(word: str) -> str:
    return f"'{word}'" if " " in word else word


def _results(file: str, session: Path) -> Iterator[Mutant]:
    rows = sqlite3.connect(session).execute(
        "select definition_name, diff, test_outcome, output = 'timeout' from mutation_specs "
        "join work_results using (job_id) where worker_outcome != 'SKIPPED'"
    )
    for place, diff, outcome, late in rows:
        change = _change(diff.splitlines())
        yield Mutant(file, place or "", *change, outcome == "SURVIVED", bool(late))


def _skip_known(
    file: str, source: Path, session: Path, known: set[tuple[str, ...]]
) -> list[Mutant]:
    """Take the known mutants out of those that are to be run, and return them.

    Mutants of functions that only state types are taken out, too: they are never called.
    """
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator
    from cosmic_ray.work_db import WorkDB, use_db
    from cosmic_ray.work_item import WorkerOutcome, WorkResult

    code, listed = source.read_text(encoding="utf-8"), []
    never_called = _overloads(code)
    skipped = WorkResult(worker_outcome=WorkerOutcome.SKIPPED)
    with use_db(session, WorkDB.Mode.open) as work:
        for item in list(work.pending_work_items):
            (mutation,) = item.mutations
            if mutation.start_pos[0] in never_called:
                work.set_result(item.job_id, skipped)
                continue
            operator = get_operator(mutation.operator_name)(**mutation.operator_args)
            mutated = mutate_code(code, operator, mutation.occurrence)
            if mutated is None:
                continue
            diff = difflib.unified_diff(code.splitlines(), mutated.splitlines())
            mutant = Mutant(file, mutation.definition_name or "", *_change(diff), survived=True)
            if mutant.name in known:
                listed.append(mutant)
                work.set_result(item.job_id, skipped)
    return listed


def _change(diff: Iterable[str]) -> tuple[str, str]:
    """Return the changed lines of a diff, as they were and as they became."""
    lines = [line for line in diff if line[:3] not in ("---", "+++")]
    was, became = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+"
    )
    return was, became


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
    parser.add_argument("--every", action="store_true", help="run those in equivalent.json, too")
    options = parser.parse_args()
    known = {tuple(one["mutant"]) for one in json.loads(EQUIVALENT.read_text(encoding="utf-8"))}
    run = set() if options.every else known
    with (
        tempfile.TemporaryDirectory() as folder,
        ThreadPoolExecutor(options.workers) as workers,
    ):
        results = list(workers.map(lambda file: mutants_of(file, Path(folder), run), options.only))
    lines = ["| file | mutants | killed | out of time | equivalent | survived |", "|---" * 6 + "|"]
    holes: list[Mutant] = []
    for file, found in zip(options.only, results, strict=True):
        alive = [mutant for mutant in found if mutant.survived]
        listed = [mutant for mutant in alive if mutant.name in known]
        holes += [mutant for mutant in alive if mutant.name not in known]
        late = sum(mutant.late for mutant in found)
        lines.append(
            f"| {file}.py | {len(found)} | {len(found) - len(alive) - late} | {late} | "
            f"{len(listed)} | {len(alive) - len(listed)} |"
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
