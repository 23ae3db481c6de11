"""Rates of this machine for docs/scale.md: a collection by one process and by two workers, a training by one and two.

    python docs/scale_speed.py [--pictures N] [--steps N]

Photographs of a megapixel, at effort 0: `lcodec compress` with one thread and with two, `lcodec bulk` with two workers
of one thread, each from its start to its end. Training steps of eight crops of 256 x 256, lc-s, without the start: one
process of two threads, two of one. It takes some five minutes of a machine of two processors that does nothing else.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.data import astronaut

SIDE = 1000  # pixels of a photograph
BATCH, CROP = 8, 256
COLUMNS = "| {:<50} | {:>8} | {:>6} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Rates of this machine for docs/scale.md.")
    parser.add_argument("--pictures", type=int, default=100, help="photographs to compress (default: 100)")
    parser.add_argument("--steps", type=int, default=12, help="steps to train (default: 12)")
    arguments = parser.parse_args()
    print(COLUMNS.format("", "Mpx/s", "ratio"), COLUMNS.format("-" * 50, "-" * 8, "-" * 6), sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        compare_collections(Path(folder), arguments.pictures)
        compare_trainings(Path(folder), arguments.steps)


def compare_collections(folder: Path, count: int) -> None:
    """Rows of the table: as many photographs, by one process and by workers."""
    (folder / "photographs").mkdir()
    for number, photograph in enumerate(photographs(count)):
        photograph.save(folder / "photographs" / f"{number:03d}.jpg", quality=90)
    given, options = str(folder / "photographs"), ("--effort", "0", "--device", "cpu")
    first = None
    for name, threads, command in (
        ("`lcodec compress`, one thread", 1, ("compress", given, "-o", str(folder / "one"))),
        ("`lcodec compress`, two threads", 2, ("compress", given, "-o", str(folder / "threads"))),
        ("`lcodec bulk`, two workers", 1, ("bulk", given, str(folder / "workers"), "--workers", "2")),
    ):
        began = time.perf_counter()
        run([str(Path(sys.executable).with_name("lcodec")), *command, *options], threads)
        rate = count * SIDE**2 / 1e6 / (time.perf_counter() - began)
        first = first or rate
        print(COLUMNS.format(name, f"{rate:.2f}", f"{rate / first:.2f}"), flush=True)


def compare_trainings(folder: Path, steps: int) -> None:
    """Rows of the table: as many steps, by one process and by two."""
    first = None
    for name, threads, command in (
        ("training, one process of two threads", 2, ["-m", "latticecodec"]),
        ("training, two processes of one thread", 1, [*torchrun(2), "-m", "latticecodec"]),
    ):
        out = folder / f"training-{threads}"
        given = ["--data", str(folder / "photographs"), "--val", str(validation(folder)), "--out", str(out)]
        size = ["--batch", str(BATCH), "--crop", str(CROP), "--drawn", "0", "--device", "cpu"]
        length = ["--steps", str(steps), "--validate-every", str(steps)]
        run([sys.executable, *command, "train", *given, *size, *length], threads)
        with (out / "log.csv").open() as log:
            seconds = float(next(csv.DictReader(log))["seconds"])
        rate = steps * BATCH * CROP**2 / 1e6 / seconds
        first = first or rate
        print(COLUMNS.format(name, f"{rate:.2f}", f"{rate / first:.2f}"), flush=True)


def photographs(count: int) -> list[Image.Image]:
    """The astronaut of scikit-image, elsewhere in each, mirrored until it is a megapixel."""
    picture, rng = astronaut(), np.random.default_rng(0)
    missing = ((0, SIDE - len(picture)), (0, SIDE - len(picture)), (0, 0))
    moved = (np.roll(picture, rng.integers(0, len(picture), 2), (0, 1)) for _ in range(count))
    return [Image.fromarray(np.pad(place, missing, mode="symmetric")) for place in moved]


def validation(folder: Path) -> Path:
    """A folder with one picture, since looking at it is not what is timed."""
    (folder / "validation").mkdir(exist_ok=True)
    photographs(1)[0].save(folder / "validation" / "one.jpg")
    return folder / "validation"


def torchrun(processes: int) -> list[str]:
    """What starts so many processes, in place of one."""
    return ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]


def run(command: list[str], threads: int) -> None:
    """Run a command with so many threads a process; ends this program where it fails."""
    done = subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": str(threads)}, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} fails: {done.stderr}")


if __name__ == "__main__":
    main()
