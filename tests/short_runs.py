"""Trainings of a few steps, for tests of what comes out of them."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from latticecodec.lab.training.checkpoint import Training, save_checkpoint
from latticecodec.lab.training.kinds import MODELS, TWINS
from latticecodec.lab.training.kinds.lattice_e8 import make_e8
from latticecodec.lab.training.model import PhotoModel
from latticecodec.lab.training.options import Asked, TrainOptions
from latticecodec.lab.training.quantizer_options import DEFAULTS, QuantizerOptions
from latticecodec.lab.training.run import run
from latticecodec.lab.training.synthetic import synthetic_picture
from latticecodec.zoo import ModelInfo

PICTURES = 3
QUICK = TrainOptions(steps=6, batch=2, crop=64, drawn=0.0, validate_every=3, checkpoint_minutes=0.0, warm_up=2)
HASTY = dataclasses.replace(QUICK, optimiser="adamw")  # where SOAP shows nothing more
FROZEN = dataclasses.replace(QUICK, freeze="transforms")
HASTY_E8 = dataclasses.replace(TWINS["lattice-e8"], make=partial(make_e8, thresholds=[8]))


def trainable(info: ModelInfo, options: QuantizerOptions = DEFAULTS) -> PhotoModel:
    """A trainable model that starts where `info` ended."""
    return MODELS[info.config.quantizer].of(info, info.config, options)


def of_quantizer(**given: object) -> TrainOptions:
    """Two steps with these options of the quantizer."""
    return dataclasses.replace(HASTY, steps=2, quantizer=QuantizerOptions(**given))  # type: ignore[arg-type]


def train(out: Path, quantizer: str, **settings: object) -> Path:
    """Six steps on three small pictures."""
    data = pictures(out.parent)
    what: dict[str, object] = {"name": quantizer, "preset": "lc-test", "data": data, "val": data}
    how: dict[str, object] = {"options": QUICK, "device": "cpu"}
    for name, value in settings.items():
        (what if name in Asked.__match_args__ else how)[name] = value
    return run(Asked(quantizer=quantizer, out=out, **what), **how)  # type: ignore[arg-type]


def pictures(folder: Path) -> Path:
    """A folder of three small pictures in `folder`."""
    data = folder / "pictures"
    data.mkdir(exist_ok=True)
    for seed in range(PICTURES):
        Image.fromarray(synthetic_picture(seed, 96, 96).permute(1, 2, 0).numpy()).save(data / f"{seed}.png")
    return data


@contextmanager
def interrupted(after: int, look: int = 1) -> Iterator[None]:
    """A training inside is interrupted, as by Ctrl-C, once its checkpoint of that step is written.

    It may be after every `look` steps.
    """

    def save(training: Training, folder: Path) -> None:
        save_checkpoint(training, folder)
        if training.step == after:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("latticecodec.lab.training.loop.save_checkpoint", save)
        patch.setattr("latticecodec.lab.training.loop.LOOK", look)
        with pytest.raises(KeyboardInterrupt):
            yield
