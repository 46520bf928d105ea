"""A run of networks of one's own: from a file of code, from a program, and from its checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.command import fails
from helpers.runs import Configure, assert_same_run, interrupt_at, saved_run

import minigan as mg
from minigan.backend import Array, Backend
from minigan.cli import main
from minigan.data import load_archive, save_archive
from minigan.errors import InputError
from minigan.style import Constant, ModulatedLinear, Noise
from minigan.styled import Styled
from minigan.training import stored_generator
from minigan.training.folder import CHECKPOINT

CODE = '''
import numpy as np
import minigan as mg

class Softplus(mg.Layer):
    """The layer of chapter 7, and its rule for the penalty."""

    def forward(self, x):
        return np.logaddexp(0 * x, x), x

    def input_grad(self, dy, x):
        return dy / (1 + np.exp(-x))

    def double_backward(self, t, dy, x):
        slope = 1 / (1 + np.exp(-x))
        return t * slope, t * dy * slope * (1 - slope)

def generator(n_in, n_out, **options):
    return mg.Sequential(mg.Linear(n_in, 20), mg.BatchNorm1d(20), Softplus(),
                         mg.Linear(20, n_out), mg.Tanh(), **options)

def discriminator(n_in, n_out, **options):
    return mg.Sequential(mg.Linear(n_in, 24), Softplus(), mg.Linear(24, n_out), **options)
'''
PLAIN = """
import minigan as mg

def generator(n_in, n_out, **options):
    return mg.Sequential(mg.Linear(n_in, 20), mg.ReLU(), mg.Linear(20, n_out), mg.Tanh(), **options)
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "my gan.py"
    file.write_text(CODE)
    return file


def networks(seed: int = 0, width: int = 20, **options: Any) -> dict[str, mg.Sequential]:
    rng = np.random.default_rng(seed)
    G = mg.Sequential(
        mg.Linear(100, width), mg.ReLU(), mg.Linear(width, 784), mg.Tanh(), seed=rng, **options
    )
    D = mg.Sequential(mg.Linear(784, 24), mg.LeakyReLU(0.2), mg.Linear(24, 1), seed=rng, **options)
    return {"generator": G, "discriminator": D}


def test_everything_works_for_a_layer_of_ones_own(
    model: Path, tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """From the first step to a page, an export and back, typed as a user would type it."""
    monkeypatch.chdir(tmp_path)
    data, own = ["--data", str(tiny_data)], ["--model", model.name]
    train = ["train", *data, *own, "--epochs", "2", "--batch-size", "30", "--threads", "1"]
    assert main([*train, "--out", "run", "--evaluate-every", "1"]) == 0
    said = capsys.readouterr().out
    assert "minigan sample run --model 'my gan.py'" in said
    assert main(["train", "--resume", "run", "--epochs", "3", *own]) == 0
    assert main([*train[:-4], "--batch-size", "30", "--threads", "1", "--epochs", "3", "--out",
                 "straight", "--evaluate-every", "1"]) == 0  # fmt: skip
    assert saved_run(Path("run"))[0].keys() == saved_run(Path("straight"))[0].keys()
    for name, array in saved_run(Path("run"))[0].items():
        np.testing.assert_array_equal(array, saved_run(Path("straight"))[0][name], err_msg=name)
    capsys.readouterr()
    assert main(["sample", "run", *own]) == 0
    assert main(["sample", "run", *own, "--interpolate", "--out", "walk.png"]) == 0
    assert main(["sample", "run/best.npz", *own, "--n", "3", "--format", "npy"]) == 0
    assert main(["evaluate", "run", *own]) == 0
    assert main(["report", "run", *own]) == 0
    assert main(["trace", *data, *own, "--batch-size", "4", "--html", "step.html"]) == 0
    assert "Softplus()" in capsys.readouterr().out
    assert main(["export", "run", *own, "--to", "npz"]) == 0
    assert main(["import", "run/export_npz/run.npz", *own, *data, "--out", "back"]) == 0
    assert main(["train", "--resume", "back", *own, "--epochs", "4"]) == 0
    for file in (
        "samples/epoch_0003.png", "training.gif", "losses.png", "history.csv", "report.html",
        "sample_0.png", "best_sample_0.npy", "metrics.json", "neighbours.png",
    ):  # fmt: skip
        assert (Path("run") / file).stat().st_size > 0, file
    card = Path("run/export_npz/README.md").read_text()
    assert "Softplus(),  # to be written for PyTorch" in card
    assert "nn.Linear(100, 20)," in card
    page = Path("run/report.html").read_text()
    assert "--resume run --model 'my gan.py' --epochs 6" in page.replace("\\u0027", "'")
    capsys.readouterr()
    for words in (["train", "--resume", "run", "--epochs", "5"], ["sample", "run"]):
        fails(
            words, "has a layer Softplus, which minigan does not know: .*--model my_gan.py", capsys
        )
    with pytest.raises(InputError, match="Softplus"):
        mg.load_generator("run")
    layers = {type(layer).__name__: type(layer) for layer in softplus_of(model)}
    assert mg.load_generator("run", layers=layers).n_in == 100


def softplus_of(model: Path) -> tuple[mg.Layer, ...]:
    names: dict[str, Any] = {}
    exec(model.read_text(), names)
    return (names["Softplus"](),)


@pytest.mark.parametrize("step", [3, 7, 16])
def test_resumes_bit_for_bit(
    step: int, backend: Backend, config: Configure, tmp_path: Path, model: Path
) -> None:
    options = {"backend": backend.name, "model": str(model)}
    straight = mg.Trainer(config(**options)).run()
    trainer = mg.Trainer(config(**options, out=str(tmp_path / "resumed")))
    interrupt_at(trainer, step)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    before = mg.TrainConfig.of_run(trainer.folder)
    assert before.model is None  # a folder may come from anybody: it names no code to run
    mg.Trainer(replace(before, model=str(model))).run()
    assert_same_run(straight, trainer.folder)


def test_the_weights_are_drawn_as_a_recipe_draws_its_own(config: Configure, tmp_path: Path) -> None:
    """A file with the recipe's own networks makes the recipe's own run."""
    file = tmp_path / "same.py"
    file.write_text(
        "import minigan as mg\n"
        "def generator(n_in, n_out, **options):\n"
        "    return mg.generator(n_in, image_size=n_out, batch_norm=True, **options)\n"
        "def discriminator(n_in, n_out, **options):\n"
        "    return mg.discriminator(image_size=n_in, logits=True, **options)\n"
    )
    one = mg.Trainer(config(epochs=1)).run()
    two = mg.Trainer(config(epochs=1, model=str(file), out=str(tmp_path / "two"))).run()
    (arrays, _), (others, _) = saved_run(one), saved_run(two)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, others[name], err_msg=name)


def test_networks_of_a_program_are_trained_as_copies(config: Configure, tmp_path: Path) -> None:
    nets = networks()
    before = nets["generator"].params.copy()
    trainer = mg.Trainer(config(epochs=1), **nets)
    np.testing.assert_array_equal(trainer.gan.generator.params, before)
    folder = trainer.run()
    np.testing.assert_array_equal(nets["generator"].params, before)
    assert (trainer.gan.generator.params != before).any()
    stored = stored_generator(folder / CHECKPOINT).net  # minigan's layers: no code is needed
    np.testing.assert_array_equal(stored.params, trainer.generator.params)
    other = mg.Trainer(config(epochs=1, out=str(tmp_path / "other")), **networks(seed=1))
    assert (other.gan.generator.params != before).any()


def test_a_run_of_known_layers_goes_on_without_the_program(
    config: Configure, tmp_path: Path
) -> None:
    straight = mg.Trainer(config(), **networks()).run()
    mg.Trainer(config(epochs=2, out=str(tmp_path / "two")), **networks()).run()
    mg.Trainer(replace(mg.TrainConfig.of_run(tmp_path / "two"), epochs=3)).run()
    assert_same_run(straight, tmp_path / "two")


def test_one_network_alone_stands_beside_that_of_the_recipe(
    config: Configure, tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(PLAIN)
    trainer = mg.Trainer(config(model=str(file)))
    assert [repr(layer) for layer in trainer.gan.generator.layers] == [
        "Linear(100, 20)", "ReLU()", "Linear(20, 784)", "Tanh()",
    ]  # fmt: skip
    recipe = mg.Trainer(config(out=str(tmp_path / "recipe"))).gan.discriminator
    assert trainer.state.texts["discriminator"] == recipe.architecture


def test_a_conditional_run_tells_both_networks_the_class(
    config: Configure, model: Path, tmp_path: Path
) -> None:
    folder = mg.Trainer(config(recipe="conditional", model=str(model), epochs=1)).run()
    assert main(["sample", str(folder), "--digits", "2026", "--model", str(model)]) == 0
    meta = load_archive(folder / CHECKPOINT)[1]["networks"]
    assert "Linear(110, 20)" in meta["generator"]
    assert "Linear(24, 10)" in meta["discriminator"]


def test_a_styled_network_of_ones_own(config: Configure) -> None:
    mapping = mg.Linear(8, 6), mg.LeakyReLU(0.2)
    synthesis = [
        Constant(5),
        ModulatedLinear(5, 7),
        Noise(7),
        mg.Linear(7, 784),
        mg.Tanh(),
    ]
    G = Styled(mapping, synthesis, seed=0)
    folder = mg.Trainer(config(latent_dim=8, epochs=1), generator=G).run()
    assert stored_generator(folder / CHECKPOINT).net.n_in == 8 + 7
    assert main(["sample", str(folder), "--truncation", "0.5"]) == 0


def test_the_checkpoint_is_there_before_the_options(
    config: Configure, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that no folder can be resumed with the recipe's networks in place of one's own."""
    trainer = mg.Trainer(config(model=str(model)))

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(mg.TrainConfig, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    monkeypatch.undo()
    assert (trainer.folder / CHECKPOINT).exists()
    with pytest.raises(InputError, match="holds no run"):
        mg.TrainConfig.of_run(trainer.folder)


def test_other_networks_do_not_go_on(config: Configure, model: Path, tmp_path: Path) -> None:
    folder = mg.Trainer(config(model=str(model), epochs=1)).run()
    other = tmp_path / "other.py"
    cases = {
        CODE.replace("Linear(20, n_out)", "Linear(20, 20), mg.ReLU(), mg.Linear(20, n_out)"):
            r"the generator .* has 'Linear\(20, 20\)' where the run has 'Linear\(20, 784\)'",
        CODE.replace("24", "25"): r"the discriminator .*'Linear\(784, 25\)'.*'Linear\(784, 24\)'",
        PLAIN: "the generator is another one than that of the run",
        CODE.replace(", Softplus(), mg.Linear(24", ", mg.ReLU(), mg.Linear(24"): "the discr",
    }  # fmt: skip
    for code, message in cases.items():
        other.write_text(code)
        with pytest.raises(InputError, match=message):
            mg.Trainer(
                mg.TrainConfig(**vars(mg.TrainConfig.of_run(folder)) | {"model": str(other)})
            )
    with pytest.raises(InputError, match="the generator is another one"):
        mg.Trainer(mg.TrainConfig.of_run(folder), **networks())


LAYER = """
import minigan as mg

class Mine(mg.ReLU):
    def __init__(self, of):
        self.of = {of}
"""
G = "return mg.Sequential("
FLOAT64 = "options['dtype'] = 'float64'; " + G


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def generator(", "line 1: '\\(' was never closed"),
        ("x = 1", "defines no network: expected a function generator"),
        ("generator = 3", "generator is 3, expected a function"),
        ("import nowhere_at_all", "line 1: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("raise SystemExit(7)", "line 1: SystemExit: 7"),
        ("def generator(n_in, n_out, **o):\n    return 1 / 0", "line 2: ZeroDivisionError"),
        ("def generator(n_in, n_out, **o):\n    return [n_in]", "is a list, expected a minigan"),
        ("def generator(n):\n    return None", "TypeError: .*generator\\(\\)"),
        (PLAIN.replace("20, n_out", "20, 99"), "maps 100 to 99 columns, expected 100 .* to 784"),
        (PLAIN.replace("n_in, 20", "64, 20"), r"maps 64 to 784 .*expected 100 \(latent_dim"),
        (PLAIN.replace("mg.Linear(n_in, 20), mg.ReLU(), mg.Linear(20, n_out),", ""), "any number"),
        (PLAIN.replace("mg.Tanh(), **options", "mg.Tanh()"), "draws its weights without the seed"),
        (PLAIN.replace(G, FLOAT64), "is float64 on numpy, but the run is float32 on numpy"),
        (PLAIN.replace("mg.Tanh()", "mg.Sigmoid()"), "ends in Sigmoid, which draws pixels from 0"),
        (CODE.replace("24, n_out)", "24, n_out), mg.Sigmoid()"), "ends in Sigmoid.*takes logits"),
        (CODE.replace("double_backward", "other"), "has no double_backward; r1 0 trains without"),
        (CODE.replace("mg.Tanh()", "mg.Sequential(mg.Tanh())"), "expected a minigan Layer"),
        (CODE.replace("Softplus", "ReLU"), "the class ReLU of a layer has the name of minigan's"),
        (LAYER.format(of="mg.Linear(2, 2)") + PLAIN.replace("mg.ReLU()", "Mine(1)"),
         "holds layers in its attribute of, which would be neither trained nor checked"),
        (LAYER.format(of="of") + PLAIN.replace("mg.ReLU()", "Mine(1)"),
         r"has the repr Mine\(\), which does not make it again"),
        (PLAIN.replace(G, "a = mg.Tanh();" + G).replace("mg.Tanh(),", "a, a,"), "stands twice"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_one_line(
    code: str, message: str, config: Configure, tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(code)
    with pytest.raises(InputError, match=message) as caught:
        mg.Trainer(config(model=str(file)))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_no_file_of_code(config: Configure, tmp_path: Path) -> None:
    (tmp_path / "large.py").write_text("#" * 1_000_001)
    for name, message in (
        ("nowhere.py", "cannot be read: No such file"),
        (".", "cannot be read: Is a directory"),
        ("large.py", "has more than 1,000,000 bytes"),
    ):
        with pytest.raises(InputError, match=message):
            mg.Trainer(config(model=str(tmp_path / name)))
    with pytest.raises(TypeError, match="generator is 3, expected a Sequential"):
        mg.Trainer(config(), generator=3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="model names networks, and others are given"):
        mg.Trainer(config(model="x.py"), **networks())
    with pytest.raises(InputError, match="maps 100 to 784 columns, expected 99"):
        mg.Trainer(config(latent_dim=99), **networks())


@pytest.mark.parametrize(
    ("name", "array", "bad"),
    [
        ("generator", "0.W", np.nan),
        ("generator", "1.running_var", np.inf),
        ("discriminator", "2.b", -np.inf),
    ],
)
def test_weights_that_are_no_numbers_are_named(
    config: Configure, name: str, array: str, bad: float
) -> None:
    given = {
        "generator": mg.Sequential(mg.Linear(100, 8), mg.BatchNorm1d(8), mg.Linear(8, 784)),
        "discriminator": mg.Sequential(mg.Linear(784, 8), mg.Tanh(), mg.Linear(8, 1)),
    }
    layer, of_it = array.split(".")
    getattr(given[name][int(layer)], of_it)[..., -1] = bad
    with pytest.raises(InputError, match=f"the {name} .*: its {array} holds nan or inf"):
        mg.Trainer(config(), **given)


def test_a_file_may_import_what_lies_beside_it(config: Configure, tmp_path: Path) -> None:
    (tmp_path / "beside_the_model.py").write_text("WIDTH = 11\n")
    file = tmp_path / "mine.py"
    file.write_text("from beside_the_model import WIDTH\n" + PLAIN.replace("20", "WIDTH"))
    assert mg.Trainer(config(model=str(file))).gan.generator[0].n_out == 11


def test_a_lone_image_in_a_batch_is_refused_for_any_batch_norm(
    config: Configure, model: Path
) -> None:
    """The recipe has no batch normalisation, but the network has."""
    file = model.with_name("probabilities.py")
    file.write_text(
        CODE.replace("mg.Linear(24, n_out), **", "mg.Linear(24, n_out), mg.Sigmoid(), **")
    )
    with pytest.raises(InputError, match="leaves a batch with a single one of 200 images"):
        mg.Trainer(config(recipe="tutorial", model=str(file), batch_size=199))


def test_a_checkpoint_whose_networks_are_damaged(config: Configure, tmp_path: Path) -> None:
    file = mg.Trainer(config(epochs=1), **networks()).run() / CHECKPOINT
    arrays, meta = load_archive(file)
    del meta["threads"]
    right = meta["networks"]
    for wrong, message in (
        ({**right, "generator": right["generator"].replace("20", "2000000000")}, "more parameters"),
        ({**right, "generator": "Linear(100, 784)"}, "expected a network"),
        ({**right, "generator": "__import__('os').system('true')"}, "not a call"),
        ({**right, "generator": right["generator"].replace("100", "101")}, "expected 100"),
        ({"generator": 3}, "is damaged: its networks are"),
        ([], "is damaged: its networks are"),
    ):
        save_archive(tmp_path / "damaged.npz", arrays, meta | {"networks": wrong})
        with pytest.raises(InputError, match=message):
            stored_generator(tmp_path / "damaged.npz")


def test_a_layer_that_throws_dice_goes_on_where_it_was(
    config: Configure, tmp_path: Path, backend: Backend
) -> None:
    """Its seed is in its repr and the number of its calls in a buffer: the run can be repeated."""
    file = tmp_path / "dice.py"
    file.write_text(DICE)
    folders = [tmp_path / "straight", tmp_path / "resumed"]
    trainers = [
        mg.Trainer(config(model=str(file), out=str(folder), r1=0.0, backend=backend.name))
        for folder in folders
    ]
    interrupt_at(trainers[1], 9)
    trainers[0].run()
    with pytest.raises(KeyboardInterrupt):
        trainers[1].run()
    mg.Trainer(replace(mg.TrainConfig.of_run(folders[1]), model=str(file))).run()
    assert_same_run(*folders)
    calls: Array = load_archive(folders[0] / CHECKPOINT)[0]["discriminator.2.calls"]
    assert calls == 2 * 21  # a step runs D forward twice


DICE = """
import numpy as np
import minigan as mg
from minigan.backend import backend_of

class Dropout(mg.Layer):
    buffer_names = ("calls",)

    def __init__(self, rate, seed=0):
        self.rate, self.seed = rate, seed

    def allocate(self, seed=None, dtype="float32", backend="numpy"):
        self.calls = mg.get_backend(backend).asarray(np.zeros(1), dtype)
        super().allocate(seed, dtype, backend)

    def forward(self, x):
        backend = backend_of(x)
        rng = np.random.default_rng([self.seed, int(backend.to_numpy(self.calls)[0])])
        self.calls += 1
        kept = backend.asarray(rng.random(x.shape) >= self.rate)
        mask = kept.astype(x.dtype) / np.asarray(1 - self.rate, x.dtype).item()
        return x * mask, mask

    def evaluate(self, x):
        return x, np.zeros_like(x) + 1

    def input_grad(self, dy, mask):
        return dy * mask

    def __repr__(self):
        return f"Dropout({self.rate}, {self.seed})"

def discriminator(n_in, n_out, **options):
    return mg.Sequential(mg.Linear(n_in, 24), mg.LeakyReLU(0.2), Dropout(0.3, 5),
                         mg.Linear(24, n_out), **options)
"""
