"""The card of a model that was just trained: what is known of it without measuring."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from ... import zoo
from ..hardware import hardware
from .checkpoint import Training
from .options import Asked, TrainOptions
from .shards import Shards


def card(training: Training, asked: Asked, pictures: Sequence[object] | Shards) -> str:
    """The card of what trained on these pictures."""
    options, schedule, config = training.options, training.schedule, training.model.config
    begun, device = schedule.begun, next(training.model.parameters()).device
    base = _base(asked)
    start = f"the weights of {Path(base).name}" if base else "the PCA of 16x16 patches"
    if begun:
        start = f"step {begun:,} of an earlier training, before its learning rate fell"
    count = training.ranks.count
    where = f"{count} processes, {hardware(device)}" if count > 1 else hardware(device)
    hours = f"{schedule.seconds / 3600:.3g} hours ({where})"
    return (
        f"# {config.name}\n\n"
        f"Quantizer: {config.quantizer}. Trained on {_source(asked.data, pictures)}, from {start}: "
        f"{training.step - begun:,} steps of {options.batch} crops of {options.crop}x{options.crop} in {hours}, "
        f"{options.optimiser}, peak learning rate {options.learning_rate:g}, seed {options.seed}, "
        f"lambda {config.lambda_min:g} to {config.lambda_max:g}, for {config.tune}.\n\n"
        f"    {_command(training, asked)}\n\n"
        "Results: not measured yet; `lcodec eval DIR --model THIS_FOLDER` prints them.\n"
    )


def _command(training: Training, asked: Asked) -> str:
    """What trains it again; stops and resumptions on the way are left out, since they change nothing."""
    options, base = training.options, _base(asked)
    words = ["lcodec", "train", "--quantizer", asked.quantizer]
    words += ["--name", asked.name] if asked.name != asked.quantizer else []
    words += ["--init-from", base] if base else ["--preset", asked.preset]
    words += ["--resume", training.origin, "--out", str(asked.out)] if training.origin else []
    for name, path in (("--data", asked.data), ("--val", asked.val)):
        words += [name, str(path)] if path else []
    words += ["--minutes", f"{options.minutes:.12g}"] if options.minutes else ["--steps", f"{options.steps}"]
    words += ["--batch", f"{options.batch}", "--crop", f"{options.crop}", "--optimiser", options.optimiser]
    words += ["--lr", f"{options.learning_rate:.12g}", "--seed", f"{options.seed}"]
    words += ["--drawn", f"{options.drawn:.12g}"] if options.drawn != TrainOptions.drawn else []
    words += ["--rank", f"{options.rank}"] if options.rank else []
    words += ["--tune", options.tune] if options.tune != TrainOptions.tune else []
    words += ["--freeze", options.freeze] if options.freeze != TrainOptions.freeze else []
    return shlex.join([*words, *(part for given in options.quantizer.arguments() for part in given.split())])


def _base(asked: Asked) -> str:
    """What the model that a training starts from is called whatever versions follow; empty without one."""
    return zoo.called(zoo.find(asked.init_from)) if asked.init_from else ""


def _source(data: Path | None, pictures: Sequence[object] | Shards) -> str:
    """What was trained on, in words."""
    if isinstance(pictures, Shards):
        count, what = len(pictures.files), f"file{'s'[: len(pictures.files) != 1]}"
    else:
        count, what = len(pictures), "pictures"
    return f"{count} {what} of a folder named {data.name}" if data else f"{count} synthetic {what}"
