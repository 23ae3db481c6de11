"""What watches over a training: bad losses are taken back, and what is kept is good."""

import contextlib
import csv
import dataclasses
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from short_runs import HASTY, interrupted, train

from latticecodec import TrainingError
from latticecodec.config import PRESETS
from latticecodec.lab.ranks import Ranks
from latticecodec.lab.training import loop
from latticecodec.lab.training.checkpoint import load_state
from latticecodec.lab.training.guard import TRIES, Guard, Tally
from latticecodec.lab.training.kinds.lattice import LatticeModel
from latticecodec.lab.training.kinds.vq import VqModel
from latticecodec.lab.training.log import Log
from latticecodec.lab.training.optimiser import Average, make_optimiser, parameter_groups
from latticecodec.lab.training.progress import Progress

pytestmark = pytest.mark.usefixtures("one_thread", "small_validation")


class Breaking:
    """`weighed`, which gives a loss that is no number at some of its calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, broken: Callable[[int], bool]) -> None:
        self.calls, self._broken, self._whole = 0, broken, loop.weighed
        monkeypatch.setattr(loop, "weighed", self)

    def __call__(self, *given: Any) -> tuple[torch.Tensor, ...]:
        loss, *rest = self._whole(*given)
        self.calls += 1
        return (loss * math.nan if self._broken(self.calls) else loss), *rest


@pytest.mark.parametrize("loss", [math.nan, math.inf, 60.0])
def test_the_guard_goes_back_to_the_last_good_average(loss: float) -> None:
    model = LatticeModel(PRESETS["lc-test"])
    average = Average(model)
    optimiser = make_optimiser("adamw", parameter_groups(model), 1e-3)
    guard = Guard(model, average)
    assert not guard.look(10.0, model, average, optimiser)
    good = average.copy()
    _overwrite(model, 7.0)
    average.update(model, step=1000)
    if math.isfinite(loss):
        assert not guard.look(49.0, model, average, optimiser)  # below five times the mean of before
        good = average.copy()
        loss = 5 * (0.8 * 10 + 0.2 * 49) + 1
        _overwrite(model, 9.0)
    optimiser.state["something"] = {}
    assert guard.look(loss, model, average, optimiser)
    assert guard.share == 0.5
    assert not optimiser.state
    assert all(torch.equal(value, good[name]) for name, value in model.named_parameters())
    assert all(torch.equal(value, good[name]) for name, value in average.state().items())


@pytest.mark.parametrize(("losses", "bad"), [((-12.0, -12.1, -11.0, 30.0), False), ((-12.0, 40.0), True)])
def test_a_loss_below_zero_may_fall_on(losses: tuple[float, ...], bad: bool) -> None:
    """As that of `--gamma`, which takes away what the basis sums up to."""
    model = LatticeModel(PRESETS["lc-test"])
    average, optimiser = Average(model), make_optimiser("adamw", parameter_groups(model), 1e-3)
    guard = Guard(model, average)
    judged = [guard.look(loss, model, average, optimiser) for loss in losses]
    assert judged == [False] * (len(losses) - 1) + [bad]


def test_a_loss_that_falls_through_zero_is_noise_there_until_it_explodes() -> None:
    model = torch.nn.Linear(1, 1)
    average, optimiser = Average(model), torch.optim.SGD(model.parameters())
    for seed in range(10):
        noise = 0.2 * torch.randn(200, generator=torch.Generator().manual_seed(seed))
        guard = Guard(model, average)
        assert not any(guard.look(3 - look / 50 + float(noise[look]), model, average, optimiser) for look in range(150))
        assert not any(guard.look(float(noise[look]), model, average, optimiser) for look in range(150, 200))
        again = Guard(model, average)
        again.load(guard.state(), model, average)  # as from a checkpoint
        assert not again.look(0.5, model, average, optimiser)
        assert again.look(5.0, model, average, optimiser)


def test_codebooks_go_back_with_the_weights() -> None:
    """They are moving averages, and no parameters."""
    model = VqModel(VqModel.configured(PRESETS["lc-test"]))
    average, optimiser = Average(model), make_optimiser("adamw", parameter_groups(model), 1e-3)
    guard = Guard(model, average)
    before = {name: value.clone() for name, value in model.named_buffers()}
    for value in model.buffers():
        value.fill_(7)
    assert guard.look(math.nan, model, average, optimiser)
    books = [name for name, value in before.items() if value.is_floating_point()]
    assert books
    assert all(torch.equal(model.get_buffer(name), before[name]) for name in books)


def test_an_average_that_is_not_finite_is_no_good() -> None:
    model = LatticeModel(PRESETS["lc-test"])
    average = Average(model)
    guard = Guard(model, average)
    optimiser = make_optimiser("adamw", parameter_groups(model), 1e-3)
    average.values[3][0] = math.nan
    assert guard.look(1.0, model, average, optimiser)
    assert average.is_finite()


def test_bad_looks_end_a_training_only_where_they_follow_each_other() -> None:
    model = LatticeModel(PRESETS["lc-test"])
    average, optimiser = Average(model), make_optimiser("adamw", parameter_groups(model), 1e-3)
    guard = Guard(model, average)
    for _ in range(TRIES):
        for loss, bad in ((math.nan, True), (math.nan, True), (10.0, False)):
            assert guard.look(loss, model, average, optimiser) == bad
    for _ in range(TRIES - 1):
        assert guard.look(math.nan, model, average, optimiser)
    with pytest.raises(TrainingError, match="at 5 looks in a row"):
        guard.look(math.nan, model, average, optimiser)


def test_a_guard_goes_on_from_a_checkpoint() -> None:
    """It knows mean, share of the rate and bad looks of before, and goes back to what the checkpoint has."""
    model = LatticeModel(PRESETS["lc-test"])
    average, optimiser = Average(model), make_optimiser("adamw", parameter_groups(model), 1e-3)
    before = Guard(model, average)
    assert [before.look(loss, model, average, optimiser) for loss in (10.0, math.nan)] == [False, True]
    guard = Guard(model, average)
    _overwrite(model, 7.0)  # as resuming fills both
    average = Average(model)
    guard.load(before.state(), model, average)
    assert guard.share == 0.5
    _overwrite(model, 9.0)
    assert guard.look(51.0, model, average, optimiser)  # above five times the mean of before
    assert guard.share == 0.25
    assert all(bool((value == 7.0).all()) for value in model.parameters())
    for _ in range(TRIES - 3):
        assert guard.look(math.nan, model, average, optimiser)
    with pytest.raises(TrainingError, match="at 5 looks in a row"):  # with the one before the checkpoint
        guard.look(math.nan, model, average, optimiser)


def test_the_rate_is_halved_where_the_guard_went_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "LOOK", 1)
    rates: dict[str, list[float]] = {}
    for name in ("whole", "broken"):
        optimisers: list[torch.optim.Optimizer] = []

        def kept(*given: Any, made: list[torch.optim.Optimizer] = optimisers) -> torch.optim.Optimizer:
            made.append(make_optimiser(*given))
            return made[0]

        with monkeypatch.context() as patch:
            patch.setattr(loop, "make_optimiser", kept)
            Breaking(patch, lambda call, name=name: name == "broken" and call == 2)  # type: ignore[misc]
            seen = rates[name] = []
            train(
                tmp_path / name,
                "lattice",
                options=HASTY,
                report=lambda _, made=optimisers, seen=seen: seen.append(made[0].param_groups[0]["lr"]),
            )
    assert rates["broken"][:2] == rates["whole"][:2]
    assert rates["broken"][2:] == [pytest.approx(rate / 2) for rate in rates["whole"][2:]]


def test_a_training_that_explodes_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "LOOK", 2)
    Breaking(monkeypatch, lambda call: call == 3)
    went_back = []
    train(tmp_path / "run", "lattice", options=HASTY, report=lambda progress: went_back.append(progress.went_back))
    assert went_back == [False, False, False, True, False, False]
    assert load_state(tmp_path / "run" / "checkpoint.pt")["guard"]["share"] == 0.5


def test_a_tally_adds_up_until_someone_looks() -> None:
    tally = Tally(2, torch.device("cpu"))
    tally.add(torch.tensor(1.0), torch.tensor(4.0))
    tally.add(torch.tensor(3.0), torch.tensor(8.0))
    assert tally.means() == [2.0, 6.0]
    tally.add(torch.tensor(5.0), torch.tensor(1.0))
    assert tally.means() == [5.0, 1.0]


def _overwrite(model: torch.nn.Module, value: float) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(value)


def finite(path: Path) -> bool:
    state = load_state(path)
    return all(
        bool(torch.isfinite(value.float()).all()) for part in ("model", "average") for value in state[part].values()
    )


def test_what_is_kept_is_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss that is no number at the last step before the rate falls, between two looks."""
    monkeypatch.setattr(loop, "LOOK", 3)
    Breaking(monkeypatch, lambda call: call == 4)
    seen: list[tuple[bool, bool]] = []  # of each step: whether it went back, whether stable.pt is good

    def report(progress: Progress) -> None:
        stable = tmp_path / "run" / "stable.pt"
        seen.append((progress.went_back, stable.exists() and finite(stable)))

    train(tmp_path / "run", "lattice", options=HASTY, report=report)
    assert seen == [(False, False), (False, False), (False, True), (True, True), (False, True), (False, True)]
    assert load_state(tmp_path / "run" / "stable.pt")["step"] == 4
    assert finite(tmp_path / "run" / "checkpoint.pt")


def test_an_interrupted_training_logs_what_a_whole_one_does(tmp_path: Path) -> None:
    """The losses too, since nothing is half counted where a checkpoint is written."""
    options = dataclasses.replace(HASTY, steps=4, validate_every=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "LOOK", 2)
        train(tmp_path / "whole", "lattice", options=options)
        with interrupted(after=2, look=2):
            train(tmp_path / "part", "lattice", options=options)
        train(tmp_path / "part", "lattice", options=options, resume=tmp_path / "part" / "checkpoint.pt")
    rows = [list(csv.DictReader((tmp_path / name / "log.csv").open())) for name in ("whole", "part")]
    for row in (*rows[0], *rows[1]):
        del row["seconds"]
    assert rows[0] == rows[1]


def test_a_training_that_learns_nothing_has_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several processes one tells why; its log is whole."""
    told, closed = [], []
    alone, close = Ranks.all_or_none, Log.close

    @contextlib.contextmanager
    def all_or_none(ranks: Ranks) -> Iterator[None]:
        with alone(ranks):
            try:
                yield
            except TrainingError as error:
                told.append(str(error))
                raise

    monkeypatch.setattr(Ranks, "all_or_none", all_or_none)
    monkeypatch.setattr(Log, "close", lambda log: (closed.append(log), close(log)))
    Breaking(monkeypatch, lambda call: True)
    with pytest.raises(TrainingError, match="the loss was no number at any look; begin with a lower `learning_rate`"):
        train(tmp_path / "run", "lattice", options=HASTY)
    monkeypatch.setattr(loop, "LOOK", 1)
    with pytest.raises(TrainingError, match="no number, or exploded, at 5 looks in a row"):
        train(tmp_path / "again", "lattice", options=HASTY)
    assert not list(tmp_path.glob("*/model"))
    assert (len(told), len(closed)) == (2, 2)


def test_weights_that_are_no_numbers_are_not_gone_on_from(tmp_path: Path) -> None:
    train(tmp_path / "run", "lattice", options=HASTY)
    state = load_state(tmp_path / "run" / "stable.pt")
    next(iter(state["average"].values())).view(-1)[0] = math.nan
    torch.save(state, tmp_path / "bad.pt")
    with pytest.raises(TrainingError, match=r"bad\.pt: its weights are not all numbers"):
        train(tmp_path / "more", "lattice", options=HASTY, resume=tmp_path / "bad.pt")


def test_weights_from_before_the_fall_begin_at_the_full_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the guard had halved it."""
    Breaking(monkeypatch, lambda call: call == 1)
    monkeypatch.setattr(loop, "LOOK", 1)
    train(tmp_path / "run", "lattice", options=HASTY)
    assert load_state(tmp_path / "run" / "stable.pt")["guard"]["share"] == 0.5
    train(tmp_path / "more", "lattice", options=HASTY, resume=tmp_path / "run" / "stable.pt")
    assert load_state(tmp_path / "more" / "checkpoint.pt")["guard"]["share"] == 1
