"""The backends: choosing one, moving arrays, and the reasons given when there is no GPU."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from helpers.strict_cupy import Counts, StrictArray, make_module

import minigan as mg
from minigan.backend import Backend, backend_of, dispatch, matmul
from minigan.backend.cupy_backend import why_unavailable
from minigan.errors import InputError


def test_names() -> None:
    assert mg.get_backend("numpy").name == "numpy"
    assert mg.get_backend("numpy").xp is np
    assert mg.get_backend("numpy") is mg.get_backend("numpy")
    assert mg.get_backend(mg.get_backend("numpy")) is mg.get_backend("numpy")
    assert repr(mg.get_backend("numpy")) == "<backend numpy>"


def test_round_trip_and_product(backend: Backend) -> None:
    a = np.arange(6, dtype="float32").reshape(2, 3)
    there = backend.asarray(a)
    assert backend_of(there) is backend
    np.testing.assert_array_equal(backend.to_numpy(there), a)
    assert backend.asarray(a, "float64").dtype == "float64"
    assert backend.asarray([1.0, 2.0]).shape == (2,)
    product = matmul(there, there.T)
    np.testing.assert_array_equal(backend.to_numpy(product), a @ a.T)
    out = backend.asarray(np.empty((2, 2), "float32"))
    assert matmul(there, there.T, out=out) is out
    np.testing.assert_array_equal(backend.to_numpy(out), a @ a.T)
    backend.synchronize()


@pytest.mark.parametrize("name", ["jax", "NumPy", "", None])
def test_unknown_backend(name: Any) -> None:
    with pytest.raises(InputError, match="unknown backend"):
        mg.get_backend(name)


@pytest.mark.parametrize("value", [[1.0], 1.0, None, "x"])
def test_what_is_no_array(value: Any) -> None:
    with pytest.raises(TypeError, match=f"z is a {type(value).__name__}, expected a NumPy or CuPy"):
        backend_of(value, "z")


# ---------------------------------------------------------------- why there is no GPU


def test_products_that_cublas_is_not_called_for(stand_in: Backend) -> None:
    """float16 has no routine of its own, and a result of another kind would be written beyond."""
    half = stand_in.asarray(np.ones((2, 3), "float16"))
    assert stand_in.to_numpy(stand_in.matmul(half, half.T)).tolist() == [[3, 3], [3, 3]]
    whole = stand_in.asarray(np.ones((2, 3), "float32"))
    for out in (np.empty((3, 3), "float32"), np.empty((2, 2), "int32")):
        with pytest.raises((ValueError, TypeError)):
            stand_in.matmul(whole, whole.T, out=stand_in.asarray(out))


def fail(message: str) -> Any:
    def raise_it(*args: Any) -> Any:
        raise RuntimeError(message)

    return raise_it


def without_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)  # makes "import cupy" fail


def without_device(monkeypatch: pytest.MonkeyPatch) -> None:
    cupy: Any = make_module()
    cupy.cuda.runtime.getDeviceCount = lambda: 0
    monkeypatch.setitem(sys.modules, "cupy", cupy)


def without_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    cupy: Any = make_module()
    cupy.cuda.runtime.getDeviceCount = fail("cudaErrorInsufficientDriver:\n driver too old")
    monkeypatch.setitem(sys.modules, "cupy", cupy)


def without_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    cupy: Any = make_module()
    cupy.zeros = fail("cudaErrorMemoryAllocation: out of memory")
    monkeypatch.setitem(sys.modules, "cupy", cupy)


def without_library(monkeypatch: pytest.MonkeyPatch) -> None:
    cupy: Any = make_module()
    cupy.matmul = fail("CuPy failed to load libnvrtc.so.12:\n no such file")
    monkeypatch.setitem(sys.modules, "cupy", cupy)


def without_luck(monkeypatch: pytest.MonkeyPatch) -> None:
    cupy: Any = make_module()
    cupy.matmul = fail("something new")
    monkeypatch.setitem(sys.modules, "cupy", cupy)


@pytest.mark.parametrize(
    ("breakage", "reason"),
    [
        (without_cupy, r"not installed: pip install 'minigan\[cuda12\]'"),
        (without_device, "finds no CUDA device"),
        (without_driver, "driver is missing, or older .*InsufficientDriver: driver too old"),
        (without_memory, "the GPU has no memory left .*out of memory"),
        (without_library, r"a CUDA library is missing, pip install 'minigan\[cuda12\]'.*libnvrtc"),
        (without_luck, r"CuPy cannot use a CUDA device \(RuntimeError: something new"),
    ],
)
def test_reasons(breakage: Any, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    breakage(monkeypatch)
    dispatch._cupy.cache_clear()
    with pytest.raises(InputError, match=f"backend 'cupy' cannot be used: .*{reason}") as caught:
        mg.get_backend("cupy")
    assert "\n" not in str(caught.value)
    assert mg.get_backend("auto").name == "numpy"


def test_a_cupy_that_does_not_import(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "cupy.py").write_text("import a_library_that_is_missing")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    assert "does not import" in str(why_unavailable())


def test_auto_takes_the_gpu(stand_in: Backend) -> None:
    assert why_unavailable() is None
    assert mg.get_backend("auto") is stand_in


# ---------------------------------------------------------------- the stand-in is strict


def test_stand_in_refuses_what_cupy_refuses() -> None:
    device, host = StrictArray(np.ones(3)), np.ones(3)
    with pytest.raises(TypeError, match="implicit conversion"):
        np.asarray(device)
    for mix in (
        lambda: device + host,
        lambda: host * device,
        lambda: np.concatenate([device, host]),
        lambda: np.where(device > 0, device, host),
    ):
        with pytest.raises(TypeError):
            mix()
    with pytest.raises(TypeError):
        device[:] = host
    with pytest.raises(TypeError):
        np.median(device)
    assert isinstance(device.sum(), StrictArray)  # 0-d stays on the device


def test_a_training_step_moves_next_to_nothing_and_does_not_wait(stand_in: Backend) -> None:
    rng = np.random.default_rng(0)
    gan = mg.GAN(mg.generator(seed=rng, backend="cupy"), mg.discriminator(seed=rng, backend="cupy"))
    real = stand_in.asarray(rng.uniform(-1, 1, (4, 784)).astype("float32"))
    z = stand_in.asarray(rng.standard_normal((4, 100)).astype("float32"))
    gan.train_step(real, z)  # the first step looks at the range of the images
    Counts.reset()
    result = gan.train_step(real, z)
    # To the device: the seven numbers of each Adam, which change from step to step.
    assert (Counts.to_device, Counts.to_host, Counts.waits) == (2, 0, 0)
    assert all(isinstance(value, StrictArray) for value in result)
    assert float(result.d_loss) > 0
    assert Counts.waits == 1
