"""Files in a folder that somebody else has prepared, and on file systems that cannot do it all."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from minigan.machine.files import atomic_write, new_folder, open_regular, remove_leftovers, sync
from minigan.machine.terminal import say_once

posix = pytest.mark.skipif(os.name != "posix", reason="needs links and pipes")


def write(path: Path, content: bytes = b"new") -> None:
    with atomic_write(path) as file:
        file.write(content)


@posix
def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim, file = tmp_path / "victim", tmp_path / "picture.png"
    victim.write_text("precious")
    file.symlink_to(victim)
    write(file)
    assert victim.read_text() == "precious"
    assert file.read_bytes() == b"new"
    assert not file.is_symlink()


@posix
@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "file"])
def test_the_temporary_file_is_always_a_new_one(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even somebody who could guess its name cannot make it write to another file, or wait."""
    victim, file = tmp_path / "victim", tmp_path / "picture.png"
    victim.write_text("precious")
    monkeypatch.setattr("minigan.machine.files.secrets.token_hex", lambda n: "guessed")
    prepared = tmp_path / ".minigan-guessed.tmp"
    if kind == "link":
        prepared.symlink_to(victim)
    elif kind == "pipe":
        os.mkfifo(prepared)
    elif kind == "folder":
        prepared.mkdir()
    else:
        prepared.write_text("x")
    with pytest.raises(FileExistsError) as caught:
        write(file)
    assert caught.value.filename == str(file)
    assert victim.read_text() == "precious"
    assert not file.exists()


def test_the_names_of_temporary_files_differ(tmp_path: Path) -> None:
    names = set()
    for _ in range(20):
        with atomic_write(tmp_path / "file"):
            names |= {path.name for path in tmp_path.glob(".minigan-*.tmp")}
    assert len(names) == 20
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_name_of_the_greatest_length(tmp_path: Path) -> None:
    write(tmp_path / ("x" * 255))


@posix
def test_a_new_file_has_the_users_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "file")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOSYS, errno.ENOTSUP])
def test_a_file_system_that_cannot_sync_costs_one_line(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unable(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("minigan.machine.files.os.fsync", unable)
    say_once.cache_clear()
    for name in ("one", "two"):
        write(tmp_path / name)
        assert (tmp_path / name).read_bytes() == b"new"
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert printed.startswith(f"Warning: this file system cannot sync files ({os.strerror(code)})")


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fails_is_an_error(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("old")

    def fails(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("minigan.machine.files.os.fsync", fails)
    with pytest.raises(OSError, match=os.strerror(code)) as caught:
        write(tmp_path / "file")
    assert (caught.value.errno, caught.value.filename) == (code, str(tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_sync_raises_what_it_does_not_know(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails(descriptor: Any) -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr("minigan.machine.files.os.fsync", fails)
    with (tmp_path / "file").open("wb") as file, pytest.raises(OSError, match="Bad file"):
        sync(file)


def test_leftovers_of_killed_processes_go(tmp_path: Path) -> None:
    for name in (".minigan-0123.tmp", ".minigan-abcd.tmp", "notes.tmp", ".other.tmp"):
        (tmp_path / name).write_text("x")
    (tmp_path / ".minigan-folder.tmp").mkdir()  # of this minute
    (tmp_path / ".minigan-link.tmp").symlink_to(tmp_path)
    remove_leftovers(tmp_path)
    remove_leftovers(tmp_path / "nowhere")
    left = [".minigan-folder.tmp", ".other.tmp", "notes.tmp"]
    assert sorted(path.name for path in tmp_path.iterdir()) == left


def test_an_error_without_a_name_names_the_new_folder(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as caught, new_folder(tmp_path / "images"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(tmp_path / "images")
    assert list(tmp_path.iterdir()) == []


def killed_while_it_makes(folder: Path) -> Path:
    """Return the temporary folder of a process that was killed, an hour ago by its time."""
    code = f"""if True:
        import os, pathlib, signal
        from minigan.machine.files import new_folder
        with new_folder(pathlib.Path({str(folder)!r})) as temporary:
            (temporary / "one").write_text("1")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = folder.parent.glob(".minigan-*")
    return left


@posix
def test_the_folder_of_a_killed_process_goes_with_the_next_one(tmp_path: Path) -> None:
    left = killed_while_it_makes(tmp_path / "images")
    with new_folder(tmp_path / "more"):
        assert left.exists()  # it may be about to be locked
    hour_ago = time.time() - 3600
    os.utime(left, (hour_ago, hour_ago))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / ".minigan-link.tmp").symlink_to(elsewhere)
    os.utime(elsewhere, (hour_ago, hour_ago))
    with new_folder(tmp_path / "images") as live:
        assert not left.exists()
        os.utime(live, (hour_ago, hour_ago))
        with new_folder(tmp_path / "others"):
            assert live.exists()  # its process is at work
        remove_leftovers(tmp_path)
        assert live.exists()
    assert {path.name for path in tmp_path.iterdir()} == {"images", "more", "others", "elsewhere"}


@posix
def test_without_locks_no_folder_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = killed_while_it_makes(tmp_path / "images")
    os.utime(left, (0, 0))

    def refused(descriptor: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refused)
    with new_folder(tmp_path / "images"):
        pass
    assert (left.exists(), (tmp_path / "images").is_dir()) == (True, True)


@posix
@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "link to a pipe"])
def test_only_regular_files_are_opened(kind: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link to a pipe").symlink_to("pipe")
    path = Path("/dev/zero") if kind == "device" else tmp_path / kind
    with pytest.raises(OSError, match="Is a directory|Not a regular file") as caught:
        open_regular(path)
    assert caught.value.filename == str(path)


def test_a_regular_file_is_read_through_a_link_too(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "link"):
        with open_regular(tmp_path / name) as file:
            assert file.read() == b"content"
