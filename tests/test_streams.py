"""Standard input, output and error that are closed, full or a terminal; names that are no text; `-` and `./-`."""

import errno
import io
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from command_line import lcodec
from latticecodec.cli import main, stop
from PIL import Image

import latticecodec

FULL = "Error: standard output: cannot be written: No space left on device\n"
CLOSED = "Error: standard output: is closed"
ODD = os.fsdecode(b"caf\xe9  1\x1b.png")  # Latin-1, two spaces, and what a terminal would obey


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a.png of 24x16 pixels, of which none is cheaper exact; the process in it."""
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(256, size=(16, 24, 3), dtype=np.uint8)  # [H, W, 3]
    Image.fromarray(noise).save("a.png")
    return tmp_path


@pytest.fixture
def packed(here: Path, tiny_model: Path) -> Path:
    """a.lcq beside a.png."""
    assert lcodec("compress", "a.png", "--model", tiny_model).exit_code == 0
    return here / "a.lcq"


@pytest.fixture
def run(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Run a command with another standard output: exit status and what standard error got."""

    def run(output: IO[str] | None, command: str) -> tuple[int, str]:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", output)
            with pytest.raises(SystemExit) as caught:
                main(command.replace("TINY", str(tiny_model)).split())
        return int(caught.value.code or 0), capfd.readouterr().err

    return run


COMMANDS = [
    "compress a.png -o b.lcq --model TINY",
    "compress a.png -o - --model TINY",
    "decompress a.lcq -o b.png --model TINY",
    "decompress a.lcq -o - --model TINY",
    "info a.lcq",
    "verify a.lcq --model TINY",
    "models",
    "eval a.png --model TINY --quality 50 --peer none",
    "reproduce list",
    "train",
    "--help",
    "info --help",
    "--version",
]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("command", COMMANDS)
def test_standard_output_that_cannot_be_written(
    packed: Path, run: Callable[..., tuple[int, str]], command: str
) -> None:
    """Full is one line; a reader that has gone, as `head` does, is none, and the status is that of SIGPIPE."""
    command = f"{command} --force" if " -o " in command else command
    reading, writing = os.pipe()
    os.close(reading)
    with suppress(BrokenPipeError), open(writing, "w") as gone:
        status, told = run(gone, command)
    assert status == 141
    assert "Error" not in told
    with suppress(OSError), open("/dev/full", "w") as full:
        status, told = run(full, command)
    assert status == 1
    assert told.endswith(FULL)
    assert "Errno" not in told


@pytest.mark.parametrize("command", [*COMMANDS[1:2], *COMMANDS[3:7], "decompress a.lcq --json -o b.png --model TINY"])
def test_standard_output_that_is_closed(packed: Path, run: Callable[..., tuple[int, str]], command: str) -> None:
    status, told = run(None, command)
    assert status == 1
    assert told.splitlines()[-1].startswith(CLOSED)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("command", ["--help", "info --help", "--version"])
def test_standard_output_without_a_buffer(run: Callable[..., tuple[int, str]], command: str) -> None:
    """As PYTHONUNBUFFERED has it: what failed once is gone, and would not fail again."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb", buffering=0) as raw, io.TextIOWrapper(raw, write_through=True) as gone:
        assert run(gone, command) == (141, "")
    with open("/dev/full", "wb", buffering=0) as raw, io.TextIOWrapper(raw, write_through=True) as full:
        assert run(full, command) == (1, FULL)


def test_nothing_is_said_when_the_interpreter_ends(packed: Path) -> None:
    """Python would try to write once more, and complain."""
    command = [sys.executable, "-m", "latticecodec", "info", str(packed)]
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (process.returncode, process.stderr) == (141, "")


@pytest.mark.parametrize("command", ["compress", "decompress", "info", "verify"])
def test_standard_input_that_is_closed(here: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    read_nothing = CliRunner().isolation()
    with read_nothing as (_, stderr, _):
        monkeypatch.setattr(sys, "stdin", None)
        with pytest.raises(SystemExit) as caught:
            main([command, "-"])
        assert caught.value.code == 1
        assert b"Error: standard input: is closed; give it something to read, or name a file\n" in stderr.getvalue()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_standard_error_that_is_closed_or_full(packed: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A progress bar or a note never goes to where data goes, and never ends the work."""
    command = ["compress", "a.png", "-o", "b.lcq", "--effort", "2", "--model", str(tiny_model), "--force"]
    with suppress(OSError), open("/dev/full", "w") as full:
        for error in (None, full):
            with monkeypatch.context() as patch:
                patch.setattr(sys, "stderr", error)
                with pytest.raises(SystemExit) as caught:
                    main(command)
            assert not caught.value.code
            assert latticecodec.read_header(Path("b.lcq").read_bytes()).width == 24


def test_binary_data_is_not_sent_to_a_terminal(packed: Path) -> None:
    ours, theirs = pty.openpty()
    for name, file in (("compress", "a.png"), ("decompress", "a.lcq")):
        code = f"from latticecodec.cli import main; main([{name!r}, {file!r}, '-o', '-'])"
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=theirs, stderr=subprocess.PIPE, text=True, check=False
        )
        assert done.returncode == 1
        assert done.stderr == (
            "Error: standard output: is a terminal, which cannot show this; name a file with -o, or add > FILE\n"
        )
    os.close(ours)
    os.close(theirs)


def test_a_file_named_like_standard_input(here: Path, tiny_model: Path) -> None:
    own = ["--model", tiny_model]
    os.rename("a.png", "-")
    assert lcodec("compress", "./-", "-o", "a.lcq", *own).exit_code == 0
    refused = lcodec("decompress", "a.lcq", "-o", "./-", *own, "--force")
    assert refused.stderr.startswith("Error: ./-: cannot write a file without suffix; try .png, ")
    assert sorted(os.listdir()) == ["-", "a.lcq"]
    packed = json.loads(lcodec("compress", "./-", *own, "--json").stdout)
    assert (packed["input"], packed["output"]) == ("./-", "./-.lcq")
    assert json.loads(lcodec("info", packed["output"], "--json").stdout)["file"] == "./-.lcq"
    Path("-").write_bytes(b"no picture")
    assert lcodec("compress", "./-", "-o", "b.lcq", *own).stderr.startswith("Error: ./-: not an image")
    os.rename("a.lcq", "-")
    assert json.loads(lcodec("info", "./-", "--json", data=b"not this").stdout)["file"] == "./-"


def test_names_that_are_not_utf_8(here: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = ["--model", str(tiny_model)]
    os.rename("a.png", ODD)
    shown = "caf\\xe9  1\\x1b"
    assert lcodec("compress", ODD, *own).stdout.startswith(f"{shown}.lcq  24x16  ")
    packed = ODD.replace(".png", ".lcq")
    for report in (lcodec("compress", ODD, *own, "--json", "--force"), lcodec("info", packed, "--json")):
        names = [value for value in json.loads(report.stdout).values() if isinstance(value, str)]
        assert all(name.encode() for name in names)  # characters, each of them
        assert any(name.startswith("caf\\xe9") for name in names)
    assert lcodec("info", packed).stdout.startswith(f"file           {shown}.lcq\n")
    assert lcodec("verify", packed, *own).stdout.startswith(f"{shown}.lcq: ok")
    refused = lcodec("compress", ODD, *own)
    assert refused.stderr == f"Error: {shown}.lcq: exists already; --force overwrites it\n"


def test_a_name_stands_once_in_an_error(here: Path) -> None:
    """However it is spaced, and also where its letters are in the words of the message."""
    for name in ("two  spaces.png", "an", "i", "image.png"):
        Path(name).write_bytes(b"no picture")
        Path(f"{name}.lcq").write_bytes(b"no file")
        told = lcodec("compress", name, "-o", "x.lcq").stderr
        assert told.startswith(f"Error: {name}: not an image")
        told = lcodec("verify", f"{name}.lcq").stderr
        assert told.startswith(f"Error: {name}.lcq: not an .lcq file")
        assert told.count(f"{name}.lcq: ") == 1


def test_errors_of_the_system_are_told_as_ours(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(error: BaseException) -> Callable[..., object]:
        def fail(*arguments: object, **options: object) -> object:
            raise error

        return fail

    Path("a.lcq").write_bytes(b"some bytes")
    for error, told in [
        (OSError(errno.EIO, os.strerror(errno.EIO)), "a.lcq: Input/output error"),
        (OSError(), "a.lcq: the system does not say why"),
        (PermissionError(errno.EACCES, "Permission denied", "/models/x"), "a.lcq: /models/x: Permission denied"),
        (MemoryError(), "a.lcq: not enough memory for this; "),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "a.lcq: not enough memory for this; "),
    ]:
        monkeypatch.setattr("latticecodec.container.Reader", failing(error))
        result = lcodec("info", "a.lcq")
        assert result.exit_code == 1
        assert result.stderr.startswith(f"Error: {told}")
        assert result.stderr.count("\n") == 1
    monkeypatch.setattr("latticecodec.zoo.list_models", failing(OSError(errno.EIO, os.strerror(errno.EIO))))
    assert lcodec("models").stderr == "Error: a file cannot be read or written: Input/output error\n"
    monkeypatch.setattr(Path, "read_bytes", failing(OSError(errno.EIO, os.strerror(errno.EIO), "a.lcq")))
    assert lcodec("verify", "a.lcq").stderr == "Error: a.lcq: cannot be read: Input/output error\n"


def test_only_the_process_of_a_command_changes_signal_handlers(
    packed: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library never does, and neither does a command that is called from another program."""
    before = [signal.getsignal(number) for number in stop.SIGNALS]
    seen: list[object] = []

    def handlers(*arguments: object, **options: object) -> object:
        seen.append([signal.getsignal(number) for number in stop.SIGNALS])
        return load(*arguments, **options)  # type: ignore[arg-type]

    load = latticecodec.load
    monkeypatch.setattr(latticecodec, "load", handlers)
    main(["verify", "a.lcq", "--model", str(tiny_model)], standalone_mode=False)
    assert seen == [before]
    assert lcodec("verify", "a.lcq", "--model", tiny_model).exit_code == 0
    assert seen[1] != before
    assert [signal.getsignal(number) for number in stop.SIGNALS] == before
    monkeypatch.setattr(signal, "signal", None)
    latticecodec.decode(latticecodec.encode("a.png", tiny_model, device="cpu"), tiny_model, device="cpu")
    sources = Path(latticecodec.__file__).parent.rglob("*.py")
    with_signals = [path.name for path in sources if "import signal" in path.read_text(encoding="utf-8")]
    assert with_signals == ["cluster.py"]  # which puts back the one that Ray changes
