"""How a training passes: the learning rate, the clock, weights from before the fall, the card at the end."""

import dataclasses
import re
from pathlib import Path

import pytest
import torch
from short_runs import HASTY, interrupted, train

from latticecodec import TrainingError, load
from latticecodec.lab.arithmetic import flushed_denormals
from latticecodec.lab.training.checkpoint import COLD, load_state
from latticecodec.lab.training.options import TrainOptions
from latticecodec.lab.training.schedule import Schedule

pytestmark = pytest.mark.usefixtures("one_thread", "small_validation")


def test_warm_up_then_constant_then_linear_to_zero() -> None:
    schedule = Schedule(steps=100, minutes=0, warm_up=10)
    rates = [schedule.learning_rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9:66] == [1.0] * 57
    assert rates[65:] == pytest.approx([(100 - step) / 35 for step in range(65, 100)])
    assert (schedule.falling(65), schedule.falling(66)) == (False, True)
    assert (schedule.done(0), schedule.done(50), schedule.done(100)) == (0.0, 0.5, 1.0)


def test_minutes_too_few_for_a_processor_that_flushes_them_are_over() -> None:
    with flushed_denormals():
        assert Schedule(steps=0, minutes=1e-320, warm_up=0).done(0) == 1


def test_minutes_are_counted_by_the_clock_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    schedule = Schedule(steps=0, minutes=2, warm_up=10, begun=500, seconds=60.0)  # half done before this process began
    assert schedule.done(10**6) == 0.5
    now += 30
    schedule.tick()
    assert schedule.done(0) == 0.75
    assert schedule.learning_rate(10**6) == pytest.approx(0.25 / 0.35)
    now += 1000
    schedule.tick()
    assert schedule.done(0) == 1.0


def test_a_training_by_the_clock_ends_in_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def tick(schedule: Schedule) -> None:  # a fifth of a second each time
        schedule.seconds += 0.2

    monkeypatch.setattr(Schedule, "tick", tick)
    options = TrainOptions(steps=0, minutes=0.02, batch=2, crop=64, warm_up=2, optimiser="adamw")
    model = train(tmp_path / "run", "lattice", options=options)
    assert "--minutes 0.02" in (model / "README.md").read_text()
    state = load_state(tmp_path / "run" / "checkpoint.pt")
    assert state["seconds"] >= 60 * 0.02
    before = load_state(tmp_path / "run" / "stable.pt")
    assert before["stable"]
    assert 0 < before["step"] < state["step"] < 7


def test_minutes_go_on_where_a_checkpoint_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def tick(schedule: Schedule) -> None:  # a quarter of a second each time
        schedule.seconds += 0.25

    monkeypatch.setattr(Schedule, "tick", tick)
    options = dataclasses.replace(HASTY, steps=0, minutes=2 / 60)
    with interrupted(after=3):
        train(tmp_path / "run", "lattice", options=options)
    checkpoint = tmp_path / "run" / "checkpoint.pt"
    assert load_state(checkpoint)["seconds"] == 1.0  # before the first step, and after each of three
    train(tmp_path / "run", "lattice", options=options, resume=checkpoint)
    state = load_state(checkpoint)
    assert (state["seconds"], state["step"]) == (2.0, 6)


def test_weights_from_before_the_fall_go_on_in_other_ways(tmp_path: Path) -> None:
    """For other steps, at another rate, with other crops; without the optimiser, in half precision, too."""
    train(tmp_path / "run", "lattice")  # 6 steps: the rate of the fifth is lower
    stable = tmp_path / "run" / "stable.pt"
    assert load_state(stable)["step"] == 4
    other = TrainOptions(steps=3, batch=1, crop=128, drawn=0.0, learning_rate=1e-3, warm_up=2, checkpoint_minutes=0.0)
    train(tmp_path / "longer", "lattice", options=other, resume=stable)
    longer = load_state(tmp_path / "longer" / "checkpoint.pt")
    assert (longer["step"], longer["warm_up"]) == (4 + 3, 0)
    state = load_state(stable)
    del state["optimiser"]
    for part in ("model", "average"):
        state[part] = {name: value.half() for name, value in state[part].items()}
    torch.save(state, tmp_path / "half.pt")
    train(tmp_path / "half", "lattice", options=other, resume=tmp_path / "half.pt")
    assert load_state(tmp_path / "half" / "checkpoint.pt")["warm_up"] == COLD  # the optimiser begins anew
    with pytest.raises(TrainingError, match="other options"):
        train(tmp_path / "seed", "lattice", options=TrainOptions(steps=3, seed=1), resume=stable)
    with pytest.raises(TrainingError, match="other options"):
        train(tmp_path / "late", "lattice", options=other, resume=tmp_path / "run" / "checkpoint.pt")


def test_a_second_schedule_that_is_interrupted_resumes_too(tmp_path: Path) -> None:
    """And its card has what trains it again, which is not what resumed it."""
    train(tmp_path / "run", "lattice", options=HASTY)
    stable = tmp_path / "run" / "stable.pt"
    whole = train(tmp_path / "whole", "lattice", options=HASTY, resume=stable)
    with interrupted(after=8):
        train(tmp_path / "part", "lattice", options=HASTY, resume=stable)
    resumed = train(tmp_path / "part", "lattice", options=HASTY, resume=tmp_path / "part" / "checkpoint.pt")
    assert (resumed / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert load(resumed, device="cpu").config.latents == 32
    assert f" --resume {stable} --out {tmp_path / 'part'} --data " in (resumed / "README.md").read_text()
    assert "checkpoint.pt" not in (resumed / "README.md").read_text()


def test_another_training_is_not_written_over(tmp_path: Path) -> None:
    train(tmp_path / "long", "lattice", options=HASTY)
    with interrupted(after=5):
        train(tmp_path / "fall", "lattice", options=HASTY, resume=tmp_path / "long" / "stable.pt")
    before = (tmp_path / "fall" / "checkpoint.pt").read_bytes()
    with pytest.raises(TrainingError, match="fall: holds a checkpoint; go on with `resume` from there"):
        train(tmp_path / "fall", "lattice", options=HASTY, resume=tmp_path / "long" / "stable.pt")
    with pytest.raises(TrainingError, match=r"fall: going on from stable\.pt would write over its checkpoint\.pt"):
        train(tmp_path / "fall", "lattice", options=HASTY, resume=tmp_path / "fall" / "stable.pt")
    assert (tmp_path / "fall" / "checkpoint.pt").read_bytes() == before
    stable = tmp_path / "alone" / "stable.pt"
    stable.parent.mkdir()
    stable.write_bytes((tmp_path / "long" / "stable.pt").read_bytes())
    for resume in (stable, None):  # weights that somebody gave away, without the checkpoint
        with pytest.raises(TrainingError, match=r"alone: holds a stable\.pt, which would be written over"):
            train(stable.parent, "lattice", options=HASTY, resume=resume)
    assert stable.read_bytes() == (tmp_path / "long" / "stable.pt").read_bytes()


def test_the_card_has_what_trains_it_again(tmp_path: Path) -> None:
    first = train(tmp_path / "long run", "lattice", options=HASTY)
    told = (first / "README.md").read_text()
    assert re.search(r"from the PCA of 16x16 patches: 6 steps of 2 crops of 64x64 in [\d.e-]+ hours \(", told)
    assert ", 1 thread), adamw," in told
    assert (
        f"    lcodec train --quantizer lattice --preset lc-test --data {tmp_path}/pictures --val {tmp_path}/pictures"
        in told
    )
    stable = tmp_path / "long run" / "stable.pt"
    second = train(tmp_path / "more", "lattice", name="mine", options=HASTY, resume=stable)
    told = (second / "README.md").read_text()
    assert "from step 4 of an earlier training, before its learning rate fell: 6 steps of" in told
    assert f" --name mine --preset lc-test --resume '{stable}' --out {tmp_path / 'more'} --data " in told
