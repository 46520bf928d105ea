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
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import strict_cupy
from helpers.all_formulas import arguments, formulas, in_tuple

import minigan as mg
from minigan.backend import Array, Backend, elementwise, transcript
from minigan.backend.kernel_source import Source, formula_source, update_source
from minigan.backend.transcript import Transcript, transcribe
from minigan.bench.gpu import NOTHING
from minigan.optim import update

DTYPES = ("float32", "float64")
FORMULAS = formulas()
IDS = [name for name, _, _ in FORMULAS]


def test_documentation_of_the_module() -> None:
    assert doctest.testmod(transcript).failed == 0
    assert doctest.testmod(transcript).attempted == 2


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
    assert (len(source.transcript.stores), source.transcript.result) == (1, (0, 0))
    source = formula_source(lambda x: (x, np.exp(x), x), (None,), "float32")
    assert (len(source.transcript.stores), source.transcript.result) == (2, (0, 1, 0))


@pytest.mark.parametrize(
    "formula",
    [
        lambda x: np.sin(x),
        lambda x: np.add.reduce(x),
        lambda x: np.add(x, 1, where=True),
        lambda x: x + np.inf,
        lambda x: np.maximum(x, float("nan")),
        lambda x: x * (1 - (x > 0)),
    ],
)
def test_what_a_kernel_cannot_contain(formula: Any) -> None:
    with pytest.raises(TypeError, match="can(not)? be part of a loop"):
        transcribe(formula, ["x[i]"], "float32")


@pytest.mark.parametrize("number", [np.float64(0.5), np.int64(2)])
def test_a_number_that_would_change_the_type(number: Any) -> None:
    with pytest.raises(TypeError, match="would make float32 another type"):
        transcribe(lambda x: number * x, ["x[i]"], "float32")
    lines, _ = transcribe(lambda x: number * x, ["x[i]"], "float64")
    assert lines[1] == f"v1 = T({float(number)!r}) * v0"


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
    source = Source("nothing", NOTHING, Transcript([], [], {}, ()))
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
    outputs = [np.empty(12, dtype) for _ in source.transcript.stores]
    on_the_cpu(source, tmp_path, 12, *arrays, *outputs)
    got = source.transcript.picked(outputs)
    want = formula(*given)
    for array, expected in zip(in_tuple(got), in_tuple(want), strict=True):
        # exp, log and tanh of NumPy and of the C library may differ in their last bits.
        rtol = 1e-5 if dtype == "float32" else 1e-13
        np.testing.assert_allclose(array, expected, rtol=rtol)


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
