"""Files of PyTorch: a dict of ``state_dict``, as ``torch.save`` writes it.

A file is read with ``weights_only=True``, so that nothing in it is executed.  Before that, the
sizes that its entries state are compared with the bytes that are there.
"""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

from minigan.backend import Array
from minigan.errors import InputError
from minigan.exchange.bundle import (
    DISCRIMINATOR,
    GENERATOR,
    MOMENTS,
    NETWORKS,
    OPTIMIZERS,
    AdamState,
    Bundle,
    adam_state,
)
from minigan.exchange.names import key_shown, listed
from minigan.exchange.optional import needed
from minigan.machine.files import open_regular

NOTES = "minigan"  # the key of the notes
# Options of torch.optim.Adam that minigan does not have, and the values that make no difference.
# what comes of a state that is none of an Adam
OTHER_CONTENT = (
    AttributeError, LookupError, TypeError, ValueError, RuntimeError, OverflowError
)  # fmt: skip
ABSENT = {"weight_decay": 0, "amsgrad": False, "maximize": False}


def torch_bytes(bundle: Bundle) -> bytes:
    """Return the file; a generator alone is a ``state_dict``, and a run is a dict of these."""
    torch = needed("torch", "a file of PyTorch")
    content: dict[str, Any] = {
        name: {key: torch.from_numpy(array) for key, array in tensors.items()}
        for name, tensors in bundle.networks.items()
    }
    if DISCRIMINATOR in bundle.networks:
        for name, adam in bundle.optimizers.items():
            content[name] = _optimizer(torch, adam)
        content[NOTES] = json.dumps(bundle.notes)
    else:
        content = content[GENERATOR]
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


def _optimizer(torch: Any, adam: AdamState) -> dict[str, Any]:
    """Return the ``state_dict`` of the ``torch.optim.Adam`` that goes on from here."""
    stand_ins = [torch.nn.Parameter(torch.zeros(1)) for _ in adam.exp_avg]
    state: dict[str, Any] = torch.optim.Adam(
        stand_ins, lr=adam.lr, betas=adam.betas, eps=adam.eps
    ).state_dict()
    if adam.step:
        for i, (m, v) in enumerate(zip(adam.exp_avg, adam.exp_avg_sq, strict=True)):
            state["state"][i] = {
                "step": torch.tensor(float(adam.step)),
                "exp_avg": torch.from_numpy(m),
                "exp_avg_sq": torch.from_numpy(v),
            }
    return state


def read_torch(file: Path) -> Bundle:
    """Return what a file of PyTorch holds.

    It is the ``state_dict`` of a generator, or a dict with ``generator`` and, if a run is to go on,
    ``discriminator``, ``optimizer_g`` and ``optimizer_d``; capitals make no difference.  Raises
    InputError for anything else, and if PyTorch is not installed.
    """
    torch = needed("torch", f"{file}, a file of PyTorch,")
    try:
        with open_regular(file) as stream:
            size = stream.seek(0, io.SEEK_END)
            with ZipFile(stream) as archive:
                entries = archive.infolist()
                if any(entry.compress_type != ZIP_STORED for entry in entries):
                    raise ValueError("its entries are compressed")
                if sum(entry.file_size for entry in entries) > size:
                    raise ValueError("its entries claim more bytes than it has")
            stream.seek(0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                content = torch.load(stream, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}") from error
    except Exception as error:
        if type(error).__name__ == "UnpicklingError":
            raise InputError(
                f"{file} holds Python objects besides tensors, which could execute anything and "
                "are not loaded: save generator.state_dict() instead of generator"
            ) from error
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{file} is damaged or no file of PyTorch ({reason})") from error
    try:
        return _bundle(torch, content, size)
    except InputError as error:
        raise InputError(f"{file}: {error}") from error


def _bundle(torch: Any, content: Any, size: int) -> Bundle:
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise InputError(f"it holds a {type(content).__name__}, expected a dict of state_dicts")
    if content and all(torch.is_tensor(value) for value in content.values()):
        return Bundle({GENERATOR: _arrays(torch, content, size)})
    parts = {key.lower(): value for key, value in content.items()}
    if GENERATOR not in parts:
        raise InputError(
            f"it holds {listed(content)}, expected the tensors of a generator, or a dict with "
            f"{', '.join((*NETWORKS[:2], *OPTIMIZERS))}"
        )
    for name in NETWORKS:
        if name in parts and not isinstance(parts[name], dict):
            raise InputError(f"its {name} is a {type(parts[name]).__name__}, expected a state_dict")
    networks = {name: _arrays(torch, parts[name], size) for name in NETWORKS if name in parts}
    adams = {}
    for name in OPTIMIZERS:
        if name in parts:
            try:
                adams[name] = _adam(torch, parts[name], size)
            except InputError:
                raise
            except OTHER_CONTENT as error:
                reason = " ".join(str(error).split())[:200]
                raise InputError(
                    f"its {name} is not the state_dict of a torch.optim.Adam ({reason})"
                ) from error
    try:
        notes = json.loads(parts.get(NOTES, "{}"))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"its entry {NOTES} is no JSON ({error})") from error
    return Bundle(networks, adams, notes if isinstance(notes, dict) else {})


def _adam(torch: Any, state: Any, size: int) -> AdamState:
    (group,) = state["param_groups"]
    for name, value in ABSENT.items():
        if group.get(name, value) != value:
            raise InputError(f"its Adam has {name} {group[name]!r}, which minigan's has not")
    known = {*torch.optim.Adam([torch.zeros(1)]).param_groups[0], "initial_lr", "param_names"}
    if "amsgrad" not in group or not known >= set(group):  # NAdam, RAdam and others
        others = [*sorted(set(group) - known), *(["no amsgrad"] * ("amsgrad" not in group))]
        raise ValueError(f"it has {', '.join(map(str, others))}")
    states = [state["state"][i] for i in group["params"]] if state["state"] else []
    steps = {float(one["step"]) for one in states} or {0.0}
    if len(steps) > 1:
        raise ValueError(f"parameters have taken {sorted(steps)} steps")
    moments = {
        name: [_array(torch, f"{name} of parameter {i}", one[name], size)
               for i, one in enumerate(states)]
        for name in MOMENTS
    }  # fmt: skip
    return adam_state(group["lr"], group["betas"], group["eps"], steps.pop(), **moments)


def _arrays(torch: Any, tensors: dict[Any, Any], size: int) -> dict[str, Array]:
    return {str(key): _array(torch, str(key), value, size) for key, value in tensors.items()}


def _array(torch: Any, name: str, tensor: Any, size: int) -> Array:
    """Return a tensor as an array.  Raises InputError unless it is one that a network has."""
    key = key_shown(name)
    if not torch.is_tensor(tensor):
        raise InputError(f"{key} is a {type(tensor).__name__}, expected a dense tensor")
    kinds = {"nested": tensor.is_nested, "sparse": tensor.layout != torch.strided}
    kinds["meta"] = tensor.is_meta  # a shape without numbers
    if any(kinds.values()):
        kind = next(kind for kind, found in kinds.items() if found)
        raise InputError(f"{key} is a {kind} tensor, expected a dense tensor with numbers")
    if tensor.dtype not in (torch.float32, torch.float64, torch.int64):
        raise InputError(f"{key} is {tensor.dtype}, expected torch.float32 or torch.float64")
    if tensor.numel() * tensor.element_size() > size:  # strides of 0 repeat numbers without end
        raise InputError(f"{key} is {tuple(tensor.shape)}, more than the file has bytes for")
    array: Array = tensor.detach().resolve_neg().contiguous().numpy()
    return array
