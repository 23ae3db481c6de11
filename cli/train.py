"""lcodec train"""

import sys
from pathlib import Path
from typing import Any

import click

from latticecodec.config import PRESETS, TUNES
from latticecodec.extras import require
from latticecodec.lab.training.options import CROP_MULTIPLE, FREEZES, OPTIMISERS, Asked, TrainOptions
from latticecodec.lab.training.quantizer_options import QuantizerOptions

from . import options
from .quantizer_options import Later, kinds, quantizer_options

DEMONSTRATION_STEPS = 60
OF_TWINS = {"quantizer", "data", "val", "out", "init_from"}  # what is asked for where nothing trains


@click.command()
@click.option(
    "--quantizer",
    type=Later(kinds),
    default="lattice",
    show_default=True,
    help="Kind of model to train.",
)
@click.option(
    "--data",
    type=click.Path(),
    help="What to train on: a folder of images, searched recursively, or one of WebDataset tars or of Parquet files "
    "with a column of images, which are streamed.",
)
@click.option("--val", type=click.Path(), help="What to validate on, likewise. [default: every 20th of --data]")
@click.option("--out", type=click.Path(), help="Folder to write to. [default: runs/QUANTIZER-N, or that of --resume]")
@click.option("--name", help="Name of the model. [default: the quantizer's]")
@click.option(
    "--preset", type=click.Choice(sorted(PRESETS)), help="Size of new networks. [default: lc-s; lc-test without --data]"
)
@click.option("--init-from", metavar="NAME|DIR", help="Start from the weights of a model instead of from scratch.")
@click.option(
    "--resume",
    type=click.Path(),
    metavar="CHECKPOINT",
    help="Go on from a checkpoint.pt, with the same options and pictures; or from a stable.pt, the weights before the "
    "learning rate fell, into another --out, for other --steps or --minutes, with another --lr, --crop or --batch.",
)
@click.option(
    "--steps", type=click.IntRange(1), help=f"[default: {TrainOptions.steps}; {DEMONSTRATION_STEPS} without --data]"
)
@click.option(
    "--minutes",
    type=options.Number(0, min_open=True),
    metavar="M",
    help="Train for so long on the clock, in place of --steps; pauses between --resume are not counted.",
)
@click.option("--batch", type=click.IntRange(1), default=TrainOptions.batch, show_default=True, help="Crops a step.")
@click.option(
    "--crop",
    type=click.IntRange(CROP_MULTIPLE),
    default=TrainOptions.crop,
    show_default=True,
    help=f"Side of a crop, a multiple of {CROP_MULTIPLE}.",
)
@click.option(
    "--drawn",
    type=options.Number(0, 1),
    default=TrainOptions.drawn,
    show_default=True,
    metavar="SHARE",
    help="Share of the crops that hold text, charts and interfaces, drawn for the purpose.",
)
@click.option("--optimiser", type=click.Choice(OPTIMISERS), default=TrainOptions.optimiser, show_default=True)
@click.option(
    "--lr",
    type=options.Number(0, min_open=True),
    default=TrainOptions.learning_rate,
    show_default=True,
    help="Peak learning rate.",
)
@click.option(
    "--freeze",
    type=click.Choice(FREEZES),
    default=TrainOptions.freeze,
    show_default=True,
    help="What of a model with codebooks does not train; without its transforms a step is cheaper.",
)
@click.option(
    "--tune",
    type=click.Choice(TUNES),
    default=TrainOptions.tune,
    show_default=True,
    help="What to train a lattice model for: the least squared error, MS-SSIM, or SSIMULACRA2, which is nearest to "
    "what people see.",
)
@click.option(
    "--rank",
    type=click.IntRange(0, 256),
    default=TrainOptions.rank,
    metavar="R",
    help="Train additions of rank R to the weights of the installed model --init-from, in place of those weights: a "
    "model of a tenth of its size.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=TrainOptions.seed, show_default=True)
@click.option(
    "--validate-every",
    type=click.IntRange(1),
    default=TrainOptions.validate_every,
    show_default=True,
    metavar="STEPS",
)
@click.option(
    "--checkpoint-minutes", type=options.Number(0), default=TrainOptions.checkpoint_minutes, show_default=True
)
@quantizer_options
@options.device
def train(
    quantizer: str,
    data: str | None,
    val: str | None,
    out: str | None,
    name: str | None,
    preset: str | None,
    init_from: str | None,
    resume: str | None,
    steps: int | None,
    minutes: float | None,
    batch: int,
    crop: int,
    drawn: float,
    optimiser: str,
    lr: float,
    freeze: str,
    tune: str,
    rank: int,
    seed: int,
    validate_every: int,
    checkpoint_minutes: float,
    device: str,
    **of_quantizer: Any,
) -> None:
    """Train a model on a folder of images.

    Writes log.csv, TensorBoard events, checkpoint.pt and stable.pt to --out while it runs, and the finished model to
    --out/model, a folder that --model of the other commands takes. Without --data it runs a short demonstration on
    pictures that it draws itself.

    \b
    lcodec train --quantizer lattice --data photos/ --out runs/mine
    lcodec train --data photos/ --resume runs/mine/checkpoint.pt
    lcodec train --data photos/ --resume runs/mine/stable.pt --minutes 60 --out runs/longer

    torchrun trains in several processes, each of which computes its share of the --batch crops of a step, on a GPU of
    its own where there are any. The result is that of one process but for rounding, and a training may go on with
    another number of them.

    \b
    torchrun --nproc-per-node 2 -m latticecodec train --data photos/ --out runs/mine

    lattice-e8 trains nothing: it gives the model --init-from [default: lattice] E8 points, with a threshold chosen on
    --val, and takes none of the options of a training.

    \b
    lcodec train --quantizer lattice-e8 --val photos-val/
    """
    require("train", "lcodec train")
    from latticecodec import LcqError
    from latticecodec.lab.distortion import FIDELITY_UNITS
    from latticecodec.lab.ranks import told
    from latticecodec.lab.training.kinds import TWINS, check_belongs
    from latticecodec.lab.training.run import run, run_twin

    asked = click.get_current_context().params
    for empty in options.given([name for name, value in asked.items() if value == ""]):
        raise LcqError(f"{empty} is empty; leave it out, or say what it is")
    if steps and minutes:
        raise LcqError("--steps and --minutes exclude each other; give one")
    if preset and init_from:
        raise LcqError("--preset is for new networks, but --init-from brings its own; leave one out")
    chosen = QuantizerOptions(**of_quantizer)
    ranks = told()
    if quantizer in TWINS:
        if not ranks.alone:
            raise LcqError(f"--quantizer {quantizer} trains nothing that could be shared out; run it without torchrun")
        folder = Path(out or _fresh_folder(quantizer))
        check_belongs(quantizer, chosen)
        if beside := options.given(asked.keys() - OF_TWINS):
            raise LcqError(f"--quantizer {quantizer} trains nothing; leave out {', '.join(beside)}")
        pictures, held_out = (Path(given) if given else None for given in (data, val))
        model = run_twin(quantizer, init_from, pictures, held_out, folder, click.echo)
        click.echo(f"model written to {model}; use it with --model {model}")
        return
    if data is None and ranks.first:
        click.echo("No --data: a short demonstration on synthetic pictures. The model will be of no practical use.")
    folder = Path(out or (Path(resume).parent if resume else _fresh_folder(quantizer)))
    train_options = TrainOptions(
        steps=0 if minutes else steps or (TrainOptions.steps if data else DEMONSTRATION_STEPS),
        minutes=minutes or TrainOptions.minutes,
        batch=batch,
        crop=crop,
        drawn=drawn,
        learning_rate=lr,
        optimiser=optimiser,
        freeze=freeze,
        tune=tune,
        rank=rank,
        quantizer=chosen,
        seed=seed,
        validate_every=validate_every,
        checkpoint_minutes=checkpoint_minutes,
    )
    show = _Progress(FIDELITY_UNITS[tune], ranks.first)
    what = Asked(
        quantizer=quantizer,
        name=name or quantizer,
        preset=preset or ("lc-s" if data else "lc-test"),
        data=Path(data) if data else None,
        val=Path(val) if val else None,
        out=folder,
        init_from=init_from,
        resume=Path(resume) if resume else None,
    )
    model = run(what, train_options, device, show)
    show.close()
    if ranks.first:
        before = "" if show.trained else "nothing left to train; "
        click.echo(f"{before}model written to {model}; use it with --model {model}")


def _fresh_folder(quantizer: str) -> Path:
    """runs/QUANTIZER-N with the first N that is free."""
    number = 1
    while (folder := Path("runs") / f"{quantizer}-{number}").exists():
        number += 1
    return folder


class _Progress:
    """Progress bar on stderr, a line for every validation on stdout; of several processes the first has them."""

    LENGTH = 1000  # of the bar: done, in thousandths

    def __init__(self, unit: str, shown: bool) -> None:
        """`unit` is that of the quality which is trained for."""
        self._unit, self._hidden = unit, not shown
        self._bar = click.progressbar(
            length=self.LENGTH, label="training", file=sys.stderr, item_show_func=self._show, update_min_steps=0
        )
        self._shown = 0
        self.trained = False  # whether there was a step

    def _show(self, item: Any) -> str | None:
        if item is None:
            return None
        return f"step {item.step}  loss {item.loss:.3f}  {item.bpp:.3f} bpp  {item.psnr:.2f} dB"

    def __call__(self, progress: Any) -> None:
        self.trained = True
        if self._hidden:
            return
        now = int(self.LENGTH * progress.done)
        self._bar.update(now - self._shown, progress)
        self._shown = now
        if progress.went_back:
            text = "the loss exploded; going on from the last good average, at half the learning rate"
            click.echo(f"Warning: step {progress.step}: {text}", err=True)
        if progress.without_gradient:
            text = "no gradient at any step since the last look at them, so that nothing is learned"
            click.echo(f"Warning: step {progress.step}: {text}: {', '.join(progress.without_gradient)}", err=True)
        if progress.validation:
            points = self._points(progress.validation)
            click.echo(f"step {progress.step}  {progress.seconds:.0f} s  validation: {points}")
        if progress.pages:
            click.echo(f"step {progress.step}  drawn pages: {self._points(progress.pages)}")

    def _points(self, rows: Any) -> str:
        """Rates and qualities of a validation."""
        return "  ".join(f"{bpp:.3f} bpp {quality:.2f} {self._unit}" for _, bpp, quality in rows)

    def close(self) -> None:
        """Leave the bar's line."""
        if self._hidden:
            return
        self._bar.render_finish()
