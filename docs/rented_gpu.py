"""Train on a machine that is rented by the minute: one GPU, no network, nothing installed but PyTorch.

At home:      python docs/rented_gpu.py pack PHOTOS --out DIR --mib 28
On the GPU:   python docs/rented_gpu.py check --data DIR --from docs/training/lattice-2.pt
              python docs/rented_gpu.py train --data DIR --from docs/training/lattice-2.pt --out OUT --minutes 8.8
At home:      python docs/rented_gpu.py join OUT --out runs/rented

`pack` makes smaller copies of photographs until they fit. `check` runs the tests that need a GPU, times steps, and says
how fast they are. `train` goes on --from a stable.pt or the OUT of an earlier training, or without it trains from
nothing, for so many minutes; every few minutes, and at the end, it writes the weights to OUT in parts below 16 MiB:
stable-*.part until the learning rate falls, then final-*.part. Units of the prior that were zero everywhere, where no
gradient brings them back, begin with one; both stop with one line where a part of the networks gets none in its first
steps all the same, and would learn nothing.
`join` makes a model folder of the last weights, and stable.pt of those from before the learning rate fell: `lcodec
train --resume` and `--from` go on from these. docs/training.md tells more. `train` needs torch, torchvision, numpy,
pillow, safetensors and tensorboard alone.
"""

import argparse
import dataclasses
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import torch
from PIL import Image, features

sys.path.insert(0, str(Path(__file__).parent.parent))

from latticecodec.config import PRESETS
from latticecodec.devices import resolve_device
from latticecodec.errors import ImageError, LcqError, OutputError, TrainingError
from latticecodec.lab.training.checkpoint import CHECKPOINT, STABLE, load_state
from latticecodec.lab.training.data import Crops, processes_for
from latticecodec.lab.training.kinds.lattice import LatticeModel
from latticecodec.lab.training.kinds.revive_units import revive_units
from latticecodec.lab.training.loop import train
from latticecodec.lab.training.model import PhotoModel
from latticecodec.lab.training.options import TrainOptions
from latticecodec.lab.training.parts import join_parts, write_parts
from latticecodec.lab.training.progress import Progress
from latticecodec.lab.training.schedule import FALL
from latticecodec.lab.training.start import new_model
from latticecodec.picture import find_images, read, to_pillow

ROOT = Path(__file__).parent.parent
SHRINK = 0.7  # of the photographs that are packed: training looks at smaller versions of them anyway
QUALITY = 85  # of AVIF, 4:4:4
HELD_OUT = 24  # pictures for validation
TRIAL_STEPS = 40
TOLD = 500  # steps between two lines of what is printed
OPTIONS = {name: f"--{name}" for name in ("batch", "crop", "data", "device", "minutes", "out", "preset")} | {
    "resume": "--from",
    "learning_rate": "--lr",
}  # by the parameters that errors name in backticks
CARD = "# lattice\n\nTrained with docs/rented_gpu.py.\n\nResults: not measured yet; `lcodec eval` prints them.\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    pack_it = commands.add_parser("pack", help="small copies of photographs, as many as fit")
    pack_it.add_argument("photos", type=Path)
    pack_it.add_argument("--mib", type=float, default=28.0, help="of all copies together (default: 28)")
    check_it = commands.add_parser("check", help="the tests that need a GPU, and forty steps")
    train_it = commands.add_parser("train", help="train for some minutes, weights in parts")
    train_it.add_argument("--minutes", type=float, required=True, help="of training, by the clock")
    for command in (check_it, train_it):
        command.add_argument("--data", type=Path, required=True, help="folder of photographs")
        command.add_argument("--from", dest="start", type=Path, help="stable.pt, or OUT of a training, to go on from")
        command.add_argument("--preset", choices=sorted(PRESETS), default="lc-m")
        command.add_argument("--batch", type=natural, default=32, help="crops a step (default: 32)")
        command.add_argument("--crop", type=natural, default=256, help="pixels a side (default: 256)")
        command.add_argument("--lr", type=float, default=TrainOptions.learning_rate, help="peak learning rate")
        command.add_argument("--device", choices=["cuda", "cpu", "auto"], default="cuda")
    join_it = commands.add_parser("join", help="a model folder and stable.pt out of parts")
    join_it.add_argument("parts", type=Path)
    for command in (pack_it, train_it, join_it):
        command.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        {"pack": pack, "check": check, "train": train_parts, "join": join}[arguments.command](arguments)
    except LcqError as error:
        sys.exit(f"Error: {re.sub('`([a-z_]+)`', lambda match: OPTIONS.get(match[1], match[1]), str(error))}")


def natural(text: str) -> int:
    """A number from 1 up; raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def pack(arguments: argparse.Namespace) -> None:
    """Copies at SHRINK of the size, in an order that mixes the folder, from the first that fits until one does not."""
    files = find_images(arguments.photos)
    make_folder(arguments.out)
    order = torch.randperm(len(files), generator=torch.Generator().manual_seed(0)).tolist()
    total = packed = 0
    for index in order:
        try:
            picture = to_pillow(read(files[index])).convert("RGB")
        except ImageError as error:
            print(f"left out: {error}")
            continue
        width, height = (max(1, round(SHRINK * side)) for side in picture.size)
        path = arguments.out / f"{packed:04}.avif"
        small = picture.resize((width, height), Image.Resampling.LANCZOS)
        small.save(path, quality=QUALITY, subsampling="4:4:4", speed=6)
        size = path.stat().st_size
        if total + size <= arguments.mib * 2**20:
            total, packed = total + size, packed + 1
            continue
        path.unlink()
        if packed:
            break
    if not packed:
        arguments.out.rmdir()
        raise ImageError(f"{arguments.photos}: holds no picture that can be read and fits; name others, or more --mib")
    print(f"{packed} of {len(files)} pictures in {arguments.out}")


def make_folder(folder: Path) -> None:
    """Make a folder that is not there yet. Raises OutputError."""
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise OutputError(f"{folder}: {error.strerror}; choose another --out") from None


def check(arguments: argparse.Namespace) -> None:
    """Run the CUDA tests; time TRIAL_STEPS steps."""
    print(f"torch {torch.__version__}, AVIF {'can' if features.check('avif') else 'CANNOT'} be read", flush=True)
    arguments.device = resolve_device(arguments.device)
    if arguments.device == "cuda":
        print(torch.cuda.get_device_name(), flush=True)
        run_cuda_tests()
    options = dataclasses.replace(options_of(arguments), steps=TRIAL_STEPS, minutes=0.0, validate_every=10**9)
    first, last = TRIAL_STEPS // 3, TRIAL_STEPS * 3 // 5  # compiled by then, and before weights are written
    times = [time.perf_counter()]  # at the start, and after each step

    def look(progress: Progress) -> None:
        if arguments.device == "cuda" and len(times) in (first, last):
            torch.cuda.synchronize()
        times.append(time.perf_counter())
        refuse_dead(progress)

    run(arguments, options, Path("runs") / "check", look)
    seconds = (times[last] - times[first]) / (last - first)
    speed = options.batch * options.crop**2 / seconds / 1e6
    print(f"{seconds:.3f} s a step, {speed:.1f} Mpx/s; the first {first} took {times[first] - times[0]:.1f} s")


def run_cuda_tests() -> None:
    """The tests that need a GPU; beside what is there they take pytest and constriction."""
    tests = [sys.executable, "-m", "pytest", "--confcutdir", "tests/cuda", "-p", "no:cacheprovider", "tests/cuda"]
    paths = os.pathsep.join(filter(None, [str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(tests, cwd=ROOT, env=os.environ | {"PYTHONPATH": paths}, check=False)
    print(f"CUDA tests: {'passed' if done.returncode == 0 else 'NOT passed, see above'}", flush=True)


def train_parts(arguments: argparse.Namespace) -> None:
    """Train; keep the weights in OUT, a new folder, as they come."""
    if arguments.out.exists():
        raise OutputError(f"{arguments.out}: exists already; choose another --out")
    arguments.device = resolve_device(arguments.device)
    work = Path("runs") / f"rented-{os.getpid()}"
    written: dict[str, float] = {}  # when the weights that are kept were made

    def keep(progress: Progress) -> None:
        if progress.step % TOLD == 0 or progress.validation or progress.went_back:
            points = "  ".join(f"{bpp:.3f} bpp {psnr:.2f} dB" for _, bpp, psnr in progress.validation)
            note = "went back to the last good average, at half the learning rate" if progress.went_back else points
            print(f"step {progress.step}  {progress.seconds:.0f} s  loss {progress.loss:.3f}  {note}", flush=True)
        if not progress.validation:  # at the first look nothing is lost yet
            refuse_dead(progress)
        if progress.without_gradient:
            print(f"step {progress.step}  no gradient since the last look: {', '.join(progress.without_gradient)}")
        name, file = ("final", CHECKPOINT) if progress.done > 1 - FALL else ("stable", STABLE)
        if progress.step % TOLD == 0 and (work / file).exists():
            made = (work / file).stat().st_mtime
            if made > written.get(name, 0.0):
                write_parts(work / file, arguments.out, name, averaged=name == "final")
            written[name] = made

    run(arguments, options_of(arguments), work, keep)
    write_parts(work / STABLE, arguments.out, "stable")
    write_parts(work / CHECKPOINT, arguments.out, "final", averaged=True)
    (arguments.out / "log.csv").write_bytes((work / "log.csv").read_bytes())
    print(f"weights in {arguments.out}: {', '.join(path.name for path in sorted(arguments.out.glob('*.part')))}")


def refuse_dead(progress: Progress) -> None:
    """Raise TrainingError where parts of the networks had no gradient, which neither loss nor rates show."""
    if progress.without_gradient:
        parts = ", ".join(progress.without_gradient)
        told = "begin with other weights, or without compiling (TORCHDYNAMO_DISABLE=1)"
        raise TrainingError(f"no gradient up to step {progress.step}, so that nothing is learned, in {parts}; {told}")


def join(arguments: argparse.Namespace) -> None:
    """Parts to stable.pt and a model folder."""
    from latticecodec.lab.training.run import export_checkpoint

    make_folder(arguments.out)
    try:
        join_parts(arguments.parts, "stable", arguments.out / STABLE)
        join_parts(arguments.parts, "final", arguments.out / "final.pt")
        print(f"model written to {export_checkpoint(arguments.out / 'final.pt', arguments.out / 'model', CARD)}")
    except LcqError:
        shutil.rmtree(arguments.out)
        raise


def options_of(arguments: argparse.Namespace) -> TrainOptions:
    """Options of the training that was asked for."""
    minutes = getattr(arguments, "minutes", 0.0)
    return TrainOptions(
        steps=0,
        minutes=minutes,
        batch=arguments.batch,
        crop=arguments.crop,
        learning_rate=arguments.lr,
        warm_up=300 if arguments.device == "cuda" else 20,
        validate_every=10_000,
        checkpoint_minutes=min(2.5, minutes / 5),
    )


def run(arguments: argparse.Namespace, options: TrainOptions, out: Path, report: object) -> None:
    """A training of a lattice, of pictures that are decoded beforehand."""
    began = time.monotonic()
    device = torch.device(arguments.device)
    start = start_of(arguments.start, out)
    files = find_images(arguments.data)
    if len(files) < 2:
        raise TrainingError(f"{arguments.data}: holds one picture alone, which leaves none to validate on; pack more")
    held_out = files[:: max(2, len(files) // HELD_OUT)][:HELD_OUT]
    pictures = [file for file in files if file not in held_out]
    crops = Crops(pictures, options.crop, options.batch, options.seed, options.drawn, processes_for(device))
    crops.prepare()
    print(f"{len(pictures)} pictures decoded in {time.monotonic() - began:.1f} s", flush=True)
    model = new_model(PRESETS[arguments.preset], crops)
    if start:
        start = revived(start, model, crops, out)
    train(model, crops, list(held_out), out, options, device, start, report)  # type: ignore[arg-type]


def start_of(given: Path | None, out: Path) -> Path | None:
    """The checkpoint to go on from: a file as it is, the parts of a training put together in `out`."""
    if given is None or given.is_file():
        return given
    out.mkdir(parents=True, exist_ok=True)
    join_parts(given, "stable", out / "start.pt")
    return out / "start.pt"


def revived(start: Path, model: PhotoModel, crops: Crops, out: Path) -> Path:
    """The checkpoint with a gradient for units of its prior that had lost theirs, in the weights and their average.

    That of another network is left as it is, for `train` to refuse.
    """
    assert isinstance(model, LatticeModel)
    state, pictures, counts = load_state(start), crops.first(), []
    for name, values in (("average", state["model"] | state["average"]), ("model", state["model"])):
        try:
            model.load_state_dict(values)
        except RuntimeError:
            return start
        counts.append(revive_units(model, pictures))
        found = model.state_dict()
        state[name] = {key: found[key].clone() for key in state[name]}
    print(f"units of the prior that were never above zero and have a gradient again: {counts[1]}, ", end="")
    print(f"in the average {counts[0]}", flush=True)
    out.mkdir(parents=True, exist_ok=True)
    torch.save(state, out / "start.pt")
    return out / "start.pt"


if __name__ == "__main__":
    main()
