"""Examples of use, which stand below the help of each command."""

from __future__ import annotations

import textwrap

# The commands, and what each of their examples does.
EXAMPLES: dict[str, dict[str, str]] = {
    "train": {
        "minigan train": "train into a new folder in runs",
        "minigan train --epochs 5 --out runs/mine": "train for a shorter time",
        "minigan train --data pictures --resize 28": "train with your own pictures",
        "minigan train --model my_gan.py": "train networks of your own",
        "minigan train --resume runs/mine --epochs 40": "go on, up to epoch 40",
        "minigan train --seeds 0 9 --out runs/ten": "train ten runs, and compare them",
        "minigan train --resume runs/mine --lr 0.0002": "go on more slowly",
    },
    "data": {
        "minigan data": "look at MNIST",
        "minigan data pictures": "look at a folder of pictures",
        "minigan data pictures --resize 28": "see them as squares of 28 x 28",
    },
    "sample": {
        "minigan sample": "draw 64 digits at once",
        "minigan sample runs/mine --seed 7": "draw other digits, from a run",
        "minigan sample runs/mine --interpolate": "turn digits into others",
        "minigan sample --digits 2026": "draw these four digits",
        "minigan sample --n 1000 --format folder": "a PNG file for each digit",
    },
    "evaluate": {
        "minigan evaluate": "measure the generator of the package",
        "minigan evaluate runs/mine": "measure the generator of a run",
        "minigan evaluate runs/mine/best.npz": "measure the best one of the run",
    },
    "report": {
        "minigan report": "write the page of the newest run",
        "minigan report runs/mine": "write that of another run",
    },
    "export": {
        "minigan export runs/mine": "for PyTorch: G, D and both Adams",
        "minigan export runs/mine --to onnx": "the generator as a graph",
        "minigan export --to safetensors": "the generator of the package",
    },
    "import": {
        "minigan import generator.pt": "draw with a generator of PyTorch",
        "minigan import run.pt --out runs/back": "go on with a run that was there",
    },
    "gradcheck": {
        "minigan gradcheck": "check all rules on the CPU",
        "minigan gradcheck --backend cupy": "check all rules on the GPU",
    },
    "exercise": {
        "minigan exercise --copy-to my-answers": "get the files to write into",
        "minigan exercise my-answers": "check all answers",
        "minigan exercise my-answers/ex01_linear.py": "check one file",
    },
    "trace": {
        "minigan trace": "show the first step of a run",
        "minigan trace --recipe tutorial --batch-size 4": "show a smaller step",
        "minigan trace runs/mine": "show the next step of a run",
        "minigan trace --html step.html": "write it as a page, too",
    },
    "bench": {
        "minigan bench": "time steps of 64 images",
        "minigan bench --batch-size 16 64 256": "compare three batch sizes",
        "minigan bench --threads 1 --json one.json": "time one thread, keep the figures",
    },
    "info": {
        "minigan info": "show what a report of a problem should say",
    },
}


def examples_of(command: str, width: int) -> str:
    """Return the examples of a command, for a terminal of ``width`` columns.

    What an example does stands beside it if the lines of all examples are short enough, and else
    below it.
    """
    examples = EXAMPLES[command]
    column = max(map(len, examples)) + 4
    beside = column + max(map(len, examples.values())) <= width
    lines = ["examples:"]
    for typed, does in examples.items():
        if beside:
            lines.append(f"  {typed:{column - 2}}{does}")
        else:
            lines.append(f"  {typed}")
            lines += textwrap.wrap(does, width, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return "\n".join(lines)
