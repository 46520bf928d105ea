"""A run changes sides in the middle: from minigan to the tutorial's program, and back."""

from __future__ import annotations

import dataclasses
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.runs import interrupt_at
from helpers.tutorial import Program, batches

import minigan as mg
from minigan.exchange import export_run, import_file
from minigan.exchange.bundle import bundle_of_run

missing = find_spec("torch") is None
pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(missing, reason="PyTorch is not installed"),
]
if not missing:
    import torch

STEPS = 20
CLOSE = 1e-12
# A bias right before batch normalisation has the gradient 0, of which rounding leaves about 1e-18.
# Adam divides this noise by its own size: the bias drifts, about lr 1e-18 / eps in a step, and the
# running mean with it.  Nothing else sees it, because the normalisation subtracts it again.
DRIFT = 1e-9


def arrays_here(trainer: mg.Trainer) -> dict[str, Any]:
    """The same arrays as ``Program.arrays`` returns."""
    bundle = bundle_of_run(trainer.state, {})
    found = {
        f"{name}.{key}": array
        for name, tensors in bundle.networks.items()
        for key, array in tensors.items()
        if name != "average"
    }
    for name, adam in bundle.optimizers.items():
        for i, (m, v) in enumerate(zip(adam.exp_avg, adam.exp_avg_sq, strict=True)):
            found[f"{name}.{i}.step"] = np.array(adam.step, "float32")
            found |= {f"{name}.{i}.exp_avg": m, f"{name}.{i}.exp_avg_sq": v}
    return found


def assert_same(trainer: mg.Trainer, program: Program, atol: float) -> None:
    here, there = arrays_here(trainer), program.arrays()
    assert here.keys() == there.keys()
    normalised = "generator.model.1.running_mean" in there
    for name, array in there.items():
        drifts = normalised and name.startswith("generator.") and name.endswith(("bias", "mean"))
        within = max(atol, DRIFT) if drifts and atol else atol
        np.testing.assert_allclose(here[name], array, rtol=0, atol=within, err_msg=name)


@pytest.mark.parametrize("recipe", ["tutorial", "batch-norm"])
def test_a_run_from_here_goes_on_there(recipe: str, train: Any) -> None:
    folder = train(recipe, dtype="float64").folder
    export, files = export_run(folder, "torch")
    assert files == ["generator.pt", "run.pt"]
    program = Program(batch_norm=recipe == "batch-norm")
    program.load(torch.load(export / "run.pt", weights_only=True))
    trainer = mg.Trainer(mg.TrainConfig.of_run(folder))
    assert_same(trainer, program, 0)  # bit for bit
    assert program.optimizer_G.param_groups[0]["lr"] == trainer.config.lr
    more = batches(STEPS)
    program.train(more)
    for real, z in more:
        trainer.gan.train_step(real, z)
    assert_same(trainer, program, CLOSE)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_run_from_there_goes_on_here(batch_norm: bool, tiny_data: Path, tmp_path: Path) -> None:
    program = Program(batch_norm, lr=3e-4)
    program.train(batches(7, seed=1))
    torch.save(program.state(), tmp_path / "saved.pt")
    imported = import_file(tmp_path / "saved.pt", tmp_path / "run", data=str(tiny_data))
    assert imported.recipe == ("batch-norm" if batch_norm else "tutorial")
    trainer = mg.Trainer(mg.TrainConfig.of_run(imported.folder))
    assert_same(trainer, program, 0)
    assert (trainer.config.lr, trainer.config.betas) == (3e-4, (0.5, 0.999))
    more = batches(STEPS)
    program.train(more)
    for real, z in more:
        trainer.gan.train_step(real, z)
    assert_same(trainer, program, CLOSE)


@pytest.mark.parametrize("to", ["torch", "safetensors", "npz"])
def test_there_and_back_again(to: str, train: Any, tiny_data: Path, tmp_path: Path) -> None:
    if to == "safetensors":
        pytest.importorskip("safetensors")
    trainer = train("averaged", seed=3)
    export, (_, whole) = export_run(trainer.folder, to)
    back = import_file(export / whole, tmp_path / "back", data=str(tiny_data)).folder
    again = mg.Trainer(mg.TrainConfig.of_run(back))
    assert again.state.average is not None
    assert trainer.state.average is not None
    for name, array in arrays_here(trainer).items():
        np.testing.assert_array_equal(arrays_here(again)[name], array, err_msg=name)
    for name, array in trainer.state.average.state().items():
        np.testing.assert_array_equal(again.state.average.state()[name], array)
    np.testing.assert_array_equal(again.state.fixed_z, trainer.state.fixed_z)
    assert again.config.stored() == trainer.config.stored()
    assert (again.state.step, again.state.data_crc32) == (4, trainer.state.data_crc32)


def test_an_imported_run_trains_and_is_resumed(tiny_data: Path, tmp_path: Path) -> None:
    """After five steps, with four an epoch, the run stands after epoch 1, and Adam at step 5."""
    program = Program(dtype="float32")
    program.train(batches(5))
    torch.save(program.state(), tmp_path / "saved.pt")
    imported = import_file(tmp_path / "saved.pt", tmp_path / "run", data=str(tiny_data))
    assert imported.epochs == 1
    for epochs in (2, 3):
        config = dataclasses.replace(mg.TrainConfig.of_run(imported.folder), epochs=epochs)
        # the options of an import allow 20 epochs, and a run may not be made shorter
        trainer = mg.Trainer(dataclasses.replace(config, epochs=20))
        assert (trainer.state.step, trainer.gan.adam_g.t) == (4 * (epochs - 1), 4 * epochs - 3)
        stop_after(trainer, 4 * epochs)
    assert trainer.gan.adam_d.t == 13
    assert [row.epoch for row in trainer.history] == [2, 3]
    assert (imported.folder / "samples" / "epoch_0003.png").exists()


def stop_after(trainer: mg.Trainer, step: int) -> None:
    """Let a run be interrupted in this step."""
    interrupt_at(trainer, step)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    assert trainer.state.step == step


def test_a_file_from_here_loads_strictly_there(train: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the whole networks
    folder = train().folder
    export, _ = export_run(folder, "torch")
    program = Program(dtype="float32", whole=True)
    program.generator.load_state_dict(
        torch.load(export / "generator.pt", weights_only=True), strict=True
    )
    z = np.random.default_rng(0).standard_normal((1000, 100)).astype("float32")
    with torch.no_grad():
        there = program.generator(torch.from_numpy(z)).numpy().reshape(1000, 784)
    np.testing.assert_allclose(mg.load_generator(folder)(z), there, atol=2e-6)


def test_a_generator_that_was_trained_there_draws_here(tmp_path: Path) -> None:
    program = Program(batch_norm=True, dtype="float32")
    program.train(batches(3))
    program.generator.eval()
    torch.save(program.generator.state_dict(), tmp_path / "generator.pt")
    folder = import_file(tmp_path / "generator.pt", tmp_path / "run").folder
    assert [file.name for file in folder.iterdir()] == ["best.npz"]
    z = np.random.default_rng(0).standard_normal((1000, 100)).astype("float32")
    with torch.no_grad():
        there = program.generator(torch.from_numpy(z)).numpy().reshape(1000, 784)
    np.testing.assert_allclose(mg.load_generator(folder)(z), there, atol=2e-6)


@pytest.mark.parametrize(
    ("recipe", "to"),
    [
        ("averaged", "torch"),
        ("conditional", "torch"),
        ("least-squares", "torch"),
        ("tutorial", "safetensors"),
        ("batch-norm", "npz"),
    ],
)
def test_the_code_of_the_card_runs(
    recipe: str, to: str, train: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if to == "safetensors":
        pytest.importorskip("safetensors")
    folder = train(recipe).folder
    export, _ = export_run(folder, to)
    monkeypatch.chdir(export)
    blocks = (export / "README.md").read_text().split("```python\n")[1:]
    assert len(blocks) == 1 + (to == "torch")
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block.split("```")[0], names)
        if not names["generator"].training:
            net = mg.load_generator(folder)
            z = np.random.default_rng(0).standard_normal((9, net.n_in or 0)).astype("float32")
            with torch.no_grad():
                there = names["generator"](torch.from_numpy(z)).numpy()
            np.testing.assert_allclose(net(z), there, atol=2e-6)
    if to == "torch":
        assert names["optimizer_G"].state_dict()["state"][0]["step"] == 4
