"""What an installation without torch does: it opens pictures, and says in one line what it lacks for the rest."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from latticecodec.cli import main
from latticecodec.cli.group import COMMANDS

import latticecodec
from latticecodec import LcqError, devices
from latticecodec.extras import PACKAGES, require

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "tests" / "shipped" / "lattice.lcq"
MODULES_MAX = 42  # of ours, the command line aside, to load a model and have the indices of a file
HIDDEN = "import sys; sys.modules['torch'] = None; import json, latticecodec\n"  # as if it were not installed


def without_torch(code: str) -> object:
    """What lines of Python print as JSON, in a process that has no torch."""
    done = subprocess.run([sys.executable, "-c", HIDDEN + code], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def test_headers_models_and_help_need_no_torch() -> None:
    commands = [["--help"], ["compress", "--help"], ["models"], ["info", str(SHIPPED)]]
    code = f"""
from click.testing import CliRunner
from latticecodec.cli import main
names = [info.name for info in latticecodec.list_models()]
width = latticecodec.read_header({str(SHIPPED)!r}).width
failed = [command for command in {commands} if CliRunner().invoke(main, command).exit_code]
lab = [name for name in sys.modules if name.startswith("latticecodec.lab")]
listed = CliRunner().invoke(main, ["reproduce", "list"]).output.splitlines()[0]
print(json.dumps([names, width, failed, lab, listed[:5]]))
"""
    names = [info.name for info in latticecodec.list_models()]
    assert without_torch(code) == [names, latticecodec.read_header(SHIPPED).width, [], [], "ll-2 "]


def test_a_codec_is_few_modules_and_none_of_the_laboratory(tmp_path: Path) -> None:
    """Neither are other kinds, what encodes, nor what reads pictures; and what writes one is of its format alone."""
    code = f"""
def ours():
    return [n for n in sys.modules if n.startswith("latticecodec.") and not n.startswith("latticecodec.cli")]
codec = latticecodec.load("lattice-1")
loaded = ours()
indices = codec.decode_indices({str(SHIPPED)!r})
read = ours()
from click.testing import CliRunner
from latticecodec.cli import main
arguments = ["decompress", {str(SHIPPED)!r}, "-o", {str(tmp_path / "back.png")!r}]
assert CliRunner().invoke(main, arguments).exit_code == 0
print(json.dumps([list(indices.shape), loaded, read, ours(), "numpy.random" in sys.modules]))
"""
    shape, loaded, read, written, random = without_torch(code)  # type: ignore[misc]
    assert shape[0] == 256
    assert len(loaded) < len(read) <= MODULES_MAX, sorted(read)
    assert [name for name in read if name.startswith(("latticecodec.lab", "latticecodec.picture"))] == []
    home = "latticecodec.picture.formats"
    assert {name for name in written if name.startswith(f"{home}.")} == {f"{home}.format", f"{home}.png"}
    assert not random  # NumPy's takes as long to import as a small picture to decode


def test_the_command_line_imports_what_a_command_needs_once_it_runs() -> None:
    heavy = ("numpy", "PIL", "multiprocessing", "concurrent.futures", "tempfile", "http", "latticecodec.config")
    code = f"""
import contextlib, io
from latticecodec.cli import main
from latticecodec.cli.group import COMMANDS, MODULES
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(["--help"])
loaded = [name for name in {heavy} if name in sys.modules]
commands = {{f"latticecodec.cli.{{MODULES.get(name, name)}}" for name in COMMANDS}}
before = sorted(commands & sys.modules.keys())
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(["info", {str(SHIPPED)!r}])
print(json.dumps([loaded, before, sorted(commands & sys.modules.keys())]))
"""
    assert without_torch(code) == [[], [], ["latticecodec.cli.info"]]


def test_the_help_lists_every_command_with_what_it_does() -> None:
    """Of what is not imported for it, so that a command that is renamed is not found."""
    assert len(main.commands) == len(COMMANDS)
    for name, command in main.commands.items():
        assert command.name == name
        assert f"\n  {name:10}  {COMMANDS[name]}\n" in CliRunner().invoke(main, ["--help"]).stdout


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (["train"], "lcodec train needs torch; pip install 'latticecodec[train]'"),
        (["eval", str(ROOT / "samples")], "lcodec eval needs torch; pip install 'latticecodec[eval]'"),
        (["reproduce"], "lcodec reproduce needs torch; pip install 'latticecodec[papers]'"),
        (
            ["compress", str(ROOT / "samples" / "landscape.png"), "-o", "-", "--effort", "5"],
            "effort 5 needs torch; pip install 'latticecodec[torch]'",
        ),
        (["verify", str(SHIPPED), "--device", "cuda"], "--device cuda needs torch; pip install 'latticecodec[torch]'"),
    ],
)
def test_commands_say_which_extra_is_missing(command: list[str], line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    result = CliRunner().invoke(main, command)
    assert (result.exit_code, result.stderr) == (1, f"Error: {line}\n")


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors speak of what the caller can write: an argument, or an option of the command line."""
    assert devices.resolve_device("cpu") == "cpu"
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(latticecodec.LcqError, match="choose `device` cpu, or auto"):
        devices.resolve_device("cuda")
    assert "choose --device cpu, or auto" in CliRunner().invoke(main, ["verify", __file__, "--device", "cuda"]).stderr
    with pytest.raises(latticecodec.LcqError, match="choose auto, cpu or cuda"):
        devices.resolve_device("tpu")


def test_devices_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert devices.resolve_device("auto") == "cpu"
    with pytest.raises(LcqError, match=r"`device` cuda needs torch; pip install 'latticecodec\[torch\]'"):
        devices.resolve_device("cuda")


def test_torch_is_not_imported_to_find_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "GPU_DRIVERS", ())
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert devices.resolve_device("auto") == "cpu"
    assert "torch" not in sys.modules


def test_a_package_of_an_extra_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(LcqError, match=r"lcodec train needs tensorboard; pip install 'latticecodec\[train\]'"):
        require("train", "lcodec train")


def test_bulk_says_which_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    result = CliRunner().invoke(main, ["bulk", str(ROOT / "samples"), "--dry-run"])
    assert (result.exit_code, result.stderr) == (1, "Error: lcodec bulk needs ray; pip install 'latticecodec[bulk]'\n")


def test_extras_bring_what_is_asked_for() -> None:
    """A package that `require` looks for is in its extra; none of them is in what everybody installs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]

    def brought(extra: str) -> set[str]:
        found = set()
        for line in optional[extra]:
            nested = re.match(r"latticecodec\[([\w,]+)\]", line)
            found |= set().union(*map(brought, nested[1].split(","))) if nested else {_imported(line)}
        return found

    for extra, packages in PACKAGES.items():
        assert set(packages) <= brought(extra)
        assert not set(packages) & set(map(_imported, project["dependencies"]))
    assert brought("dev") >= set().union(*map(brought, {*optional} - {"dev", "fuzz"}))


def _imported(line: str) -> str:
    """A requirement's package as it is imported."""
    return re.split(r"[\[<>=]", line)[0].replace("-", "_")


def test_a_machine_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    told = CliRunner().invoke(main, ["compress", "photo.png", "--device", "cuda"])
    assert (told.exit_code, told.stderr) == (1, "Error: no CUDA device is available; choose --device cpu, or auto\n")
    with pytest.raises(LcqError, match="no CUDA device is available; choose `device` cpu, or auto"):
        latticecodec.load("lattice", device="cuda")
