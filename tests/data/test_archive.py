"""Archives survive a kill at any moment, and damage is found when they are read."""

from __future__ import annotations

import os
import pickle
import random
import signal
import struct
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import numpy as np
import pytest

from minigan.data import check_arrays, load_archive, save_archive
from minigan.errors import InputError
from minigan.machine.files import atomic_write, remove_leftovers

ARRAYS = {
    "weights": np.arange(12, dtype="float32").reshape(3, 4),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(10.0)[::3],
    "empty": np.empty((0, 8)),
}
META = {"step": 7, "state": {"big": 2**127 + 1}, "text": "한글"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "checkpoint.npz"
    save_archive(path, ARRAYS, META)
    return path


def assert_whole(path: Path) -> None:
    arrays, meta = load_archive(path)
    assert meta == META
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype


def test_round_trip(file: Path) -> None:
    assert_whole(file)
    assert [path.name for path in file.parent.iterdir()] == ["checkpoint.npz"]


def test_nothing_but_the_arrays_is_in_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy 2.0 and 2.1 have no ``allow_pickle`` here, and would store it as an array."""
    given: list[str] = []
    monkeypatch.setattr("minigan.data.archive.np.savez", lambda file, **kwds: given.extend(kwds))
    save_archive(file, ARRAYS, META)
    assert given == ["meta", *ARRAYS]


def test_a_folder_that_cannot_be_synced(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rename is done by then: no reason to say that writing failed."""

    open_file = os.open

    def refuse(path: Any, flags: int, mode: int = 0o777) -> int:
        if Path(path).is_dir():
            raise PermissionError(13, "Permission denied")
        return open_file(path, flags, mode)

    monkeypatch.setattr("minigan.machine.files.os.open", refuse)
    save_archive(tmp_path / "other.npz", ARRAYS, META)
    monkeypatch.undo()
    assert_whole(tmp_path / "other.npz")


def test_every_flipped_bit_is_found_or_harmless(file: Path) -> None:
    whole = file.read_bytes()
    rng = random.Random(0)
    found = 0
    for _ in range(600):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        file.write_bytes(damaged)
        try:
            assert_whole(file)  # dates and the like in the archive's directory do not matter
        except InputError as error:
            assert "\n" not in str(error)
            found += 1
    assert found > 300


def test_every_truncation_is_found(file: Path) -> None:
    whole = file.read_bytes()
    for length in [*range(0, len(whole), 97), len(whole) - 1]:
        file.write_bytes(whole[:length])
        with pytest.raises(InputError, match="damaged"):
            load_archive(file)


class Evil:
    def __reduce__(self) -> Any:
        return os.mkdir, ("unpickled",)


@pytest.mark.parametrize("kind", ["npz of objects", "npy", "pickle", "text", "other npz", "folder"])
def test_files_that_are_not_ours(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "checkpoint.npz"
    if kind == "npz of objects":
        with file.open("wb") as stream:
            np.savez(stream, allow_pickle=True, meta=np.array([Evil()], dtype=object))
    elif kind == "npy":
        with file.open("wb") as stream:
            np.save(stream, np.arange(3))
    elif kind == "pickle":
        file.write_bytes(pickle.dumps(Evil()))
    elif kind == "text":
        file.write_text("hello")
    elif kind == "other npz":
        np.savez(file, a=np.arange(3))
    else:
        file.mkdir()
    message = (
        "cannot be read: Is a directory" if kind == "folder" else "damaged or not a checkpoint"
    )
    with pytest.raises(InputError, match=message):
        load_archive(file)
    assert not (tmp_path / "unpickled").exists()


def write_entries(file: Path, entries: dict[str, bytes], compression: int = ZIP_STORED) -> None:
    with ZipFile(file, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def npy(header: str, content: bytes) -> bytes:
    """A file of NumPy's format with this header, true or not."""
    text = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + content


@pytest.mark.parametrize(
    "kind", ["compressed", "a bomb", "overlapping", "array too large", "array too small", "objects"]
)
def test_sizes_are_checked_before_anything_is_read(kind: str, tmp_path: Path) -> None:
    file, dtype, shape = tmp_path / "checkpoint.npz", "<f4", "(3,)"
    if kind == "compressed":
        write_entries(file, {"a.npy": np.random.default_rng(0).bytes(1000)}, ZIP_DEFLATED)
    elif kind == "a bomb":  # 300 MB in 300 kB
        write_entries(file, {"a.npy": bytes(300_000_000)}, ZIP_DEFLATED)
    elif kind == "overlapping":  # twenty names for the same 1 MB
        write_entries(file, {f"{i:02}.npy": bytes(1_000_000 if i == 0 else 0) for i in range(20)})
        content = bytearray(file.read_bytes())
        directory = content.index(b"PK\x01\x02")
        first = content[directory : content.index(b"PK\x01\x02", directory + 1)]
        for i in range(1, 20):
            start = directory + i * len(first)
            content[start : start + 46] = first[:46]
            content[start + 46 : start + len(first)] = b"%02d.npy" % i
        file.write_bytes(content)
    else:
        if kind == "array too large":
            shape = "(2000000000, 2)"
        elif kind == "array too small":
            shape = "(2,)"
        else:
            dtype = "|O"
        header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}"
        write_entries(file, {"a.npy": npy(header, bytes(12))})
    tracemalloc.start()
    with pytest.raises(InputError, match="damaged or not a checkpoint"):
        load_archive(file)
    assert tracemalloc.get_traced_memory()[1] < 3 * file.stat().st_size + 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite(value: float, file: Path) -> None:
    weights = ARRAYS["weights"].copy()
    weights[1, 2] = value
    with pytest.raises(InputError, match="damaged: 'weights' has numbers that are not finite"):
        check_arrays(file, {"weights": weights}, {"weights": ARRAYS["weights"]})


@pytest.mark.parametrize("kind", ["pipe", "/dev/zero", "link to a pipe"])
def test_only_regular_files_are_read(kind: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # nobody writes to it: reading would never end
    (tmp_path / "link to a pipe").symlink_to("pipe")
    with pytest.raises(InputError, match="cannot be read: Not a regular file"):
        load_archive(tmp_path / kind)


def test_missing_and_other_format(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        load_archive(tmp_path / "checkpoint.npz")
    save_archive(tmp_path / "old.npz", {}, {"format": "minigan checkpoint 0"})
    with pytest.raises(InputError, match="has format 'minigan checkpoint 0', expected"):
        load_archive(tmp_path / "old.npz")


def test_other_architectures(file: Path) -> None:
    check_arrays(file, ARRAYS, {"weights": ARRAYS["weights"]})
    for expected, message in (
        ({"bias": np.zeros(3)}, "has no 'bias'"),
        ({"weights": np.zeros((4, 4), "float32")}, r"'weights' is float32 \(3, 4\), expected"),
        ({"weights": np.zeros((3, 4))}, "expected float64"),
    ):
        with pytest.raises(InputError, match=message + ".*another architecture"):
            check_arrays(file, ARRAYS, expected)


def test_a_failed_write_leaves_the_old_file(file: Path) -> None:
    class DiskFullError(Exception):
        pass

    with pytest.raises(DiskFullError), atomic_write(file) as stream:
        stream.write(b"half")
        raise DiskFullError
    assert_whole(file)
    assert [path.name for path in file.parent.iterdir()] == ["checkpoint.npz"]


# ---------------------------------------------------------------- kill -9

SAVE_FOREVER = """
import sys, numpy as np
from pathlib import Path
from minigan.data import save_archive
path, n = Path(sys.argv[1]), 0
while True:
    n += 1
    save_archive(path, {"a": np.full(300_000, n), "b": np.full(300_000, n)}, {"n": n})
"""


@pytest.mark.parametrize("delay", [0.0, 0.013, 0.029, 0.05])
def test_kill_while_saving_over_and_over(delay: float, tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.npz"
    process = subprocess.Popen([sys.executable, "-c", SAVE_FOREVER, str(file)])
    while not file.exists():
        assert process.poll() is None
        time.sleep(0.005)
    time.sleep(delay)
    process.kill()
    process.wait()
    arrays, meta = load_archive(file)
    assert (arrays["a"] == meta["n"]).all()
    assert (arrays["b"] == meta["n"]).all()


KILL_ITSELF = """
import os, sys, signal, numpy as np
from pathlib import Path
from minigan.data import save_archive
what = sys.argv[2]
kill = lambda *args: os.kill(os.getpid(), signal.SIGKILL)
if what == "before sync":
    os.fsync = kill
elif what == "before rename":
    Path.replace = kill
else:
    write = np.lib.format.write_array
    count = []
    def half(*args, **kwargs):
        count.append(1)
        kill() if len(count) == 2 else write(*args, **kwargs)
    np.lib._npyio_impl.format.write_array = half
save_archive(Path(sys.argv[1]), {"a": np.zeros(100_000), "b": np.zeros(100_000)}, {})
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize("moment", ["between arrays", "before sync", "before rename"])
def test_kill_at_a_chosen_moment(moment: str, file: Path) -> None:
    process = subprocess.run([sys.executable, "-c", KILL_ITSELF, str(file), moment], check=False)
    assert process.returncode == -signal.SIGKILL
    assert len(list(file.parent.glob(".minigan-*.tmp"))) == 1  # it was in the middle
    assert_whole(file)
    save_archive(file, ARRAYS, META)  # and the next save goes through
    assert_whole(file)
    remove_leftovers(file.parent)
    assert [path.name for path in file.parent.iterdir()] == ["checkpoint.npz"]


@pytest.mark.parametrize("dtype", ["|V0", "|S0", "<U0"])
def test_items_without_bytes_are_refused(dtype: str, file: Path) -> None:
    """A million million of them take no byte, and would raise every limit that counts items."""
    header = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': (1000000000000,), }}\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
    with ZipFile(file, "a") as archive:
        archive.writestr("pad.npy", content)
    with pytest.raises(InputError, match="whose items have no bytes"):
        load_archive(file)
