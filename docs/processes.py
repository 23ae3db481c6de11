"""What people wait for, of two checkouts: whole processes of `lcodec` with their memory, and warm codecs.

Behind `python docs/benchmark.py --against DIR`. Each checkout runs what is installed in its own .venv-light, else in
its own .venv. The two take turns, and of every pair the ratio is kept, so that a busy machine slows both.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

DOCS = Path(__file__).parent
ENVIRONMENTS = (".venv-light", ".venv")
SIZES = ((768, 512), (4000, 3000))  # width, height of the pictures

Found = dict[str, float]  # "seconds", and of a process "bytes" at its peak


@dataclass(frozen=True)
class Row:
    """What was measured of one thing: medians of this checkout and of the other one, and of their ratios.

    Attributes:
        what: was run.
        seconds: of this checkout.
        seconds_against: of the other one.
        seconds_ratio: this checkout's over the other one's; below 1 is faster.
        megabytes: peak memory of this checkout's process, None of what is warm.
        megabytes_against: of the other one's.
        megabytes_ratio: this checkout's over the other one's.
    """

    what: str
    seconds: float
    seconds_against: float
    seconds_ratio: float
    megabytes: float | None = None
    megabytes_against: float | None = None
    megabytes_ratio: float | None = None


def compare(against: Path, model: str, repeats: int, as_json: bool) -> None:
    """Print a table, or JSON, of this checkout beside the one in `against`, medians of `repeats` turns."""
    checkouts = [_programs(folder) for folder in (DOCS.parent, against.resolve())]
    with tempfile.TemporaryDirectory() as folder:
        rows = _rows(checkouts, model, repeats, Path(folder))
        if as_json:
            print(json.dumps([asdict(row) for row in rows], indent=2))
            return
        print(f"model {model}, medians of {repeats}; ratios below 1: faster, smaller than {against}")
        print(f"{'':34} {'seconds':>9} {'against':>9} {'ratio':>7} {'MB':>7} {'against':>8} {'ratio':>7}", flush=True)
        for row in rows:
            line = f"{row.what:34} {row.seconds:9.3f} {row.seconds_against:9.3f} {row.seconds_ratio:7.3f}"
            if row.megabytes is not None:
                line += f" {row.megabytes:7.0f} {row.megabytes_against:8.0f} {row.megabytes_ratio:7.3f}"
            print(line, flush=True)  # as it comes: all take ten minutes


def _programs(checkout: Path) -> Path:
    """The folder of a checkout's own python and lcodec."""
    for name in ENVIRONMENTS:
        if (checkout / name / "bin" / "lcodec").is_file():
            return checkout / name / "bin"
    raise SystemExit(f"{checkout}: has no lcodec in {' or '.join(ENVIRONMENTS)}; run make demo there first")


def _rows(checkouts: list[Path], model: str, repeats: int, folder: Path) -> Iterator[Row]:
    """Everything that is measured, in the order of the table."""
    help_text = [[str(programs / "lcodec"), "--help"] for programs in checkouts]
    yield _row("lcodec --help", [[_process(one) for one in help_text] for _ in range(repeats)])
    for width, height in SIZES:
        picture = folder / f"{width}x{height}.png"
        _draw(picture, width, height)
        packed = [folder / f"{number}.lcq" for number in range(len(checkouts))]
        compress = [
            [
                str(programs / "lcodec"),
                "compress",
                str(picture),
                "-o",
                str(to),
                "--model",
                model,
                "--tune",
                "psnr",
                "--force",
            ]
            for programs, to in zip(checkouts, packed, strict=True)
        ]
        yield _row(f"lcodec compress {width}x{height}", [[_process(one) for one in compress] for _ in range(repeats)])
        decompress = [
            [str(programs / "lcodec"), "decompress", str(packed[0]), "-o", str(folder / "back.png"), "--force"]
            for programs in checkouts
        ]
        yield _row(
            f"lcodec decompress {width}x{height}", [[_process(one) for one in decompress] for _ in range(repeats)]
        )
    picture = folder / f"{SIZES[0][0]}x{SIZES[0][1]}.png"
    warm = [[str(programs / "python"), str(DOCS / "codec_speed.py"), model, str(picture)] for programs in checkouts]
    turns = [[_printed(one) for one in warm] for _ in range(repeats)]
    for what in turns[0][0]:
        yield _row(what, [[found[what] for found in turn] for turn in turns])


def _row(what: str, turns: list[list[Found]]) -> Row:
    """The medians of turns, each of one result a checkout."""
    medians = [
        median
        for key, unit in (("seconds", 1.0), ("bytes", 1e6))
        if key in turns[0][0]
        for median in (
            *(statistics.median(turn[side][key] / unit for turn in turns) for side in (0, 1)),
            statistics.median(ours[key] / theirs[key] for ours, theirs in turns),
        )
    ]
    return Row(what, *medians)


def _process(program: list[str]) -> Found:
    """Seconds and bytes of a whole process."""
    found: Found = _printed([sys.executable, str(DOCS / "process_speed.py"), *program])
    return found


def _printed(program: list[str]) -> dict:  # type: ignore[type-arg]
    """The JSON that a program prints."""
    done = subprocess.run(program, check=False, stdout=subprocess.PIPE, cwd=DOCS)
    if done.returncode:
        raise SystemExit(done.returncode)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def _draw(path: Path, width: int, height: int) -> None:
    """The sample, mirrored until it has that size, as PNG."""
    with Image.open(DOCS.parent / "samples" / "landscape.png") as file:
        sample = np.asarray(file)  # [H, W, 3]
    more = ((0, height - sample.shape[0]), (0, width - sample.shape[1]), (0, 0))
    Image.fromarray(np.pad(sample, more, mode="symmetric")).save(path)
