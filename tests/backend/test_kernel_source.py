"""Formulas as CUDA source: what the text is, that it compiles, and that it computes the formula.

None of this needs a GPU: NVRTC compiles without one (``pip install nvidia-cuda-nvrtc-cu12``), and a
C++ compiler makes the same text a loop for the CPU, whose results are compared with NumPy's.
"""

from __future__ import annotations

import ctypes
import doctest
import shutil
import site
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import strict_cupy

import minigan as mg
from minigan.activations import sigmoid
from minigan.backend import Array, Backend, elementwise, kernel_source
from minigan.backend.kernel_source import Source, formula_source, transcribe, update_source
from minigan.bench.gpu import NOTHING
from minigan.losses import _bce, _bce_with_logits, _mse
from minigan.optim import update

DTYPES = ("float32", "float64")


def formulas() -> list[tuple[str, Callable[..., Any], tuple[Any, ...]]]:
    """(name, formula, arguments with None for an array) of all kernels that the library has."""
    result: list[tuple[str, Callable[..., Any], tuple[Any, ...]]] = []
    for layer in (mg.ReLU(), mg.LeakyReLU(0.2), mg.Tanh(), mg.Sigmoid()):
        cls: Any = type(layer)
        name = cls.__name__
        result.append((f"{name}.forward", cls.forward.__wrapped__, (layer, None)))
        result.append((f"{name}.input_grad", cls.input_grad.__wrapped__, (layer, None, None)))
    for layer in (mg.Tanh(), mg.Sigmoid()):  # that of the others is their input_grad
        cls = type(layer)
        formula, name = cls.double_backward.__wrapped__, f"{cls.__name__}.double_backward"
        result.append((name, formula, (layer, None, None, None)))
    result += [
        ("what no layer has", lambda a, b: (np.minimum(a, b), a < b, np.sqrt(b)), (None, None)),
        ("sigmoid of logits", sigmoid, (None,)),
        ("bce, target 1", _bce, (None, 1.0, 12)),
        ("bce, targets", _bce, (None, None, 12)),
        ("bce_with_logits, target 1", _bce_with_logits, (None, 1.0, 12)),
        ("bce_with_logits, target 0", _bce_with_logits, (None, 0.0, 12)),
        ("bce_with_logits, targets", _bce_with_logits, (None, None, 12)),
        ("mse, target 1", _mse, (None, 1.0, 12)),
        ("mse, targets", _mse, (None, None, 12)),
    ]
    return result


FORMULAS = formulas()
IDS = [name for name, _, _ in FORMULAS]


def test_documentation_of_the_module() -> None:
    assert doctest.testmod(kernel_source).failed == 0
    assert doctest.testmod(kernel_source).attempted == 2


def test_what_a_kernel_looks_like() -> None:
    leaky = mg.LeakyReLU(0.5)
    source = formula_source(type(leaky).input_grad.__wrapped__, (leaky, None, None), "float64")  # type: ignore[attr-defined]
    assert source.name == "LeakyReLU_input_grad"
    assert "typedef double T;" in source.text
    assert source.text.endswith(
        """\
(const T* a0, const T* a1, T* out0, const long long n)
{
    const long long step = (long long)gridDim.x * blockDim.x;
    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += step) {
        const T v0 = a0[i];
        const T v1 = a1[i];
        const T v2 = T(v1 > T(0.0));
        const T v3 = maximum(v2, T(0.5));
        const T v4 = v0 * v3;
        out0[i] = v4;
    }
}
"""
    )


def test_an_output_and_cache_that_are_one_array_are_written_once() -> None:
    source = formula_source(lambda x: (np.tanh(x),) * 2, (None,), "float32")
    assert (source.outputs, source.result) == (1, (0, 0))
    source = formula_source(lambda x: (x, np.exp(x), x), (None,), "float32")
    assert (source.outputs, source.result) == (2, (0, 1, 0))


@pytest.mark.parametrize(
    "formula", [lambda x: np.sin(x), lambda x: np.add.reduce(x), lambda x: np.add(x, 1, where=True)]
)
def test_what_a_kernel_cannot_contain(formula: Any) -> None:
    with pytest.raises(TypeError, match="cannot be part of a kernel"):
        transcribe(formula, ["x[i]"], "float32")


def test_a_layers_attributes_are_part_of_its_kernel(stand_in: Backend) -> None:
    x = stand_in.asarray(np.array([[-1.0, 2.0]], "float32"))
    layer = mg.LeakyReLU(0.2)
    for slope in (0.2, 0.4, 0.2):
        layer.negative_slope = slope
        y = stand_in.to_numpy(layer(x))
        np.testing.assert_array_equal(y, np.array([[-slope, 2]], "float32"))


def test_layers_of_two_classes_have_kernels_of_their_own(stand_in: Backend) -> None:
    class Twice(mg.Layer):
        factor: Any = 2.0

        @elementwise
        def forward(self, x: Array) -> tuple[Array, Array]:
            return self.factor * x, x

    class Thrice(Twice):
        factor = 3.0

    x = stand_in.asarray(np.ones((1, 2), "float32"))
    halved, scaled = Twice(), Twice()
    halved.factor, scaled.factor = np.float32(0.5), np.float32(7)
    for layer, want in ((Twice(), 2), (Thrice(), 3), (halved, 0.5), (scaled, 7)):
        assert stand_in.to_numpy(layer.forward(x)[0]).tolist() == [[want, want]]


def test_kernels_are_compiled_once(stand_in: Backend) -> None:
    x = stand_in.asarray(np.ones((2, 2), "float32"))
    before = len(strict_cupy.RawKernel.compiled)
    for _ in range(3):
        mg.Tanh()(x)
    assert len(strict_cupy.RawKernel.compiled) == before + 1


# ---------------------------------------------------------------- NVRTC, NVIDIA's compiler


def find_nvrtc() -> Path | None:
    """The library, from NVIDIA's wheel or where the system has it."""
    folders = [Path(folder) / "nvidia" for folder in site.getsitepackages()]
    folders += [Path("/usr/local/cuda/lib64")]
    found = [file for folder in folders for file in folder.glob("**/libnvrtc.so.*")]
    return next((file for file in sorted(found) if "alt" not in file.name), None)


def compile_with_nvrtc(library: Any, source: Source, architecture: str) -> bytes:
    """The PTX; an AssertionError with the compiler's log if it finds a mistake."""
    program = ctypes.c_void_p()
    text = source.text.encode()
    assert library.nvrtcCreateProgram(ctypes.byref(program), text, b"k.cu", 0, None, None) == 0
    options = (ctypes.c_char_p * 2)(f"--gpu-architecture={architecture}".encode(), b"--fmad=false")
    status = library.nvrtcCompileProgram(program, 2, options)
    size = ctypes.c_size_t()
    library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    library.nvrtcGetProgramLog(program, log)
    assert status == 0, log.value.decode()
    library.nvrtcGetPTXSize(program, ctypes.byref(size))
    ptx = ctypes.create_string_buffer(size.value)
    library.nvrtcGetPTX(program, ptx)
    library.nvrtcDestroyProgram(ctypes.byref(program))
    return ptx.value


@pytest.fixture(scope="module")
def nvrtc() -> Any:
    file = find_nvrtc()
    if file is None:
        pytest.skip("NVRTC is not installed: pip install nvidia-cuda-nvrtc-cu12")
    return ctypes.CDLL(str(file))


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", ["compute_75", "compute_90"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_nvrtc_compiles_every_kernel(nvrtc: Any, dtype: str, architecture: str) -> None:
    sources = [formula_source(formula, args, dtype) for _, formula, args in FORMULAS]
    for source in [*sources, update_source(update, 7, dtype)]:
        ptx = compile_with_nvrtc(nvrtc, source, architecture).decode()
        assert f".entry {source.name}(" in ptx
        if dtype == "float32":  # no double precision by accident: it is slow on most GPUs
            assert ".f64" not in ptx, source.text


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", ["compute_75", "compute_90"])
def test_nvrtc_compiles_the_kernel_that_does_nothing(nvrtc: Any, architecture: str) -> None:
    source = Source(text=NOTHING, name="nothing", outputs=0, result=())
    assert ".entry nothing(" in compile_with_nvrtc(nvrtc, source, architecture).decode()


@pytest.mark.nvrtc
def test_nvrtc_would_find_a_mistake(nvrtc: Any) -> None:
    source = formula_source(mg.Tanh.forward.__wrapped__, (mg.Tanh(), None), "float32")  # type: ignore[attr-defined]
    wrong = source._replace(text=source.text.replace("tanh(", "tahn("))
    with pytest.raises(AssertionError, match='identifier "tahn" is undefined'):
        compile_with_nvrtc(nvrtc, wrong, "compute_90")


# ---------------------------------------------------------------- the same text on the CPU

SHIM = """\
#include <cmath>
using namespace std;
#define __global__
#define __device__ static
struct Index { unsigned x; };
static const Index gridDim{1}, blockDim{1}, blockIdx{0}, threadIdx{0};
"""


def on_the_cpu(source: Source, folder: Path, n: int, *arrays: Array) -> None:
    """Run the kernel as a loop."""
    file, library = folder / f"{source.name}.cpp", folder / f"{source.name}.so"
    file.write_text(SHIM + source.text)
    command = ["g++", "-O1", "-ffp-contract=off", "-shared", "-fPIC", str(file), "-o", str(library)]
    subprocess.run(command, check=True)
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in arrays]
    getattr(ctypes.CDLL(str(library)), source.name)(*pointers, ctypes.c_longlong(n))


def arguments(name: str, args: Sequence[Any], dtype: str) -> list[Any]:
    """Values for the arrays, with the hard cases among them."""
    rng = np.random.default_rng(0)
    result = list(args)
    for k, arg in enumerate(args):
        if arg is None:
            a = rng.standard_normal(12) * 30
            a[:5] = 0, -0.0, np.inf, -np.inf, np.nan
            if name.startswith("bce,") or (k == 1 and "targets" in name):
                a = rng.uniform(0, 1, 12)
                a[:3] = 0, 1, 1e-30
            result[k] = a.astype(dtype)
    return result


needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")


@needs_compiler
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "formula", "args"), FORMULAS, ids=IDS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_text_computes_the_formula(
    name: str, formula: Any, args: Any, dtype: str, tmp_path: Path
) -> None:
    given = arguments(name, args, dtype)
    arrays = [a for a in given if isinstance(a, np.ndarray)]
    source = formula_source(formula, args, dtype)
    outputs = [np.empty(12, dtype) for _ in range(source.outputs)]
    on_the_cpu(source, tmp_path, 12, *arrays, *outputs)
    picks = source.result if isinstance(source.result, tuple) else (source.result,)
    want = formula(*given)
    for pick, expected in zip(picks, want if isinstance(want, tuple) else (want,), strict=True):
        # exp, log and tanh of NumPy and of the C library may differ in their last bits.
        rtol = 1e-5 if dtype == "float32" else 1e-13
        np.testing.assert_allclose(outputs[pick], expected, rtol=rtol)


@needs_compiler
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_text_of_adam_gives_numpys_bits(dtype: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    p, g, m = rng.standard_normal((3, 1000)).astype(dtype)
    v = rng.uniform(0, 1, 1000).astype(dtype)
    g[:100], v[:50] = 0, 0
    s = np.array([0.5, 0.5, 0.999, 1e-3, 2e-4, 0.1, 1e-8], dtype)
    want = update(p, g, m, v, *s)
    on_the_cpu(update_source(update, 7, dtype), tmp_path, 1000, p, g, m, v, s)
    for got, expected in zip((p, m, v), want, strict=True):
        np.testing.assert_array_equal(got, expected)
