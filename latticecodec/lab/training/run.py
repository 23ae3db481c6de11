"""`lcodec train` as a function: from a folder of pictures to a model folder."""

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
from .card import Asked, card
from .checkpoint import CHECKPOINT, contents_of, load_state
from .data import Crops, centre_crops, processes_for
from .export import export
from .kinds import MODELS, TWINS, check
from .loop import Progress, train
from .options import TrainOptions
from .quantizer_options import QuantizerOptions
from .shards import HOLD_OUT, Packed, Shards, find_shards
from .start import start
from .synthetic import synthetic_picture

__all__ = ["QuantizerOptions", "TrainOptions", "run", "run_twin"]

Train = Sequence[Path | Tensor] | Shards
HeldOut = Sequence[Path | Tensor | Packed]

TWIN_CROP = 512  # pixels a side of the pictures that what is not trained is chosen on


def run(
    quantizer: str,
    name: str,
    preset: str,
    data: Path | None,
    val: Path | None,
    out: Path,
    options: TrainOptions,
    device: str = "auto",
    init_from: str | Path | None = None,
    resume: Path | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Path:
    """Train a model and export it; returns the folder of the finished model, `out`/model.

    Args:
        quantizer: key of training.kinds.MODELS.
        name: of the model, for its config.json.
        preset: key of config.PRESETS.
        data: folder of training pictures, or of tars and Parquet files of them; None draws synthetic ones.
        val: the same for validation; None holds out every 20th picture of `data`.
        out: folder for logs, checkpoints and the model; must not hold a model yet.
        options: how to train.
        device: "auto", "cpu" or "cuda".
        init_from: name or folder of a model whose weights to start from; its configuration replaces `preset`.
        resume: checkpoint to go on from.
        report: called after every step.

    Processes that torchrun started train one model together, and the first of them writes it.

    Raises TrainingError, ImageError, OutputError or ModelError; TargetError for a word that is not to be chosen from.
    """
    with joined() as ranks:
        with ranks.all_or_none():
            _check(quantizer, preset, out, options, init_from, resume, ranks)
            where = own_device(resolve_device(device))
            pictures, held_out = _pictures(data, val, options.seed)
            crops = Crops(pictures, options.crop, options.batch, options.seed, options.drawn, processes_for(where))
            if crops.processes:
                crops.prepare()
            with seeded(crops.seed):
                model = start(quantizer, name, preset, init_from, resume is not None, crops, options)
            model.plan(options.steps)
            model.freeze(options.freeze)
        training = train(model, crops, held_out, out, options, where, resume, report, ranks)
        with ranks.all_or_none():
            if ranks.first:
                base = zoo.called(zoo.find(init_from)) if init_from else None
                asked = Asked(quantizer, name, preset, data, val, base, resume)
                export(training.model, out / "model", card(training, asked, pictures))
    return out / "model"


def _check(
    quantizer: str,
    preset: str,
    out: Path,
    options: TrainOptions,
    init_from: str | Path | None,
    resume: Path | None,
    ranks: Ranks,
) -> None:
    """Raise where the arguments of `run` do not suit each other, or what is there."""
    if init_from is None:
        choice("preset", preset, tuple(PRESETS))
    check(quantizer, options, init_from is None)
    if options.batch % ranks.count:
        near = ranks.count * max(1, round(options.batch / ranks.count))
        raise TrainingError(f"--batch {options.batch} cannot be shared out among {ranks.count} processes; try {near}")
    if (out / "model").exists():
        raise OutputError(f"{out / 'model'}: exists already; choose another --out")
    if (out / CHECKPOINT).exists() and (resume is None or resume.resolve().parent != out.resolve()):
        raise TrainingError(f"{out}: holds a checkpoint; go on with --resume from there, or choose another folder")
    if options.rank and init_from is None:
        raise TrainingError("--rank needs the model that it adds to; name it with --init-from")
    if options.tune == "ms-ssim" and options.crop < MS_SSIM_SIDE_MIN:
        raise TrainingError(f"--crop {options.crop} is too small for --tune ms-ssim, which needs {MS_SSIM_SIDE_MIN}")
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
        raise OutputError(f"{out / 'model'}: exists already; choose another --out")
    pictures = _pictures(data, val)[1] if data or val else [synthetic_picture(seed) for seed in range(2)]
    crops = centre_crops(pictures, TWIN_CROP).permute(0, 2, 3, 1).numpy()  # [N, S, S, 3]
    twin = TWINS[quantizer]
    twin.make(zoo.find(base or twin.base), list(crops), out / "model", report=report)
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


def _held_out(val: Path) -> HeldOut:
    """The pictures of a place for validation."""
    packed = find_shards(val)
    return list(Shards(packed).all()) if packed else find_images(val)
