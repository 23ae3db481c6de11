"""Trainings of several processes, as torchrun starts them: `torchrun ... several_ranks.py SETTINGS`, a JSON file.

It has a list, of trainings that are done one after the other. Losses of single steps in plain float32, for tests that
hold one number of processes against another.
"""

import contextlib
import dataclasses
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
import torch

from latticecodec.lab.ranks import Ranks
from latticecodec.lab.training import checkpoint, loop, validation
from latticecodec.lab.training.options import Asked, TrainOptions
from latticecodec.lab.training.passes import Pass
from latticecodec.lab.training.run import run

OPTIONS = TrainOptions(steps=50, batch=8, crop=64, learning_rate=5e-4, validate_every=25, checkpoint_minutes=0.0)
KEPT = 40  # steps, after which the checkpoint is kept as kept.pt


class Halves(Pass):
    """A pass whose sums are those of two processes: gradients of the first half of a batch, then those of the other."""

    def _run(self) -> None:
        for parameter in self.model.parameters():
            parameter.grad = None
        seed, values = self.noise.initial_seed(), []
        for index in range(2):
            for part in self.model.modules():
                if hasattr(part, "ranks"):
                    part.ranks = Ranks(index, 2)  # whose noise it draws
            own = Ranks(index, 2).own(len(self._inputs[0]))
            pixels, t = (given[own] for given in self._inputs)
            values.append(torch.stack(self.compute(pixels, t, self.noise.manual_seed(seed))))  # [3]
            (values[-1][0] / 2).backward()  # type: ignore[no-untyped-call]
        self._values = tuple(torch.stack(values).detach().double().mean(0).unbind())


def losses(
    quantizer: str, out: Path, data: Path, resume: Path | None = None, halves: bool = False, **options: object
) -> list[float]:
    """The loss of every step of a training; its checkpoints are that of KEPT steps and the last one."""
    found = []

    def save(training: checkpoint.Training, folder: Path) -> None:
        if training.step == KEPT or training.schedule.done(training.step) == 1:
            checkpoint.save_checkpoint(training, folder)
        if training.step == KEPT and training.ranks.first:
            shutil.copy(folder / "checkpoint.pt", folder / "kept.pt")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "LOOK", 1)
        patch.setattr(loop, "save_checkpoint", save)
        patch.setattr(validation, "VALIDATION_SIZE", 64)
        patch.setattr(validation, "VALIDATION_POINTS", (0.5,))
        patch.setattr(loop, "mixed_precision", lambda device: contextlib.nullcontext())
        if halves:
            patch.setattr(loop, "Pass", Halves)
        run(
            Asked(quantizer, quantizer, "lc-test", data, data, out, resume=resume),
            dataclasses.replace(OPTIONS, **options),  # type: ignore[arg-type]
            "cpu",
            lambda progress: found.append(progress.loss),
        )
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    for settings in json.loads(Path(sys.argv[1]).read_text()):
        os.environ["MASTER_PORT"] = str(settings.pop("port"))  # of its own, since the last one is still to be given up
        places = {name: Path(settings.pop(name)) for name in ("out", "data", "resume") if name in settings}
        found = losses(**places, **settings)
        (places["out"] / f"losses-{os.environ['RANK']}.json").write_text(json.dumps(found))
