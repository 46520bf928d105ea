# %% [markdown]
# # The bug museum
#
# The museum holds twenty-one bugs that were found in published code, each planted in minigan as one
# or two wrong lines.  For each bug the tour shows what a user sees without it and with it, and
# calls the test of this project that is there to catch it: that test must fail with the bug and
# pass without it.  So the museum also tests the tests.
#
#     python examples/bug_museum.py                       # the tour
#     EXHIBIT=adam-power python examples/bug_museum.py    # one exhibit, with its lines
#
# The exhibits are in examples/museum: rules.py (formulas), memory.py (who holds what), numerics.py
# (float32, shapes, ranges), penalties.py (R1, options) and classes_and_styles.py (rows that mix);
# exhibit.py switches the bugs on and off.
# The checks need the tests of this project and the packages that these import: `pip install -e
# ".[test]"`.

# %%
import importlib.util
import os
import sys

from museum import EXHIBITS
from museum.exhibit import Exhibit, observe, run_check

name = os.environ.get("EXHIBIT", "")
if name and name not in EXHIBITS:
    sys.exit(f"EXHIBIT is {name!r}, expected one of {', '.join(EXHIBITS)}")
missing = [module for module in ("pytest", "hypothesis") if not importlib.util.find_spec(module)]
if missing:
    sys.exit(f"the checks need {' and '.join(missing)}: python -m pip install -e '.[test]'")


# %%
def verdict(exhibit: Exhibit) -> str:
    """Return whether the check passes without the bug and fails with it, in words."""
    if run_check(exhibit, bug=False):
        return "FAILS WITHOUT THE BUG"
    return "caught" if run_check(exhibit, bug=True) else "NOT CAUGHT"


def tour() -> None:
    print(f"{'exhibit':19} {'symptom':56} {'without':>15} {'with':>17}")
    for exhibit in EXHIBITS.values():
        figures = observe(exhibit, bug=False), observe(exhibit, bug=True)
        print(f"{exhibit.name:19} {exhibit.figure:56} {figures[0]:>15} {figures[1]:>17}")
        print(f"{'':19} {verdict(exhibit)} by {exhibit.check}")


def show(exhibit: Exhibit) -> None:
    print(f"{exhibit.name}: {exhibit.bug}\n")
    for edit in exhibit.edits:
        print(f"  {edit.function.__module__}, {edit.function.__qualname__}")
        print(f"    right   {edit.right}")
        print("\n".join(f"    wrong   {line}" for line in edit.wrong.splitlines()))
    print(f"\n  symptom   {exhibit.figure}:")
    print(f"            {observe(exhibit, bug=False)} without, {observe(exhibit, bug=True)} with")
    print(f"  check     {verdict(exhibit)} by {exhibit.check}:")
    print(f"            {run_check(exhibit, bug=True)}")
    print(f"  mend      {exhibit.mend}")


# %%
if name:
    show(EXHIBITS[name])
else:
    tour()
