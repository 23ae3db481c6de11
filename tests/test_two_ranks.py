"""Two processes train one model, and together they do what one does."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from deadlines import ended, looks
from PIL import Image
from several_ranks import KEPT, losses

from latticecodec import load
from latticecodec.lab import ranks as ranks_module
from latticecodec.lab.training.synthetic import synthetic_picture

pytestmark = pytest.mark.usefixtures("one_thread")
HERE = Path(__file__).parent


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def started(*arguments: object) -> list[subprocess.Popen[str]]:
    """Two processes as torchrun starts them, without the seconds that it takes itself."""
    told_by = dict(zip(ranks_module.TOLD_BY[1:], ("2", "127.0.0.1", str(_free_port())), strict=True))
    command = [sys.executable, *map(str, arguments)]
    return [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=HERE)
        for environment in ({**os.environ, **told_by, "RANK": rank, "OMP_NUM_THREADS": "1"} for rank in "01")
    ]


def processes(*arguments: object) -> list[tuple[int, str, str]]:
    """Status, output and errors of two processes."""
    first, second = started(*arguments)
    with ended(first), ended(second):
        told = [process.communicate() for process in (first, second)]
    return [(first.returncode, *told[0]), (second.returncode, *told[1])]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of six small pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    for seed in range(6):
        picture = Image.fromarray(synthetic_picture(seed, 96, 128).permute(1, 2, 0).numpy())
        picture.save(folder / f"{seed}.png")
    return folder


@pytest.fixture(scope="module")
def one(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[float], Path]:
    """The losses of a training of one process with eight crops, and its folder."""
    out = tmp_path_factory.mktemp("one") / "lattice"
    return losses("lattice", out, pictures), out


@pytest.fixture(scope="module")
def two(pictures: Path, one: tuple[list[float], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of trainings of two ranks, four crops each."""
    out = tmp_path_factory.mktemp("two")
    asked: list[dict[str, object]] = [
        {"quantizer": "lattice"},
        {"quantizer": "lattice", "resume": str(one[1] / "kept.pt")},
        {"quantizer": "adaptive", "steps": 6},
    ]
    for settings, name in zip(asked, ("lattice", "rest", "adaptive"), strict=True):
        settings |= {"out": str(out / name), "data": str(pictures), "port": _free_port()}
    (out / "settings.json").write_text(json.dumps(asked))
    for status, _, errors in processes("several_ranks.py", out / "settings.json"):
        assert status == 0, errors
    return out


def _of_two(out: Path) -> list[float]:
    """The losses of a training of two ranks; all ranks see, and judge, the same."""
    first, second = (json.loads((out / f"losses-{rank}.json").read_text()) for rank in range(2))
    assert first == second
    return list(first)


def _apart(found: list[float], wanted: list[float]) -> float:
    return max(abs(a / b - 1) for a, b in zip(found, wanted, strict=True))


def test_two_ranks_of_four_crops_follow_one_of_eight(two: Path, one: tuple[list[float], Path]) -> None:
    losses_of_one, folder = one
    assert len(losses_of_one) == 50
    assert _apart(_of_two(two / "lattice"), losses_of_one) < 1e-3
    for out in (two / "lattice", folder):
        assert [row.split(",")[0] for row in (out / "log.csv").read_text().split()] == ["step", "25", "50"]
    assert load(two / "lattice" / "model", device="cpu").config.latents == 32


def test_two_ranks_are_one_that_adds_up_its_batch_in_two_halves(two: Path, pictures: Path, tmp_path: Path) -> None:
    """To the bits of its numbers: what is left between two ranks and one is the order of sums in float32."""
    halves = losses("lattice", tmp_path / "halves", pictures, halves=True, steps=15)  # 9, before the rate falls
    assert _apart(_of_two(two / "lattice")[:9], halves[:9]) < 1e-6


def test_two_ranks_follow_one_with_codebooks_too(two: Path, pictures: Path, tmp_path: Path) -> None:
    assert _apart(_of_two(two / "adaptive"), losses("adaptive", tmp_path / "one", pictures, steps=6)) < 1e-4


def test_one_rank_goes_on_where_two_stopped(two: Path, pictures: Path, tmp_path: Path) -> None:
    rest = losses("lattice", tmp_path / "rest", pictures, two / "lattice" / "kept.pt")
    assert _apart(rest, _of_two(two / "lattice")[KEPT:]) < 1e-3


def test_two_ranks_go_on_where_one_stopped(two: Path, one: tuple[list[float], Path]) -> None:
    assert _apart(_of_two(two / "rest"), one[0][KEPT:]) < 1e-3


@pytest.mark.scale
def test_a_training_ends_where_one_of_its_processes_is_killed(pictures: Path, tmp_path: Path) -> None:
    """With one line of the other; none waits for what does not come."""
    given = f"--data {pictures} --val {pictures} --out {tmp_path}/run --preset lc-test --steps 100000 --batch 2"
    small = ["--crop", "64", "--drawn", "0", "--checkpoint-minutes", "0", "--device", "cpu"]
    first, second = started("-m", "latticecodec", "train", *given.split(), *small)
    with ended(first), ended(second):
        for _ in looks():
            if (tmp_path / "run" / "checkpoint.pt").exists():
                break
            assert first.poll() is None
        second.kill()
        errors = first.communicate()[1]
    told = "another process of this training has ended; go on with --resume"
    assert (first.returncode, errors.splitlines()[-1]) == (1, f"Error: {told}")


def test_torchrun_runs_the_command_which_speaks_and_writes_once(pictures: Path, tmp_path: Path) -> None:
    model, val = tmp_path / "run" / "model", tmp_path / "val"
    val.mkdir()
    shutil.copy(pictures / "0.png", val)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    given = f"--data {pictures} --val {val} --out {model.parent} --preset lc-test --steps 2 --batch 2 --crop 64"
    small = ["--drawn", "0", "--validate-every", "2", "--device", "cpu"]
    train = ["-m", "latticecodec", "train", *given.split(), *small]
    done = subprocess.run([*torchrun, *train], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split("  ")[0] for line in lines[:-1]] == ["step 2"]
    assert lines[-1] == f"model written to {model}; use it with --model {model}"


@pytest.mark.scale
def test_one_rank_says_what_is_wrong(pictures: Path, tmp_path: Path) -> None:
    model = tmp_path / "run" / "model"
    model.mkdir(parents=True)
    given = f"--data {pictures} --val {pictures} --out {model.parent} --preset lc-test --steps 2 --batch 2 --crop 64"
    (status, _, errors), (other, output, silence) = processes("-m", "latticecodec", "train", *given.split())
    assert (status, errors) == (1, f"Error: {model}: exists already; choose another --out\n")
    assert (other, output, silence) == (1, "", "")
