"""Files that are damaged, foreign, hostile, or of another program: one clear line each."""

from __future__ import annotations

import copy
import os
import pickle
import random
import sys
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
from helpers.tutorial import Program, batches

import minigan as mg
from minigan.data import save_archive
from minigan.exchange import export_run, import_file
from minigan.training import stored_generator


def refused(file: Path, message: str, **options: Any) -> None:
    """The file is refused in one line that names it, and nothing is left of the new folder."""
    with pytest.raises(mg.InputError, match=message) as caught:
        import_file(file, file.parent / "new", **options)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    assert not (file.parent / "new").exists()
    assert not list(file.parent.glob(".minigan-*"))


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[Any], Path]:
    """A function that saves an object with PyTorch."""
    torch = pytest.importorskip("torch")

    def save(content: Any) -> Path:
        torch.save(content, tmp_path / "saved.pt")
        return tmp_path / "saved.pt"

    return save


class Bomb:
    """An object whose unpickling makes a folder."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.target),)


@pytest.mark.torch
def test_nothing_is_executed(tmp_path: Path, saved: Callable[[Any], Path]) -> None:
    target = tmp_path / "target"
    refused(saved({"generator": Bomb(target)}), "Python objects besides tensors")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Bomb(target)))
    refused(tmp_path / "plain.pt", "is a pickle, which could execute anything")
    torch = pytest.importorskip("torch")
    torch.save(Bomb(target), tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    refused(tmp_path / "old.pt", "is a pickle")
    assert not target.exists()


@pytest.mark.torch
def test_a_whole_module(saved: Callable[[Any], Path]) -> None:
    torch = pytest.importorskip("torch")
    refused(saved(torch.nn.Linear(2, 3)), "save generator.state_dict\\(\\) instead of generator")


def state(**changes: Any) -> dict[str, Any]:
    program = Program(dtype="float32")
    program.train(batches(2))
    return program.state() | changes


def adam(**group: Any) -> dict[str, Any]:
    found = state()["optimizer_g"]
    found["param_groups"][0] |= group
    return dict(found)


def without_amsgrad() -> dict[str, Any]:
    """The state of an RAdam has all that an Adam's has but this."""
    found = adam()
    del found["param_groups"][0]["amsgrad"]
    return found


@pytest.mark.torch
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda: [1, 2], "holds a list, expected a dict of state_dicts"),
        (dict, "holds nothing, expected the tensors of a generator, or a dict with gen"),
        (lambda: {"netG": {}, "netD": {}}, "holds netG, netD, expected"),
        (lambda: state(generator=5), "its generator is a int, expected a state_dict"),
        (lambda: state(generator={}), "the generator has no weight of a Linear"),
        (lambda: state(generator={"model.0.weight": 5}), "model.0.weight is a int, expected a d"),
        (lambda: state(discriminator={}), "the discriminator has nothing, expected model.0.weigh"),
        (lambda: state(discriminator=state()["generator"]), "the discriminator: model.0.weight is"),
        (lambda: state(optimizer_g=5), "optimizer_g is not the state_dict of a torch.optim.Adam"),
        (lambda: state(optimizer_g={"state": {}}), "its optimizer_g is not the state_dict"),
        (lambda: state(optimizer_g=state()["optimizer_d"]), "of G's Adam"),
        (lambda: state(optimizer_g=adam(lr=0.5)), "lr of Adam is 0.5 for G and 0.0002 for D"),
        (lambda: state(optimizer_g=adam(lr="x")), "its optimizer_g is not"),
        (lambda: state(optimizer_g=adam(lr=float("nan"))), "its optimizer_g is not"),
        (lambda: state(optimizer_g=adam(betas=(0.5, 2))), "its optimizer_g is not"),
        (lambda: state(optimizer_g=adam(weight_decay=0.1)), "Adam has weight_decay 0.1"),
        (lambda: state(optimizer_g=adam(amsgrad=True)), "Adam has amsgrad True"),
        (lambda: state(optimizer_g=adam(momentum_decay=0.1)), "its optimizer_g is not .*momentum_"),
        (lambda: state(optimizer_g=without_amsgrad()), "its optimizer_g is not .*no amsgrad"),
        (lambda: state(optimizer_g=adam(lr=10**400)), "its optimizer_g is not"),
        (lambda: state(optimizer_g=state()["optimizer_g"] | {"state": [1]}), "optimizer_g is not"),
        (lambda: state(optimizer_g=np.zeros(3)), "Python objects besides tensors"),
        (lambda: state(optimizer_g=state()["generator"]["model.0.bias"]), "optimizer_g is not"),
    ],
)
def test_other_content(
    content: Callable[[], Any], message: str, saved: Callable[[Any], Path], tiny_data: Path
) -> None:
    refused(saved(content()), message, data=str(tiny_data))


@pytest.mark.torch
def test_tensors_that_no_network_has(saved: Callable[[Any], Path]) -> None:
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is a prototype
        nested = torch.nested.nested_tensor([torch.zeros(3, 100), torch.zeros(2, 100)])
    repeated = torch.zeros(1).expand(10_000_000_000, 100)  # 4 TB in a file of a kilobyte
    for tensor, message in (
        (repeated, "more than the file has bytes for"),
        (torch.zeros(3, 100, dtype=torch.float16), "torch.float16, expected torch.float32"),
        (torch.zeros(3, 100).to_sparse(), "is a sparse tensor, expected a dense tensor"),
        (torch.zeros(3, 100, device="meta"), "is a meta tensor, expected a dense tensor"),
        (nested, "is a nested tensor, expected a dense tensor"),
        (torch.full((256, 100), torch.nan), "expected|not finite"),
    ):
        refused(saved({"model.0.weight": tensor}), message)
    generator = state()["generator"]
    bias = generator["model.2.bias"]
    minus = torch._neg_view(torch.full_like(bias, torch.inf))  # PyTorch keeps the sign beside it
    refused(saved(generator | {"model.2.bias": minus}), "model.2.bias has numbers that are not fin")
    bias[3] = torch.nan
    refused(saved(generator), "model.2.bias has numbers that are not finite")


@pytest.mark.torch
def test_adams_that_are_apart(saved: Callable[[Any], Path], tiny_data: Path) -> None:
    torch = pytest.importorskip("torch")
    program = Program(dtype="float32")
    program.train(batches(2))
    content = copy.deepcopy(program.state())  # state_dict shares the arrays
    for one in content["optimizer_g"]["state"].values():
        one["step"] = torch.tensor(5.0)
    refused(saved(content), "step of Adam is 5 for G and 2 for D", data=str(tiny_data))
    content["optimizer_g"]["state"][0]["step"] = torch.tensor(2.0)
    refused(saved(content), "its optimizer_g is not .*parameters have taken", data=str(tiny_data))
    content["optimizer_g"] = copy.deepcopy(program.state()["optimizer_g"])
    content["optimizer_g"]["state"][0]["step"] = torch.tensor(2.5)
    refused(saved(content), "parameters have taken", data=str(tiny_data))
    content = program.state()
    content["optimizer_d"]["state"][0]["exp_avg_sq"] *= -1
    refused(saved(content), "exp_avg_sq of D's Adam has numbers below 0", data=str(tiny_data))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.pt", b"hello", "is no file of weights, expected one of PyTorch"),
        ("empty.pt", b"", "is no file of weights"),
        ("zip.pt", b"PK\x03\x04", "is damaged"),
        ("graph.onnx", b"\x08\x08\x12\x07minigan", "is no file of weights"),
    ],
)
def test_files_of_other_kinds(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, message)


@pytest.mark.parametrize("length", [0, 2, 100, 1 << 40, (1 << 64) - 1])
@pytest.mark.torch
def test_headers_that_are_none(length: int, tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    content = length.to_bytes(8, "little") + b"{" + b"}" * 30
    (tmp_path / "x.safetensors").write_bytes(content)
    refused(tmp_path / "x.safetensors", "is damaged or no file of safetensors|has no generator|not")


def test_files_that_are_none(tmp_path: Path) -> None:
    refused(tmp_path / "none.pt", "does not exist")
    (tmp_path / "folder").mkdir()
    refused(tmp_path / "folder", "cannot be read: Is a directory")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        refused(tmp_path / "pipe", "cannot be read: Not a regular file")
    save_archive(tmp_path / "other.npz", {"x": np.zeros(3)}, {})
    refused(tmp_path / "other.npz", "holds something else, expected a file of weights")


def test_a_run_is_no_file_to_import(train: Any) -> None:
    folder = train().folder
    refused(folder / "checkpoint.npz", "holds a run of minigan already")


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        (5, "describes no run of minigan"),
        ({"notes": 5}, "describes no run of minigan"),
        ({"optimizers": {"optimizer_g": {}}}, "describes no run of minigan"),
        ({"notes": {"config": 5}}, "does not hold the options of a run"),
    ],
)
def test_descriptions_that_are_none(rest: Any, message: str, train: Any, tmp_path: Path) -> None:
    export, (file, _) = export_run(train().folder, "npz")
    arrays, _ = mg.data.load_archive(export / file)
    save_archive(tmp_path / "other.npz", arrays, {"tensors": rest})
    refused(tmp_path / "other.npz", message)


@pytest.mark.torch
@pytest.mark.parametrize("to", ["torch", "safetensors", "npz"])
def test_damage_is_found_or_does_no_harm(
    to: str, train: Any, tiny_data: Path, tmp_path: Path
) -> None:
    """Cut files are refused; a flipped bit may be in a weight, which then is another number."""
    pytest.importorskip("torch" if to == "torch" else "safetensors")
    export, (_, whole) = export_run(train("averaged").folder, to)
    content = (export / whole).read_bytes()
    file = tmp_path / f"damaged{Path(whole).suffix}"
    for length in (7, 30, 1000, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:length])
        refused(file, "damaged|no file", data=str(tiny_data))
    rng = random.Random(0)
    for i in range(30):
        where = rng.randrange(2000) if i % 2 else rng.randrange(len(content))
        flipped = bytearray(content)
        flipped[where] ^= 1 << rng.randrange(8)
        file.write_bytes(flipped)
        try:
            import_file(file, tmp_path / f"new{i}", data=str(tiny_data))
        except mg.InputError as error:
            assert "\n" not in str(error)


@pytest.mark.torch
def test_a_compressed_file_is_not_unpacked(saved: Callable[[Any], Path], tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    file = saved({"model.0.weight": torch.zeros(3_000, 1_000)})
    with (
        ZipFile(file) as archive,
        ZipFile(tmp_path / "bomb.pt", "w", ZIP_DEFLATED) as packed,
    ):
        for entry in archive.infolist():
            packed.writestr(entry.filename, archive.read(entry))
    assert (tmp_path / "bomb.pt").stat().st_size < 100_000
    tracemalloc.start()
    refused(tmp_path / "bomb.pt", "its entries are compressed")
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_options_that_do_not_fit(train: Any, tmp_path: Path, tiny_data: Path) -> None:
    folder = train("conditional").folder
    export, (alone, whole) = export_run(folder, "npz")
    refused(export / alone, "`recipe` is tutorial|recipe is tutorial", recipe="tutorial")
    with pytest.raises(mg.InputError, match="recipe is 'other', expected averaged"):
        import_file(export / alone, tmp_path / "new", recipe="other")
    refused(export / whole, "say with data in which folder it is")
    with pytest.raises(mg.InputError, match="new exists already|run exists already"):
        import_file(export / whole, folder, data=str(tiny_data))
    assert import_file(export / alone, tmp_path / "alone").epochs is None
    trained = stored_generator(tmp_path / "alone" / "best.npz")
    assert trained.classes == tuple(range(10))


def test_a_network_that_was_saved_is_imported(tmp_path: Path) -> None:
    net = mg.generator(50, seed=3)
    net.save(tmp_path / "net.npz")
    assert import_file(tmp_path / "net.npz", tmp_path / "run").recipe == "tutorial"
    np.testing.assert_array_equal(mg.load_generator(tmp_path / "run").params, net.params)
    mg.Sequential(mg.Linear(3, 4), mg.Tanh()).save(tmp_path / "other.npz")
    refused(tmp_path / "other.npz", r"the generator: model.0.weight is float32 \(4, 3\), expected")
    refused(tmp_path / "net.npz", "does not say what its generator takes", recipe="conditional")


def test_exports_that_cannot_be(train: Any, tmp_path: Path) -> None:
    folder = train("style").folder
    for to in ("torch", "safetensors", "npz"):
        with pytest.raises(mg.InputError, match="is not a row of layers.* onnx writes it"):
            export_run(folder, to)
    with pytest.raises(mg.InputError, match="to is 'keras', expected torch, safetensors, onnx"):
        export_run(folder, "keras")
    (tmp_path / "there").mkdir()
    with pytest.raises(mg.InputError, match="there exists already, expected a new folder"):
        export_run(folder, "npz", tmp_path / "there")
    with pytest.raises(mg.InputError, match="does not exist"):
        export_run(tmp_path / "nothing", "npz")
    assert not list(tmp_path.glob("**/export_*"))


@pytest.mark.parametrize("to", ["torch", "safetensors", "onnx"])
def test_a_library_that_is_missing(
    to: str, train: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = train().folder
    for module in (to, "safetensors.numpy"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(mg.InputError, match=f"needs the package {to} .*pip install {to}"):
        export_run(folder, to, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with ZipFile(tmp_path / "x.pt", "w") as archive:
        archive.writestr("x/data.pkl", b"")
    (tmp_path / "x.safetensors").write_bytes(bytes([2, 0, 0, 0, 0, 0, 0, 0]) + b"{}")
    if to != "onnx":
        file = tmp_path / ("x.pt" if to == "torch" else "x.safetensors")
        refused(file, f"needs the package {to}")


def test_an_export_is_all_there_or_not_at_all(
    train: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = train().folder

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("minigan.machine.files.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        export_run(folder, "npz", tmp_path / "out")
    monkeypatch.undo()
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".minigan-*"))
