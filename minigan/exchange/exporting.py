"""Write a run, or its generator, as files of other libraries, with a card that explains them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minigan.data import MNIST
from minigan.errors import InputError
from minigan.exchange.bundle import bundle_of_generator, bundle_of_run
from minigan.exchange.card import CARD, Exported, model_card
from minigan.exchange.names import check_in_a_row
from minigan.exchange.npz_file import npz_bytes
from minigan.exchange.onnx_file import onnx_bytes
from minigan.exchange.safetensors_file import safetensors_bytes
from minigan.exchange.torch_file import torch_bytes
from minigan.machine.files import atomic_write, new_folder
from minigan.training import Trained, find_generator, stored_generator, stored_run
from minigan.training.folder import prefix_of

FORMATS = {"torch": ".pt", "safetensors": ".safetensors", "onnx": ".onnx", "npz": ".npz"}
BYTES = {"torch": torch_bytes, "safetensors": safetensors_bytes, "npz": npz_bytes}
RUNS = Path("runs")  # where minigan train puts new runs; exports without a run go there, too
ALONE, WHOLE = "generator", "run"  # the names of the two files


def export_run(
    run: str | Path | None = None,
    to: str = "torch",
    out: str | Path | None = None,
    layers: Mapping[str, type] | None = None,
) -> tuple[Path, list[str]]:
    """Write a run's networks for another library; return the new folder, and its files' names.

    ``run`` is the folder of a run or a file in it; None stands for the generator of the package.
    ``to`` is one of the ``FORMATS``.  The folder ``out``, by default ``export_<to>`` in that of the
    run, gets the generator that draws the samples and, if the run can go on and the format is not
    ONNX, a second file with G, D and the state of Adam.  A card, README.md, explains both.
    ``layers`` are the classes of layers that are not minigan's, by name.

    Raises InputError if the run is missing or damaged, if the folder exists, if the format cannot
    hold the networks, or if the library is not installed; OSError if the files cannot be written.
    """
    if to not in FORMATS:
        raise InputError(f"`to` is {to!r}, expected {', '.join(FORMATS)}")
    source = find_generator(run)
    folder = Path(out) if out is not None else _default_folder(run, source, to)
    if folder.exists() or folder.is_symlink():
        raise InputError(f"`out` {folder} exists already, expected a new folder")
    trained, stored = stored_generator(source, layers=layers), stored_run(source, layers)
    if to != "onnx":
        check_in_a_row(trained.net)
    epochs, D = (None, None) if stored is None else (stored[1], stored[0].gan.discriminator)
    notes = _notes(trained, epochs)
    if D is not None:
        notes["networks"]["discriminator"] = D.architecture
    if to == "onnx":
        files = {f"{ALONE}.onnx": onnx_bytes(trained.net, {"minigan": json.dumps(notes)})}
    else:
        make = BYTES[to]
        files = {f"{ALONE}{FORMATS[to]}": make(bundle_of_generator(trained.net, notes))}
        if stored is not None:
            files[f"{WHOLE}{FORMATS[to]}"] = make(bundle_of_run(stored[0], notes))
    text = model_card(Exported(trained, source, to, list(files), epochs, D))
    with new_folder(folder) as temporary:
        for name, content in {**files, CARD: text.encode()}.items():
            with atomic_write(temporary / name) as stream:
                stream.write(content)
    return folder, list(files)


def _default_folder(run: str | Path | None, source: Path, to: str) -> Path:
    if run is None:
        return RUNS / f"export_{to}"
    return source.parent / f"{prefix_of(source)}export_{to}"


def _notes(trained: Trained, epochs: int | None) -> dict[str, Any]:
    """Return what minigan wants to know again of a run.

    These are its options, its classes with their names, and the shape of its images.  The folder of
    its data is named without the way to it, which is nobody's business.
    """
    options = trained.config.stored()
    options["data"] = options["data"] if options["data"] == MNIST else Path(options["data"]).name
    classes, shape = list(trained.classes), list(trained.shape)
    return {
        "config": options,
        "classes": classes,
        "names": list(trained.names),
        "shape": shape,
        "epochs": epochs,
        "networks": {"generator": trained.net.architecture},
    }
