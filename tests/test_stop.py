"""A command that is stopped: one line, the exit code that shells expect, and nothing unfinished."""

import os
import signal
import subprocess
import sys
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner
from commands_of_one_file import PUT, child, names
from deadlines import looks
from latticecodec.cli import main, stop
from PIL import Image

import latticecodec
from latticecodec.outputs import remove_parts, write_file

STOPPED = """
import os, signal, sys

class Stopping:  # the finder of modules that is asked first
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            os.kill(os.getpid(), signal.SIGNAL)

signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.HANDLER)
sys.meta_path.insert(0, Stopping())
sys.argv[1:] = ["--version"]
from latticecodec.cli import run
run()
"""


@pytest.fixture
def here(tmp_path: Path, photo: Image.Image, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with photo.png, 64x48, and the process in it."""
    photo.crop((0, 0, 64, 48)).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stopped_at_the_start(name: str, hangup: str = "SIG_DFL") -> subprocess.CompletedProcess[str]:
    """A program that a signal reaches while it is imported, with that handler of SIGHUP."""
    code = STOPPED.replace("SIGNAL", name).replace("HANDLER", hangup)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_while_the_program_is_imported(name: str) -> None:
    done = stopped_at_the_start(name)
    assert done.returncode == 128 + getattr(signal, name)
    assert (done.stdout, done.stderr) == ("", f"Error: stopped by {name}\n")


def test_a_signal_that_was_ignored_from_the_start_stays_ignored() -> None:
    done = stopped_at_the_start("SIGHUP", "SIG_IGN")
    assert (done.returncode, done.stdout) == (0, f"lcodec, version {latticecodec.__version__}\n")


def test_the_program_begins_where_signals_are_heeded() -> None:
    root = Path(latticecodec.__file__).parent.parent
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"lcodec": "latticecodec.cli:run"}


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_leaves_nothing(tmp_path: Path, name: str) -> None:
    code = f"""{PUT}
target = "out.lcq"
def fill(file):
    begin(file)
    os.kill(os.getpid(), signal.{name})
main(["put"])
"""
    with child(code, tmp_path) as process:
        out, err = process.communicate()
    assert process.returncode == 128 + getattr(signal, name)
    assert (out, err) == ("", f"Error: stopped by {name}\n")
    assert names(tmp_path) == []


def test_a_signal_that_was_ignored_stays_ignored(tmp_path: Path) -> None:
    """As nohup wants it."""
    code = f"""{PUT}
target = "out.lcq"
def fill(file):
    begin(file)
    os.kill(os.getpid(), signal.SIGHUP)
    file.write(b"and half")
signal.signal(signal.SIGHUP, signal.SIG_IGN)
main(["put"])
"""
    with child(code, tmp_path) as process:
        assert process.communicate() == ("", "")
    assert process.returncode == 0
    assert (tmp_path / "out.lcq").read_text() == "half and half"


def test_a_part_whose_removal_was_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second signal, just when the first one's cleaning up begins."""
    remove = Path.unlink

    def interrupted(path: Path, missing_ok: bool = False) -> None:
        monkeypatch.setattr(Path, "unlink", remove)
        raise stop.Stopped(signal.SIGTERM)

    monkeypatch.setattr(Path, "unlink", interrupted)
    with pytest.raises(stop.Stopped), stop.on_signals(remove_parts):
        write_file(tmp_path / "out.lcq", lambda file: file.write(b"half"), overwrite=False)
    assert names(tmp_path) == ["out.lcq"]  # it was finished


def test_a_signal_that_compiled_code_makes_another_error_of() -> None:
    """As pybind11 does where the import of a module of its own is interrupted."""

    def imported() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        except stop.Stopped as stopped:
            raise ImportError("initialization failed") from stopped

    with pytest.raises(stop.Stopped, match="stopped by SIGTERM"), stop.on_signals(remove_parts):
        imported()
    with pytest.raises(ImportError, match="without a signal"), stop.on_signals(remove_parts):
        raise ImportError("without a signal")


def test_compress_stopped_while_it_reads(tmp_path: Path, tiny_model: Path) -> None:
    """A named pipe that nobody writes to; that it can be opened for writing is the sign that the command waits."""
    os.mkfifo(tmp_path / "photo.png")
    arguments = ["compress", "photo.png", "-o", "photo.lcq", "--model", str(tiny_model)]
    with child(f"from latticecodec.cli import main; main({arguments})", tmp_path) as process:
        for _ in looks():
            with suppress(OSError):  # while nobody reads
                writing = os.open(tmp_path / "photo.png", os.O_WRONLY | os.O_NONBLOCK)
                break
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.communicate()[1] == "Error: stopped by SIGTERM\n"
        os.close(writing)
    assert process.returncode == 143
    assert names(tmp_path) == ["photo.png"]


def test_an_input_that_does_not_end_can_be_stopped(tmp_path: Path) -> None:
    """While bytes come one after another, as from a device; 256 MB stand for no end."""
    with child("from latticecodec.cli import main; main(['verify', '-'])", tmp_path) as process:
        assert process.stdin is not None
        pipe, some = process.stdin.fileno(), bytes(10**6)
        os.write(pipe, some)  # returns when most of it has been read
        process.send_signal(signal.SIGTERM)
        with pytest.raises(BrokenPipeError):
            any(not os.write(pipe, some) for _ in range(256))
        assert process.communicate()[1] == "Error: stopped by SIGTERM\n"


def test_finished_files_of_an_interrupted_folder_stay(
    here: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM between the second file's last byte and its name: it is written to its end, and the third never."""
    (here / "in").mkdir()
    for name in ("a.png", "b.png", "c.png"):
        (here / "in" / name).write_bytes((here / "photo.png").read_bytes())
    synchronised: list[int] = []

    def fsync(number: int) -> None:
        synchronised.append(number)
        if len(synchronised) == 2:
            assert callable(signal.getsignal(signal.SIGTERM))
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(os, "fsync", fsync)
    result = CliRunner().invoke(main, ["compress", "in", "-o", "out", "--model", str(tiny_model)])
    assert result.exit_code == 143
    assert result.stderr.splitlines()[-1] == "Error: stopped by SIGTERM"
    assert result.stdout.startswith("out/a.lcq  64x48")
    assert names(here / "out") == ["a.lcq", "b.lcq"]
    for name in ("a.lcq", "b.lcq"):
        assert latticecodec.decode((here / "out" / name).read_bytes(), tiny_model, "cpu").size == (64, 48)
