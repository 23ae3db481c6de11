"""Outputs are whole or not there: a full disk, several processes at once. Real processes where it matters."""

import errno
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest
from click.testing import CliRunner
from commands_of_one_file import PUT, child, names
from latticecodec.cli import main
from latticecodec.cli.files import Job, Writing, write
from latticecodec.cli.inputs import STANDARD
from latticecodec.cli.spool import write_standard_output
from PIL import Image

import latticecodec
from latticecodec import OutputError, load
from latticecodec.bulk.store import Store
from latticecodec.outputs import write_file, write_text


@pytest.fixture
def here(tmp_path: Path, photo: Image.Image, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with photo.png, 64x48, and the process in it."""
    photo.crop((0, 0, 64, 48)).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_full_disk_while_compressing(here: Path, tiny_model: Path) -> None:
    """A limit on the size of files stands for it: writing fails in the same way."""
    (here / "photo.lcq").write_text("what was there")
    assert load(tiny_model) is not None  # before the limit holds
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        result = CliRunner().invoke(main, ["compress", "photo.png", "--force", "--model", str(tiny_model)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: photo.lcq: cannot be written: File too large\n"
    assert names(here) == ["photo.lcq", "photo.png"]
    assert (here / "photo.lcq").read_text() == "what was there"


@pytest.mark.parametrize("suffix", ["png", "bmp", "jpg", "tiff", "webp", "ppm"])
def test_a_full_disk_while_decompressing(tmp_path: Path, photo: Image.Image, suffix: str) -> None:
    """Pillow writes to the temporary file by itself; the message is ours all the same."""
    code = f"""{PUT}
from PIL import Image
from latticecodec.cli.decompress import _save
from latticecodec.picture import read
target = "back.{suffix}"
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
def fill(file):
    _save(read(Image.effect_noise((100, 80), 50).convert("RGB")), Path(target), file)
main(["put"])
"""
    with child(code, tmp_path) as process:
        assert process.communicate() == ("", f"Error: back.{suffix}: cannot be written: File too large\n")
    assert process.returncode == 1
    assert names(tmp_path) == []


def test_a_full_disk_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems say so only when data is synchronised."""

    def fsync(number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OutputError, match=r"out\.lcq: cannot be written: No space left on device"):
        write_file(tmp_path / "out.lcq", lambda file: file.write(b"data"), overwrite=False)
    assert names(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_standard_output_that_is_full(tmp_path: Path) -> None:
    code = f"""{PUT}
target = "-"
fill = lambda file: file.write(bytes(100_000))
main(["put"])
"""
    with open("/dev/full", "w") as full, child(code, tmp_path, stdout=full) as process:
        err = process.communicate()[1]
    assert process.returncode == 1
    assert err == "Error: standard output: cannot be written: No space left on device\n"


def test_nothing_goes_out_where_filling_fails(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    def fill(file: BinaryIO) -> None:
        file.write(b"half")
        raise OutputError("a picture that cannot be saved")

    with pytest.raises(OutputError, match="cannot be saved"):
        write_standard_output(fill)
    sys.stdout.flush()
    assert capfdbinary.readouterr().out == b""


def test_two_processes_write_one_file(tmp_path: Path) -> None:
    """Both hold a finished temporary file before either may name it: one wins, the other one says why it did not."""
    code = f"""{PUT}
target = "out.lcq"
def fill(file):
    file.write(b"%d" % os.getpid())
    print("ready", flush=True)
    sys.stdin.readline()
main(["put"])
"""
    with child(code, tmp_path) as one, child(code, tmp_path) as other:
        for process in (both := (one, other)):
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        assert len(names(tmp_path)) == 2  # temporary files, each with a name of its own
        for process in both:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        errors = [process.communicate()[1] for process in both]
    assert sorted(process.returncode for process in both) == [0, 1]
    assert sorted(errors) == ["", "Error: out.lcq: exists already; --force overwrites it\n"]
    winner = both[0] if both[0].returncode == 0 else both[1]
    assert (tmp_path / "out.lcq").read_text() == str(winner.pid)
    assert names(tmp_path) == ["out.lcq"]


def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", link)
    target = tmp_path / "out.lcq"
    write_file(target, lambda file: file.write(b"first"), overwrite=False)
    with pytest.raises(FileExistsError):
        write_file(target, lambda file: file.write(b"second"), overwrite=False)
    assert target.read_bytes() == b"first"
    write_file(target, lambda file: file.write(b"third"), overwrite=True)
    assert target.read_bytes() == b"third"
    monkeypatch.setattr(os, "replace", link)
    with pytest.raises(OutputError, match="Operation not permitted"):
        write_file(tmp_path / "other.lcq", lambda file: file.write(b"data"), overwrite=False)
    assert names(tmp_path) == ["out.lcq"]


def test_the_longest_name_and_the_permissions_of_a_new_file(tmp_path: Path) -> None:
    target = tmp_path / ("n" * 251 + ".lcq")
    write_file(target, lambda file: file.write(b"data"), overwrite=False)
    (tmp_path / "plain").touch()
    assert target.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_permissions_of_a_file_that_is_overwritten(here: Path, tiny_model: Path) -> None:
    (here / "photo.lcq").write_text("secret")
    (here / "photo.lcq").chmod(0o600)
    own = ["--model", str(tiny_model), "--force"]
    assert CliRunner().invoke(main, ["compress", "photo.png", *own]).exit_code == 0
    assert (here / "photo.lcq").stat().st_mode & 0o777 == 0o600
    if os.geteuid() == 0:
        os.chown(here / "photo.lcq", 1234, 1235)
        assert CliRunner().invoke(main, ["compress", "photo.png", *own]).exit_code == 0
        assert ((here / "photo.lcq").stat().st_uid, (here / "photo.lcq").stat().st_gid) == (1234, 1235)
    before = os.umask(0o027)
    try:
        assert CliRunner().invoke(main, ["compress", "photo.png", "-o", "new.lcq", *own]).exit_code == 0
    finally:
        os.umask(before)
    assert (here / "new.lcq").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed(here: Path, tiny_model: Path, there: bool) -> None:
    (here / "elsewhere").mkdir()
    (here / "photo.lcq").symlink_to("elsewhere/real.lcq")
    if there:
        (here / "elsewhere" / "real.lcq").write_text("what was there")
    arguments = ["compress", "photo.png", "--model", str(tiny_model)]
    refused = CliRunner().invoke(main, arguments)
    assert refused.stderr == "Error: photo.lcq: exists already; --force overwrites it\n"
    assert CliRunner().invoke(main, [*arguments, "--force"]).exit_code == 0
    assert (here / "photo.lcq").is_symlink()
    assert latticecodec.read_header((here / "elsewhere" / "real.lcq").read_bytes()).width == 64
    assert names(here / "elsewhere") == ["real.lcq"]


def test_links_that_lead_nowhere(here: Path, tiny_model: Path) -> None:
    (here / "loop.lcq").symlink_to("loop.lcq")
    done = CliRunner().invoke(main, ["compress", "photo.png", "-o", "loop.lcq", "--force", "--model", str(tiny_model)])
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("Error: loop.lcq: cannot be written: ")
    assert (here / "loop.lcq").is_symlink()


def test_write_protection(here: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said before any work is done; --force does not lift it."""
    (here / "photo.lcq").write_text("what was there")
    protected: list[Path] = []
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) not in protected)  # root may do everything
    arguments = ["compress", "photo.png", "--model", str(tiny_model), "--force"]
    protected.append(Path("photo.lcq"))
    done = CliRunner().invoke(main, arguments)
    assert done.stderr == "Error: photo.lcq: is write-protected, and --force does not change that; remove it first\n"
    protected[:] = [here.resolve()]
    done = CliRunner().invoke(main, arguments)
    assert done.stderr.startswith(f"Error: photo.lcq: the folder {here.resolve()} is write-protected; ")
    assert (here / "photo.lcq").read_text() == "what was there"
    assert names(here) == ["photo.lcq", "photo.png"]


def test_a_file_in_the_place_of_a_folder(here: Path, tiny_model: Path) -> None:
    (here / "in" / "deep").mkdir(parents=True)
    (here / "in" / "deep" / "photo.png").write_bytes((here / "photo.png").read_bytes())
    (here / "out").mkdir()
    (here / "out" / "deep").write_text("a file")
    done = CliRunner().invoke(main, ["compress", "in", "-o", "out", "--model", str(tiny_model)])
    assert done.exit_code == 1
    assert "Error: out/deep/photo.lcq: the folder out/deep cannot be made: File exists\n" in done.stderr


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write(Job(STANDARD, path), lambda file: file.write(b"new"), Writing(force=True)),
        lambda path: write_text(path, "new"),
        lambda path: Store(str(path.parent)).write(path.name, b"new"),
    ],
    ids=["command", "report", "bulk"],
)
def test_what_is_replaced_keeps_its_mode_and_a_link_is_followed(write: Callable[[Path], object], here: Path) -> None:
    """Whoever writes it, and it is on the disk then."""
    (here / "plain").write_text("before")
    (here / "plain").chmod(0o640)
    (here / "link").symlink_to("plain")
    synchronised: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", synchronised.append)
        write(here / "link")
    assert (here / "link").is_symlink()
    assert ((here / "plain").read_text(), (here / "plain").stat().st_mode & 0o777) == ("new", 0o640)
    assert (len(synchronised), names(here)) == (1, ["link", "photo.png", "plain"])
