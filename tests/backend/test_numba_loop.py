"""Formulas as compiled loops: NumPy's numbers, when they are compiled, what is left to NumPy."""

from __future__ import annotations

import importlib.util
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.all_formulas import arguments, formulas, in_tuple

import minigan as mg
from minigan.backend import Array, elementwise, numba_loop
from minigan.backend.numba_loop import LARGE, OFTEN, Loops, formula_loop
from minigan.backend.numpy_backend import NumpyBackend
from minigan.training.draws import draw_start
from minigan.training.recipes import RECIPES

NUMBA = importlib.util.find_spec("numba") is not None
needs_numba = pytest.mark.skipif(not NUMBA, reason="Numba is not installed")
SCIPY = importlib.util.find_spec("scipy") is not None
needs_scipy = pytest.mark.skipif(not SCIPY, reason="SciPy is not installed")

FORMULAS = formulas()
LEFT_TO_NUMPY = {  # for their exp, log or tanh
    "Tanh.forward", "Sigmoid.forward", "sigmoid of logits", "bce, target 1", "bce, targets",
    "bce_with_logits, target 1", "bce_with_logits, target 0", "bce_with_logits, targets",
}  # fmt: skip


def forward_of(layer: mg.Layer) -> Callable[..., Any]:
    formula: Callable[..., Any] = type(layer).forward.__wrapped__  # type: ignore[attr-defined]
    return formula


@pytest.fixture
def loops(monkeypatch: pytest.MonkeyPatch) -> dict[Any, Any]:
    """The loops of the backend, of which there are none at the beginning of the test."""
    fresh = Loops()
    monkeypatch.setattr(mg.get_backend("numpy"), "loops", fresh)
    return fresh.loops


@needs_numba
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "formula", "args"), FORMULAS, ids=[name for name, *_ in FORMULAS])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_loop_gives_numpys_numbers(name: str, formula: Any, args: Any, dtype: str) -> None:
    loop = formula_loop(formula, args, dtype)
    if name in LEFT_TO_NUMPY:
        assert loop is None
        return
    given = arguments(name, args, dtype, 1003)  # some elements are left over by vectors of 8 or 16
    assert loop is not None
    got = loop([a for a in given if isinstance(a, np.ndarray)])
    for array, want in zip(in_tuple(got), in_tuple(formula(*given)), strict=True):
        assert array.dtype == dtype
        np.testing.assert_array_equal(array, want)


@needs_numba
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="reads x86-64 assembly")
def test_a_loop_takes_several_elements_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[Any] = []

    def noted(*args: Any, **options: Any) -> Callable[..., Any]:
        def compile_it(function: Any) -> Any:
            compiled.append(njit(*args, **options)(function))
            return compiled[-1]

        return compile_it

    import numba

    njit = numba.njit
    monkeypatch.setattr(numba, "njit", noted)
    leaky: Any = mg.LeakyReLU(0.2)
    loop = formula_loop(type(leaky).input_grad.__wrapped__, (leaky, None, None), "float32")
    assert loop is not None
    loop([np.ones(LARGE, "float32")] * 2)
    assert "mulps" in next(iter(compiled[-1].inspect_asm().values()))


@needs_numba
def test_a_formula_is_compiled_when_it_has_run_often(loops: dict[Any, Any]) -> None:
    layer, x = mg.ReLU(), np.ones((1, LARGE), "float32")
    for _ in range(OFTEN):
        assert not loops
        layer.forward(x)
    assert len(loops) == 1
    for _ in range(2 * OFTEN):
        layer.forward(x)
        layer.forward(x[:, 1:])  # too small to count
        layer.input_grad(x[:, 1:], x[:, 1:])
    assert len(loops) == 1


@needs_numba
def test_a_changed_attribute_is_seen(
    monkeypatch: pytest.MonkeyPatch, loops: dict[Any, Any]
) -> None:
    monkeypatch.setattr(numba_loop, "OFTEN", 1)
    layer, x = mg.LeakyReLU(0.2), np.full((1, LARGE), -1, "float32")
    for slope in (0.2, 0.4, 0.2, 0.4):
        layer.negative_slope = slope
        np.testing.assert_array_equal(layer.forward(x)[0], slope * x)
    assert len(loops) == 2


class Scaled(mg.Layer):
    """Reads its factor from where ``readable`` does not look."""

    def __init__(self) -> None:
        self.factors = [2.0]

    @elementwise
    def forward(self, x: Array) -> tuple[Array, Array]:
        return self.factors[0] * x, x


def test_an_attribute_that_may_change_unseen_is_left_to_numpy(
    monkeypatch: pytest.MonkeyPatch, loops: dict[Any, Any]
) -> None:
    monkeypatch.setattr(numba_loop, "OFTEN", 1)
    layer, x = Scaled(), np.ones((1, LARGE), "float32")
    for factor in (2.0, 3.0, 4.0):
        layer.factors[0] = factor
        assert layer.forward(x)[0][0, 0] == factor
    assert set(loops.values()) == {None}


@needs_numba
def test_a_zero_has_numpys_sign() -> None:
    zeros = np.tile(np.array([0.0, -0.0], "float32"), LARGE)
    other = np.tile(np.array([-0.0, -0.0, 0.0, 0.0], "float32"), LARGE // 2)
    for formula, given in (
        (lambda x: np.maximum(x, 0), [zeros]),
        (lambda x: np.minimum(x, 0), [zeros]),
        (np.maximum, [zeros, other]),
        (np.minimum, [zeros, other]),
    ):
        loop = formula_loop(lambda *a, f=formula: f(*a), [None] * len(given), "float32")
        assert loop is not None
        np.testing.assert_array_equal(np.signbit(loop(given)), np.signbit(formula(*given)))


@pytest.mark.parametrize(
    "formula",
    [
        lambda x: np.where(x > 0, x, 0),  # no ufunc
        lambda x: x - x.mean(),  # not element by element
        lambda x: np.sin(x),
        lambda x: np.ones_like(x),
        lambda x: x.copy(),
        lambda x: np.minimum(x, np.inf),
        lambda x: x * np.float64(0.1),  # which makes float64 of float32
        lambda x: x + np.int64(1),
        lambda x: x * ((x > 0) + (x > -1)),  # True + True is True
        lambda x: (x > 0) / 2 + x,  # of which NumPy makes a float64
        lambda x: x * (1 - (x > 0)),
        lambda x: np.maximum(x > 0, 0.5) * x,
        lambda x: -(x > 0) * x,
        lambda x: x > 0,
    ],
)
def test_what_is_more_than_operations_is_left_to_numpy(formula: Any) -> None:
    assert formula_loop(formula, [None], "float32") is None


@pytest.mark.parametrize("dtype", ["longdouble", "float16", ">f4"])
def test_other_numbers_are_left_to_numpy(
    dtype: str, monkeypatch: pytest.MonkeyPatch, loops: dict[Any, Any]
) -> None:
    monkeypatch.setattr(numba_loop, "OFTEN", 1)
    backend, x = mg.get_backend("numpy"), np.arange(LARGE).astype(dtype)
    for _ in range(3):
        np.testing.assert_array_equal(backend.elementwise(np.negative, x), -x)
    mixed = np.ones(LARGE)  # each of the two alone could be compiled
    both = backend.elementwise(lambda a, b: a + b, mixed.astype("float32"), mixed)
    assert both.dtype == np.float64
    spread = backend.elementwise(lambda a, b: a + b, mixed, np.ones((2, 1)))
    assert spread.shape == (2, LARGE)
    assert not loops


def test_a_list_among_the_constants_is_left_to_numpy() -> None:
    backend, x = NumpyBackend(), np.ones(LARGE)
    factors = [2.0]

    def scaled(x: Array, factors: list[float]) -> Array:
        return x * factors[0]

    for factor in range(2 * OFTEN):
        factors[0] = factor
        assert backend.elementwise(scaled, x, factors)[0] == factor


def test_arrays_with_gaps_are_left_to_numpy(
    monkeypatch: pytest.MonkeyPatch, loops: dict[Any, Any]
) -> None:
    monkeypatch.setattr(numba_loop, "OFTEN", 1)
    wide = np.random.default_rng(0).standard_normal((LARGE, 4))
    for x in (wide[:, ::2], wide[:, :2], wide.T):
        y, _ = mg.ReLU().forward(x)
        np.testing.assert_array_equal(y, np.maximum(x, 0))
    assert not loops


def test_constants_that_change_at_each_call_are_not_kept() -> None:
    backend, x = NumpyBackend(), np.ones(LARGE)

    def times(x: Array, k: int) -> Array:
        return k * x

    for k in range(3 * numba_loop.MANY):
        assert backend.elementwise(times, x, k)[0] == k
    assert not backend.loops.loops
    assert len(backend.loops.calls) <= numba_loop.MANY + 1


def test_without_numba(monkeypatch: pytest.MonkeyPatch, loops: dict[Any, Any]) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)  # makes "import numba" fail
    monkeypatch.setattr(numba_loop, "_numba", numba_loop._numba.__wrapped__)  # as a new process
    monkeypatch.setattr(numba_loop, "OFTEN", 1)
    x = np.linspace(-1, 1, LARGE).reshape(1, -1)
    for _ in range(3):
        np.testing.assert_array_equal(mg.ReLU().forward(x)[0], np.maximum(x, 0))
    assert set(loops.values()) == {None}


@needs_numba
@pytest.mark.parametrize(
    ("name", "value", "line", "used"),
    [
        ("NUMBA_NUM_THREADS", "0", "Numba cannot be used (Number of threads specified must", False),
        (
            "NUMBA_NUM_THREADS",
            "-3",
            "Numba cannot be used (Number of threads specified must",
            False,
        ),
        pytest.param(
            "SOURCE_DATE_EPOCH", "x", "Numba cannot be used (", False, marks=needs_scipy
        ),  # which NumPy's f2py reads, which SciPy imports, which Numba imports if it is there
        ("NUMBA_DISABLE_JIT", "1", "Numba cannot be used (NUMBA_DISABLE_JIT is set)", False),
        ("NUMBA_NUM_THREADS", "abc", "Numba: Environment variable 'NUMBA_NUM_THREADS' is", True),
        ("NUMBA_OPT", "banana", "Numba: Environment variable 'NUMBA_OPT' is defined but", True),
    ],
)
def test_an_environment_that_numba_refuses_costs_one_line(
    name: str, value: str, line: str, used: bool
) -> None:
    code = f"""if True:
        import numpy as np, minigan as mg
        x = np.ones((1, {LARGE}), "float32")
        for _ in range({2 * OFTEN}):
            y = mg.ReLU()(x)
            z = mg.Sequential(mg.LeakyReLU(0.2))(x)
        print([loop is not None for loop in mg.get_backend("numpy").loops.loops.values()])
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, name: value},
    )
    said, loops = done.stdout.splitlines()
    assert said.startswith(f"Warning: {line}")
    assert (loops, done.stderr) == (str([used] * 2), "")


@needs_numba
@pytest.mark.skipif(sys.platform != "linux", reason="sets a limit of Linux")
@pytest.mark.parametrize("megabytes", [0, 3, 40, 90, 400])
def test_without_memory_for_the_compiler(megabytes: int) -> None:
    """LLVM aborts, or waits for ever, when it gets none; NumPy goes on with little."""
    code = f"""if True:
        import resource, numpy as np, minigan as mg
        x = np.ones((1, {LARGE}), "float32")
        pages = int(open("/proc/self/statm").read().split()[0])
        most = pages * resource.getpagesize() + ({megabytes} << 20)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        for _ in range({2 * OFTEN}):
            y = mg.ReLU()(x)
        loops = mg.get_backend("numpy").loops.loops.values()
        print(*(loop is not None for loop in loops), (y == x).all())
    """
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == f"{megabytes == 400} True\n", done.stderr


@needs_numba
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_run_is_the_same_whenever_its_formulas_are_compiled(
    recipe: str, monkeypatch: pytest.MonkeyPatch, loops: dict[Any, Any]
) -> None:
    ends = []
    for often in (10**9, 20, 1):
        loops.clear()
        monkeypatch.setattr(numba_loop, "OFTEN", often)
        rng, kind = np.random.default_rng(0), RECIPES[recipe]
        gan, _ = draw_start(
            kind,
            rng,
            latent_dim=100,
            classes=10 if kind.conditional else 0,
            image_size=784,
            networks=None,
            lr=None,
            betas=(0.5, 0.999),
            r1=None,
            dtype="float32",
            backend="numpy",
        )
        for _ in range(12):
            real = rng.uniform(-1, 1, (32, 784)).astype("float32")
            z = rng.standard_normal((32, gan.z_columns or 0), dtype="float32")
            labels = rng.integers(0, 10, 32) if kind.conditional else None
            gan.train_step(real, z, labels)
        ends.append(np.concatenate([gan.generator.params, gan.discriminator.params]))
        assert bool(loops) == (often < 10**9)
    np.testing.assert_array_equal(ends[0], ends[1])
    np.testing.assert_array_equal(ends[0], ends[2])
