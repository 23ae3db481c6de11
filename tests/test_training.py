"""Training as a tool: data, resuming to the same result, export, and the demonstration."""

import csv
import dataclasses
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from short_runs import interrupted, trainable

from latticecodec import ImageError, OutputError, TrainingError, load
from latticecodec.config import PRESETS
from latticecodec.lab.arithmetic import mixed_precision
from latticecodec.lab.training import loop
from latticecodec.lab.training.data import Crops, centre_crops, generator_of
from latticecodec.lab.training.export import export
from latticecodec.lab.training.kinds.lattice import LatticeModel
from latticecodec.lab.training.log import Log
from latticecodec.lab.training.optimiser import SLOW, Average, make_optimiser, parameter_groups
from latticecodec.lab.training.options import Asked, TrainOptions
from latticecodec.lab.training.run import run
from latticecodec.lab.training.schedule import Schedule
from latticecodec.lab.training.start import new_model
from latticecodec.lab.training.synthetic import synthetic_picture
from latticecodec.picture import find_images
from latticecodec.zoo import find

pytestmark = pytest.mark.usefixtures("one_thread", "small_validation")

QUICK = TrainOptions(steps=4, batch=2, crop=64, drawn=0.0, validate_every=2, checkpoint_minutes=0.0, warm_up=2)


def train_quickly(out: Path, options: TrainOptions = QUICK, **settings: object) -> Path:
    defaults: dict[str, object] = {
        "quantizer": "lattice",
        "name": "quick",
        "preset": "lc-test",
        "data": None,
        "val": None,
    }
    return run(Asked(**(defaults | settings), out=out), options, "cpu")  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three small pictures in nested folders."""
    (tmp_path / "pictures" / "more").mkdir(parents=True)
    for seed, name in enumerate(("a.png", "b.jpg", "more/c.webp")):
        picture = Image.fromarray(synthetic_picture(seed, 96, 128).permute(1, 2, 0).numpy())
        picture.save(tmp_path / "pictures" / name)
    return tmp_path / "pictures"


def test_crops_depend_on_seed_and_step_alone(folder: Path) -> None:
    files = find_images(folder)
    assert [file.name for file in files] == ["a.png", "b.jpg", "c.webp"]
    first, second = Crops(files, 64, 4, seed=7), Crops(files, 64, 4, seed=7)
    first.batch(0)
    assert torch.equal(first.batch(1), second.batch(1))
    assert not torch.equal(first.batch(2), Crops(files, 64, 4, seed=8).batch(2))
    assert first.batch(3).shape == (4, 3, 64, 64)


@pytest.mark.skipif(sys.platform != "linux", reason="processes that share memory are for Linux")
def test_processes_make_the_crops_that_one_thread_makes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latticecodec.lab.training.data.PAGES", 3)
    files = find_images(folder)
    alone, together = Crops(files, 64, 4, drawn=0.5), Crops(files, 64, 4, drawn=0.5, processes=2)
    together.prepare()
    for step in (0, 1, 2, 7):
        assert torch.equal(together.batch(step), alone.batch(step))


def test_crops_do_not_come_again() -> None:
    """Generators take 32 bits of a seed, of which 65,537 was a divisor, but for one."""
    places = [(0, 100, 3), (0, 65_635, 4), (0, 16_988, 5), (1, 10, 20)]
    drawn = {int(torch.randint(2**40, (1,), generator=generator_of(*place))) for place in places}
    assert len(drawn) == len(places)
    assert generator_of(0, 1, 2).initial_seed() == generator_of(0, 1, 2).initial_seed()


def test_pictures_smaller_than_a_crop_are_enlarged() -> None:
    crops = Crops([synthetic_picture(0, 40, 70)], size=64, batch=2)
    assert crops.batch(0).shape == (2, 3, 64, 64)
    assert centre_crops([synthetic_picture(0, 40, 70)], 64).shape == (1, 3, 64, 64)


def test_a_corrupt_image_is_skipped_with_one_warning(folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"\x89PNG not really")
    crops = Crops(find_images(folder), 64, 8)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for step in range(4):
            crops.batch(step)
    assert len([w for w in caught if "broken.png" in str(w.message)]) == 1


def test_a_corrupt_validation_image_is_skipped(folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"\x89PNG not really")
    with pytest.warns(UserWarning, match=r"^[^:]*broken\.png: skipped, not an image"):
        assert centre_crops(find_images(folder), 64).shape == (3, 3, 64, 64)
    with pytest.warns(UserWarning, match=r"broken\.png"), pytest.raises(TrainingError, match="none of the validation"):
        centre_crops([folder / "broken.png"], 64)


def test_pictures_that_none_can_read_are_refused_before_processes_start(tmp_path: Path) -> None:
    """An error in one of them would come with all its lines."""
    (tmp_path / "broken.png").write_bytes(b"no picture")
    crops = Crops([tmp_path / "broken.png"], 64, 4, processes=1)
    with pytest.warns(UserWarning, match=r"broken\.png"), pytest.raises(TrainingError, match="none of the pictures to"):
        crops.prepare()


def test_a_folder_without_images(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="holds no image files"):
        find_images(tmp_path)
    with pytest.raises(ImageError, match="no such folder"):
        find_images(tmp_path / "missing")


def test_resuming_gives_the_same_model(tmp_path: Path) -> None:
    whole = train_quickly(tmp_path / "whole")
    with interrupted(after=2):
        train_quickly(tmp_path / "part")
    resumed = train_quickly(tmp_path / "part", resume=tmp_path / "part" / "checkpoint.pt")
    assert (resumed / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    commands = [re.findall("    lcodec train .*", (model / "README.md").read_text()) for model in (resumed, whole)]
    assert commands[0] == commands[1] != []
    rows = list(csv.DictReader((tmp_path / "whole" / "log.csv").open()))
    assert [row["step"] for row in rows] == ["2", "4"]
    assert float(rows[-1]["psnr@1"]) > 15
    assert list((tmp_path / "whole").glob("events.out.tfevents.*"))


def test_a_log_drops_what_came_after_the_step_that_a_training_goes_on_from(tmp_path: Path) -> None:
    """And nothing else: the row of that very step was written before its checkpoint."""
    log = Log(tmp_path, 0)
    for step in (2, 4, 6):
        log.write({"step": step, "loss": 1 / step})
    log.close()
    Log(tmp_path, 4).close()
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert [row["step"] for row in rows] == ["2", "4"]


def test_checkpoints_are_as_many_minutes_apart_as_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def tick(schedule: Schedule) -> None:  # half a minute each time
        schedule.seconds += 30

    steps: list[int] = []
    monkeypatch.setattr(Schedule, "tick", tick)
    monkeypatch.setattr(loop, "LOOK", 1)
    monkeypatch.setattr(loop, "save_checkpoint", lambda training, folder: steps.append(training.step))
    options = dataclasses.replace(QUICK, optimiser="adamw", steps=7, validate_every=7, checkpoint_minutes=1.0)
    train_quickly(tmp_path / "run", options)
    assert steps == [3, 6, 7]  # the first after more than a minute, and the end


def test_gradients_are_clipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    norms: list[float] = []

    class Watched(torch.optim.SGD):
        """Takes note of how long the gradients are that it gets."""

        def step(self, closure: None = None) -> None:  # type: ignore[override]
            gradients = [p.grad.norm() for group in self.param_groups for p in group["params"] if p.grad is not None]
            norms.append(float(torch.stack(gradients).norm()))

    monkeypatch.setattr(loop, "make_optimiser", lambda name, groups, rate, ranks: Watched(groups, lr=rate))
    train_quickly(tmp_path / "run", dataclasses.replace(QUICK, clip=1e-3))
    assert norms == pytest.approx([1e-3] * QUICK.steps, rel=1e-2)


def test_resuming_with_other_options_is_refused(tmp_path: Path) -> None:
    train_quickly(tmp_path / "a")
    with pytest.raises(TrainingError, match="was made with other options"):
        train_quickly(tmp_path / "b", TrainOptions(steps=5, batch=2, crop=64), resume=tmp_path / "a" / "checkpoint.pt")
    (tmp_path / "junk.pt").write_bytes(b"junk")
    with pytest.raises(TrainingError, match="not a checkpoint"):
        train_quickly(tmp_path / "b", resume=tmp_path / "junk.pt")
    with pytest.raises(OutputError, match="exists already"):
        train_quickly(tmp_path / "a")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "checkpoint.pt").touch()
    with pytest.raises(TrainingError, match="holds a checkpoint; go on with `resume`"):
        train_quickly(tmp_path / "d")
    with pytest.raises(TrainingError, match="multiple of 64"):
        train_quickly(tmp_path / "c", TrainOptions(steps=1, crop=100))


@pytest.mark.parametrize("content", [b"epoch,acc\n1,0.5\n", b"", b"step,loss\nx,1\n", b"\xff\xfe"])
def test_what_is_no_log_is_not_written_over(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(content)
    with pytest.raises(OutputError, match=r"log\.csv: is no log of a training, and would be written over"):
        Log(tmp_path, 0)
    assert (tmp_path / "log.csv").read_bytes() == content


def test_resuming_with_other_pictures_or_another_start_is_refused(tmp_path: Path, folder: Path) -> None:
    """A checkpoint goes on to the same result; weights from before the fall may go on with others."""
    base = train_quickly(tmp_path / "base", data=folder)
    checkpoint, stable = (tmp_path / "a" / name for name in ("checkpoint.pt", "stable.pt"))
    train_quickly(checkpoint.parent, data=folder, init_from=base)
    moved = folder.rename(tmp_path / "moved")
    train_quickly(tmp_path / "b", data=moved, init_from=base, resume=checkpoint)  # the same ones, somewhere else
    with pytest.raises(TrainingError, match=rf"other options \(`init_from` {find(base).digest.hex()} where empty"):
        train_quickly(tmp_path / "c", data=moved, resume=checkpoint)
    (moved / "b.jpg").rename(moved / "z.jpg")
    with pytest.raises(TrainingError, match=r"other options \(`data` 2 \(\w{8}\) where 2 \(\w{8}\) is asked for\)"):
        train_quickly(tmp_path / "d", data=moved, init_from=base, resume=checkpoint)
    (moved / "z.jpg").rename(moved / "b.jpg").write_bytes((moved / "b.jpg").read_bytes() + b"more")
    with pytest.raises(TrainingError, match="other options \\(`data` 2 "):
        train_quickly(tmp_path / "d", data=moved, init_from=base, resume=checkpoint)
    train_quickly(tmp_path / "e", data=moved, resume=stable)
    state = torch.load(checkpoint, weights_only=True)
    del state["options"]["data"], state["options"]["init_from"]  # as an older checkpoint
    torch.save(state, checkpoint)
    train_quickly(tmp_path / "f", data=moved, resume=checkpoint)


def test_what_is_trained_is_a_model_that_codes(tmp_path: Path, folder: Path) -> None:
    """Folder in, model folder out; its files decode, and a warm start from it begins where it ended."""
    model = train_quickly(tmp_path / "run", data=folder)
    codec = load(model, device="cpu")
    picture = Image.open(folder / "a.png")
    data = codec.encode(picture, quality=80)
    assert codec.decode(data).size == picture.size
    assert codec.config.name == "quick"
    again = train_quickly(tmp_path / "warm", init_from=model)
    assert load(again, device="cpu").config.latents == 32


def test_export_and_warm_start_are_inverse(tiny_model: Path, tmp_path: Path) -> None:
    info = find(tiny_model)
    export(trainable(info), tmp_path / "copy", "# copy\n")
    for name in ("model.safetensors", "config.json"):
        assert (tmp_path / "copy" / name).read_bytes() == (tiny_model / name).read_bytes()


def test_training_lowers_the_loss() -> None:
    crops = Crops([synthetic_picture(seed) for seed in range(4)], size=64, batch=4)
    model = new_model(PRESETS["lc-test"], crops)
    optimiser = make_optimiser("adamw", parameter_groups(model), 2e-3)
    x, t = crops.batch(0).float() / 255, torch.linspace(0.1, 0.9, 4)
    losses = []
    for step in range(25):
        result = model(x, t, torch.Generator().manual_seed(step))
        loss = (result.bpp + model.config.rate_weight(t) * 255**2 * result.mse).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]


def test_rate_weight_spans_its_range() -> None:
    weight = PRESETS["lc-s"].rate_weight(torch.tensor([0.0, 0.5, 1.0]))
    np.testing.assert_allclose(weight, [0.0009, (0.0009 * 0.15) ** 0.5, 0.15], rtol=1e-5)


def test_the_linear_path_trains_more_slowly() -> None:
    model = LatticeModel(PRESETS["lc-test"])
    rest, linear = parameter_groups(model)
    assert (rest["share"], linear["share"]) == (1.0, SLOW)
    names = {id(value): name for name, value in model.named_parameters()}
    slow = {names[id(value)] for value in linear["params"]}
    assert {"analysis.enter.weight", "synthesis.shortcut.weight", "quantizer.log_basis"} <= slow
    assert not any("blocks" in name or name.startswith(("prior", "hyper")) for name in slow)
    assert len(rest["params"]) + len(slow) == len(names)


def test_bfloat16_only_where_the_hardware_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    for amx, expected in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr("torch.cpu._is_amx_tile_supported", lambda amx=amx: amx)
        monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: False)
        with mixed_precision(cpu):
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == expected


def test_average_follows_the_weights() -> None:
    model = LatticeModel(PRESETS["lc-test"])
    average = Average(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    before = average.state()["synthesis.leave.bias"].clone()
    average.update(model, step=0)  # decay is 1 / 10 at the first step
    after = average.state()["synthesis.leave.bias"]
    torch.testing.assert_close(after - before, torch.full_like(after, 0.9))


def test_unknown_optimiser() -> None:
    with pytest.raises(TrainingError, match="choose soap or adamw"):
        make_optimiser("sgd", parameter_groups(LatticeModel(PRESETS["lc-test"])), 0.1)
