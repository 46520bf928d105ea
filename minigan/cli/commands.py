"""The subcommands of ``minigan``: the options of each, and the function that runs it.

The functions, in ``runs``, ``weights``, ``reports`` and ``speed``, take the options, and return the
exit status.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigan.cli.options import (
    Bench,
    Data,
    Evaluate,
    Exercise,
    Export,
    GradCheck,
    Import,
    Info,
    Report,
    Sample,
    Trace,
    Train,
)
from minigan.cli.reports import (
    data_command,
    exercise_command,
    gradcheck_command,
    trace_command,
)
from minigan.cli.runs import evaluate_command, report_command, sample_command, train_command
from minigan.cli.speed import bench_command, info_command
from minigan.cli.weights import export_command, import_command

# In the order of the help.
COMMANDS: dict[str, tuple[type, Callable[[Any], int]]] = {
    "train": (Train, train_command),
    "data": (Data, data_command),
    "sample": (Sample, sample_command),
    "evaluate": (Evaluate, evaluate_command),
    "report": (Report, report_command),
    "export": (Export, export_command),
    "import": (Import, import_command),
    "gradcheck": (GradCheck, gradcheck_command),
    "exercise": (Exercise, exercise_command),
    "trace": (Trace, trace_command),
    "bench": (Bench, bench_command),
    "info": (Info, info_command),
}
