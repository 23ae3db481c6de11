"""The commands without torch: those that need none, and the one line of those that do."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from latticecodec.cli import main


def lcodec(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_torch_is_not_there() -> None:
    assert find_spec("torch") is None


def test_a_file_through_the_commands(here: Path) -> None:
    assert lcodec("compress", "photo.png", "-q", "40").exit_code == 0
    assert lcodec("verify", "photo.lcq").exit_code == 0
    assert json.loads(lcodec("info", "photo.lcq", "--json").stdout)["model"] == "lattice-ssimulacra2-2"
    assert lcodec("decompress", "photo.lcq", "-o", "back.png").exit_code == 0
    assert (here / "back.png").is_file()


def test_files_in_processes(here: Path) -> None:
    for name in ("a", "b"):
        (here / f"{name}.png").write_bytes((here / "photo.png").read_bytes())
    done = subprocess.run(
        [Path(sys.executable).with_name("lcodec"), "compress", "a.png", "b.png", "--jobs", "2"],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0
    assert (here / "a.lcq").read_bytes() == (here / "b.lcq").read_bytes()


def test_models_with_what_they_cost() -> None:
    costs = {model["name"]: model["decode_kmac_per_pixel"] for model in json.loads(lcodec("models", "--json").stdout)}
    assert costs["lattice"] == pytest.approx(21.887125)
    assert "lattice" in lcodec("models").stdout


def test_the_tables_of_the_papers() -> None:
    listed = json.loads(lcodec("reproduce", "list", "--json").stdout)
    assert len(listed["tables"]) > 10
    assert "get github.com/" in listed["missing"][0]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["train"], "lcodec train needs torch; pip install 'latticecodec[train]'"),
        (["eval", "photo.png"], "lcodec eval needs torch; pip install 'latticecodec[eval]'"),
        (["reproduce", "ll-5"], "lcodec reproduce needs torch; pip install 'latticecodec[papers]'"),
        (["bulk", ".", "packed"], "lcodec bulk needs ray; pip install 'latticecodec[bulk]'"),
        (
            ["compress", "photo.png", "--device", "cuda"],
            "--device cuda needs torch; pip install 'latticecodec[torch]'",
        ),
        (
            ["compress", "photo.png", "--effort", "5"],
            "effort 5 needs torch; pip install 'latticecodec[torch]'",
        ),
        (
            ["compress", ".", "-o", "packed", "--effort", "5"],  # once, and not for every picture
            "effort 5 needs torch; pip install 'latticecodec[torch]'",
        ),
    ],
)
def test_what_needs_torch_says_so(here: Path, arguments: list[str], line: str) -> None:
    result = lcodec(*arguments)
    assert (result.exit_code, result.stderr.splitlines()[-1].removeprefix("Error: ")) == (1, line)
    assert [path.name for path in here.iterdir()] == ["photo.png"]
