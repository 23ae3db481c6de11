"""Seconds of a training step and of its parts, of the latticecodec in a folder: JSON on standard output.

python docs/training_speed.py FOLDER PRESET BATCH CROP, called by `python docs/benchmark.py --training`, which compares
two folders. It uses only what every version of the training has had, where each had it.
"""

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from types import ModuleType

STEPS = 50  # timed; a multiple of the steps between two refreshes of an optimiser
PARTS = ("forward", "backward", "optimiser", "rest")


def main() -> None:
    folder, preset, batch, crop = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    sys.path.insert(0, folder)
    import torch

    from latticecodec.config import PRESETS

    room = "latticecodec.lab.training" if (Path(folder) / "latticecodec" / "lab").is_dir() else "latticecodec.training"

    def training(name: str) -> ModuleType:
        return import_module(f"{room}.{name}")

    loop, of_optimiser = training("loop"), training("optimiser")
    new_model = loop.new_model if hasattr(loop, "new_model") else training("start").new_model

    torch.set_flush_denormal(True)
    pictures = [training("synthetic").synthetic_picture(seed, 512, 512) for seed in range(4)]
    crops = training("data").Crops(pictures, crop, batch)
    model = new_model(PRESETS[preset], crops)
    optimiser = of_optimiser.make_optimiser("soap", of_optimiser.parameter_groups(model), 2e-3)
    average = of_optimiser.Average(model)
    device = torch.device("cpu")

    def forward(step: int) -> torch.Tensor:
        x = loop.as_input(crops.batch(step), device)
        generator = torch.Generator().manual_seed(step)
        if hasattr(loop, "objective"):  # as it was once called
            return loop.objective(model, x, generator)[0]
        t, seed = loop.drawn_rates(batch, generator)  # [B]
        return loop.weighed(model, x, t, torch.Generator().manual_seed(seed), None)[0]

    forward(0).backward()  # what the first steps cost beside, they cost once
    for group in optimiser.param_groups:
        group["lr"] = 0.0
    for _ in range(STEPS):
        optimiser.step()
    seconds = dict.fromkeys(PARTS, 0.0)
    for step in range(STEPS):
        times = [time.perf_counter()]
        loss = forward(step)
        times.append(time.perf_counter())
        optimiser.zero_grad()
        loss.backward()
        times.append(time.perf_counter())
        optimiser.step()
        times.append(time.perf_counter())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        average.update(model, step)
        times.append(time.perf_counter())
        for part, before, after in zip(PARTS, times[:-1], times[1:], strict=True):
            seconds[part] += (after - before) / STEPS
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
