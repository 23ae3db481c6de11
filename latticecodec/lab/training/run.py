"""`lcodec train` as a function: from a folder of pictures to a model folder."""

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from torch import Tensor

from ... import zoo
from ...arguments import choice
from ...config import PRESETS, ModelConfig
from ...devices import resolve_device
from ...errors import OutputError, TrainingError
from ...metrics import MS_SSIM_SIDE_MIN
from ...picture import find_images
from ..arithmetic import seeded
from ..ranks import Ranks, joined, own_device
from .card import card
from .checkpoint import CHECKPOINT, STABLE, contents_of, load_state
from .data import Crops, centre_crops, processes_for
from .export import export
from .kinds import MODELS, TWINS, check
from .loop import train
from .options import Asked, TrainOptions
from .progress import Progress
from .quantizer_options import QuantizerOptions
from .shards import HOLD_OUT, Packed, Shards, find_shards
from .start import start
from .synthetic import synthetic_picture

Train = Sequence[Path | Tensor] | Shards
HeldOut = Sequence[Path | Tensor | Packed]

TWIN_CROP = 512  # pixels a side of the pictures that what is not trained is chosen on


def run(
    asked: Asked,
    options: TrainOptions,
    device: str = "auto",
    report: Callable[[Progress], None] = lambda progress: None,
) -> Path:
    """Train a model and export it; returns the folder of the finished model, `asked.out`/model.

    Args:
        asked: what to train.
        options: how to train.
        device: "auto", "cpu" or "cuda".
        report: called after every step.

    Processes that torchrun started train one model together, and the first of them writes it.

    Raises TrainingError, ImageError, OutputError or ModelError; TargetError for a word that is not to be chosen from.
    """
    with joined() as ranks:
        with ranks.all_or_none():
            _check(asked, options, ranks)
            where = own_device(resolve_device(device))
            pictures, held_out = _pictures(asked.data, asked.val, options.seed)
            crops = Crops(pictures, options.crop, options.batch, options.seed, options.drawn, processes_for(where))
            if crops.processes:
                crops.prepare()
            with seeded(crops.seed):
                model = start(asked, crops, options)
            model.freeze(options.freeze)
            options = dataclasses.replace(options, init_from=_begun_at(asked), data=_told(pictures))
        training = train(model, crops, held_out, asked.out, options, where, asked.resume, report, ranks)
        with ranks.all_or_none():
            if ranks.first:
                export(training.model, asked.out / "model", card(training, asked, pictures))
    return asked.out / "model"


def _check(asked: Asked, options: TrainOptions, ranks: Ranks) -> None:
    """Raise where what is asked for does not suit each other, or what is there."""
    out, resume, from_scratch = asked.out, asked.resume, asked.init_from is None
    if from_scratch:
        choice("preset", asked.preset, tuple(PRESETS))
    check(asked.quantizer, options, from_scratch)
    if options.batch % ranks.count:
        near = ranks.count * max(1, round(options.batch / ranks.count))
        raise TrainingError(f"`batch` {options.batch} cannot be shared out among {ranks.count} processes; try {near}")
    if (out / "model").exists():
        raise OutputError(f"{out / 'model'}: exists already; choose another `out`")
    if (out / CHECKPOINT).exists():
        if resume is None or resume.resolve().parent != out.resolve():
            raise TrainingError(f"{out}: holds a checkpoint; go on with `resume` from there, or choose another folder")
        if resume.resolve() != (out / CHECKPOINT).resolve():
            told = f"going on from {resume.name} would write over its {CHECKPOINT}"
            raise TrainingError(f"{out}: {told}; choose another `out`")
    elif (out / STABLE).exists():
        raise TrainingError(f"{out}: holds a {STABLE}, which would be written over; choose another `out`")
    if options.rank and from_scratch:
        raise TrainingError("`rank` needs the model that it adds to; name it with `init_from`")
    if options.tune == "ms-ssim" and options.crop < MS_SSIM_SIDE_MIN:
        raise TrainingError(f"`crop` {options.crop} is too small for `tune` ms-ssim, which needs {MS_SSIM_SIDE_MIN}")
    if resume is not None and not resume.is_file():
        raise TrainingError(f"{resume}: no such checkpoint; name the checkpoint.pt or stable.pt of a training")


def export_checkpoint(checkpoint: Path, folder: Path, text: str) -> Path:
    """Make a model folder, with `text` as its card, of the averaged weights in a checkpoint file; returns `folder`.

    Raises TrainingError where it is no checkpoint or belongs to a model with a base, OutputError where `folder` exists.
    """
    state = load_state(checkpoint)
    with contents_of(checkpoint):
        config = ModelConfig(**state["config"])
        if config.base:
            raise TrainingError(f"{checkpoint}: {config.name} adds to {config.base}; finish its training to export it")
        model = MODELS[config.quantizer](config, QuantizerOptions(**state["options"]["quantizer"]))
        model.load_state_dict(state["model"] | state["average"])
    export(model.eval(), folder, text)
    return folder


def run_twin(
    quantizer: str,
    base: str | Path | None,
    data: Path | None,
    val: Path | None,
    out: Path,
    report: Callable[[str], None],
) -> Path:
    """Make the twin of a model, which is chosen on pictures and not trained; returns `out`/model.

    Args:
        quantizer: key of training.kinds.TWINS.
        base: name or folder of the model; None for the one that the kind names.
        data: folder of the pictures that the base was trained on, or None.
        val: folder of pictures to choose on; None holds out every 20th of `data`, or without it draws two.
        out: folder to write to.
        report: called with a line about everything that is tried.

    Raises TrainingError, ImageError, OutputError or ModelError.
    """
    if (out / "model").exists():
        raise OutputError(f"{out / 'model'}: exists already; choose another `out`")
    pictures = _pictures(data, val)[1] if data or val else [synthetic_picture(seed) for seed in range(2)]
    crops = centre_crops(pictures, TWIN_CROP).permute(0, 2, 3, 1).numpy()  # [N, S, S, 3]
    twin = TWINS[quantizer]
    named = [word for option, folder in (("--data", data), ("--val", val)) if folder for word in (option, str(folder))]
    twin.make(zoo.find(base or twin.base), list(crops), out / "model", report=report, chosen_on=named)
    return out / "model"


def _pictures(data: Path | None, val: Path | None, seed: int = 0) -> tuple[Train, HeldOut]:
    """Training and validation pictures."""
    if data is None:
        drawn: list[Path | Tensor] = [synthetic_picture(seed) for seed in range(24)]
        return drawn[:20], _held_out(val) if val else drawn[20:]
    if packed := find_shards(data):
        shards = Shards(packed, seed, held_out=val is None)
        return shards, _held_out(val) if val else shards.held_out()
    files = find_images(data)
    if val is not None:
        return files, _held_out(val)
    if len(files) < HOLD_OUT:
        return files[1:] or files, files[:1]
    return [f for i, f in enumerate(files) if i % HOLD_OUT], files[::HOLD_OUT]


def _begun_at(asked: Asked) -> str:
    """Digest of the model that the training starts from; empty without one."""
    return "" if asked.init_from is None else zoo.find(asked.init_from).digest.hex()


def _told(pictures: Train) -> str:
    """Which pictures train, the same wherever they lie: crops follow from their order."""
    files = pictures.files if isinstance(pictures, Shards) else pictures
    each = [f"{file.name} {file.stat().st_size}" if isinstance(file, Path) else "" for file in files]
    kept = [f"held out: {pictures.holds_out}"] if isinstance(pictures, Shards) else []
    digest = hashlib.sha256("\0".join([*each, *kept]).encode("utf-8", "surrogateescape")).hexdigest()
    return f"{len(files)} ({digest[:8]})"


def _held_out(val: Path) -> HeldOut:
    """The pictures of a place for validation."""
    packed = find_shards(val)
    return list(Shards(packed).all()) if packed else find_images(val)
