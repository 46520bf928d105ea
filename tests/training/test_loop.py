"""What a run does: the loop written out, its random numbers, its threads."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from helpers.runs import Configure, assert_same_run, saved_run
from threadpoolctl import threadpool_info

import minigan as mg
from minigan.backend import Array
from minigan.training.folder import CHECKPOINT


@pytest.mark.parametrize("recipe", ["averaged", "batch-norm", "tutorial"])
def test_the_run_is_the_loop_written_out(recipe: str, config: Configure, tiny_data: Path) -> None:
    """The stated order of random numbers: G, D, fixed z, then each epoch's permutation and z."""
    trainer = mg.Trainer(config(recipe=recipe, epochs=2, seed=5))
    trainer.run()
    rng = np.random.default_rng(5)
    batch_norm, logits = recipe != "tutorial", recipe == "averaged"
    G, D = mg.generator(batch_norm=batch_norm, seed=rng), mg.discriminator(logits=logits, seed=rng)
    lr = 5e-4 if logits else 1e-3 if batch_norm else 2e-4
    gan = mg.GAN(G, D, lr=lr, logits=logits, r1=0.1 * logits)
    fixed_z = rng.standard_normal((64, 100), dtype=np.float32)
    images = mg.load_mnist(path=tiny_data)[0].reshape(-1, 784)
    for _ in range(2):
        order = rng.permutation(200)
        for start in range(0, 200, 30):
            batch = order[start : start + 30]
            z = rng.standard_normal((len(batch), 100), dtype=np.float32)
            real = ((images[batch].astype("float32") / 255) - 0.5) / 0.5
            gan.train_step(real, z)
    np.testing.assert_array_equal(trainer.gan.generator.params, gan.generator.params)
    np.testing.assert_array_equal(trainer.gan.discriminator.params, gan.discriminator.params)
    np.testing.assert_array_equal(trainer.state.fixed_z, fixed_z)


def test_same_seed_same_run_other_seed_other_run(config: Configure, tmp_path: Path) -> None:
    runs = [
        mg.Trainer(config(epochs=1, seed=seed, out=str(tmp_path / name))).run()
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert_same_run(runs[0], runs[1])
    assert (saved_run(runs[0])[0]["generator"] != saved_run(runs[2])[0]["generator"]).any()


def test_float64_threads_and_options(config: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    options = config(epochs=1, dtype="float64", threads=2, latent_dim=7, betas=(0.9, 0.99), lr=3e-3)
    trainer = mg.Trainer(options)
    threads: set[int] = set()
    train_step = trainer.gan.train_step

    def counted(real: Array, z: Array, labels: None) -> mg.StepResult:
        threads.update(lib["num_threads"] for lib in threadpool_info())
        return train_step(real, z, labels)

    monkeypatch.setattr(trainer.gan, "train_step", counted)
    trainer.run()
    assert threads == {2}  # outside a run the tests have one
    assert trainer.gan.generator.params.dtype == "float64"
    assert trainer.gan.generator.n_in == 7
    assert trainer.gan.adam_g.betas == trainer.gan.adam_d.betas == (0.9, 0.99)
    assert trainer.gan.adam_d.lr == 3e-3


def test_runs_outside_the_main_thread(config: Configure) -> None:
    thread = threading.Thread(target=lambda: mg.Trainer(config(epochs=1)).run())
    thread.start()
    thread.join()
    assert (Path(str(config().out)) / CHECKPOINT).exists()
