"""A training of several processes, as torchrun starts it: `torchrun ... several_ranks.py SETTINGS`, a JSON file.

Losses of single steps in plain float32, for tests that hold one number of processes against another.
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

from latticecodec.lab.training import checkpoint, loop
from latticecodec.lab.training.options import TrainOptions
from latticecodec.lab.training.run import run

OPTIONS = TrainOptions(steps=50, batch=8, crop=64, rate=5e-4, validate_every=25, checkpoint_minutes=0.0)
HALF = 25  # steps, after which the checkpoint is kept as half.pt


def losses(quantizer: str, out: Path, data: Path, resume: Path | None = None, **options: object) -> list[float]:
    """The loss of every step of a training; its checkpoints are that of the HALF and the last one."""
    found = []

    def save(training: checkpoint.Training, folder: Path) -> None:
        if training.step == HALF or training.schedule.done(training.step) == 1:
            checkpoint.save_checkpoint(training, folder)
        if training.step == HALF and training.ranks.first:
            shutil.copy(folder / "checkpoint.pt", folder / "half.pt")

    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "LOOK": 1,
            "VALIDATION_SIZE": 64,
            "VALIDATION_POINTS": (0.5,),
            "save_checkpoint": save,
        }.items():
            patch.setattr(loop, name, value)
        patch.setattr(loop, "mixed_precision", lambda device: contextlib.nullcontext())
        run(
            quantizer=quantizer,
            name=quantizer,
            preset="lc-test",
            data=data,
            val=data,
            out=out,
            options=dataclasses.replace(OPTIONS, **options),  # type: ignore[arg-type]
            device="cpu",
            resume=resume,
            report=lambda progress: found.append(progress.loss),
        )
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    settings = json.loads(Path(sys.argv[1]).read_text())
    out, data = Path(settings.pop("out")), Path(settings.pop("data"))
    found = losses(settings.pop("quantizer"), out, data, **settings)
    (out / f"losses-{os.environ['RANK']}.json").write_text(json.dumps(found))
