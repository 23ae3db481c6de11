"""Parameters that learn nothing are told, in the output and in the log."""

import csv
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from latticecodec.cli import main
from PIL import Image

from latticecodec.lab.training.gradients import Gradients
from latticecodec.lab.training.kinds.lattice import LatticeModel
from latticecodec.lab.training.log import Log
from latticecodec.lab.training.synthetic import synthetic_picture

pytestmark = pytest.mark.usefixtures("one_thread", "small_validation")


def test_parameters_without_a_gradient_at_any_step_are_named_by_their_part() -> None:
    model = torch.nn.ModuleDict(
        {"one": torch.nn.Linear(2, 2), "two": torch.nn.Linear(2, 2), "out": torch.nn.Linear(2, 2)}
    )
    model["out"].bias.requires_grad_(False)
    gradients = Gradients(model)
    assert gradients.missing() == []  # nobody has looked yet

    def step(**given: float) -> None:
        for name, value in model.named_parameters():
            value.grad = torch.full_like(value, given[name[:3]]) if name[:3] in given else None
        gradients.note()

    step(one=0.0, out=1.0)
    step(one=0.0)
    assert gradients.missing() == ["one.*", "two.*"]
    step(one=0.0, two=-1e-9)
    step(out=float("nan"))
    assert gradients.missing() == ["one.*"]
    step(one=1.0, two=1.0, out=1.0)
    model["two"].bias.grad = None
    gradients = Gradients(model)
    gradients.note()
    assert gradients.missing() == ["two.bias"]


def test_a_part_that_lost_its_gradients_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a compiler drops them: the forward pass is as it was."""
    (tmp_path / "photos").mkdir()
    Image.fromarray(synthetic_picture(0, 96, 96).permute(1, 2, 0).numpy()).save(tmp_path / "photos" / "0.png")
    monkeypatch.setattr("latticecodec.lab.training.validation.VALIDATION_POINTS", (1.0,))

    def trained(out: Path) -> tuple[str, list[str]]:
        small = ["--preset", "lc-test", "--steps", "4", "--validate-every", "2", "--batch", "4", "--crop", "64"]
        data = ["--data", str(tmp_path / "photos"), "--drawn", "0", "--device", "cpu", "--out", str(out)]
        result = CliRunner().invoke(main, ["train", *small, *data])
        assert result.exit_code == 0, result.output
        rows = csv.DictReader((out / "log.csv").open())
        lines = [line for line in result.stderr.splitlines() if line.startswith("Warning")]
        return "\n".join(lines), [row["without-gradient"] for row in rows]

    assert trained(tmp_path / "whole") == ("", ["0", "0"])
    init = LatticeModel.__init__

    def deaf(self: LatticeModel, *given: object) -> None:
        init(self, *given)  # type: ignore[arg-type]
        self.hyper_analysis.register_forward_hook(lambda part, x, y: y.detach())

    monkeypatch.setattr(LatticeModel, "__init__", deaf)
    told, counts = trained(tmp_path / "part")
    text = "no gradient at any step since the last look at them, so that nothing is learned: hyper_analysis.*"
    assert told == f"Warning: step 2: {text}\nWarning: step 4: {text}"
    assert counts == ["1", "1"]


def test_a_log_with_fewer_columns_goes_on(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("step,loss\n5,2.5\n9,2.0\n")
    log = Log(tmp_path, 5)
    log.write({"step": 7, "loss": 2.25, "new": 1})
    log.close()
    assert (tmp_path / "log.csv").read_text().split() == ["step,loss,new", "5,2.5,", "7,2.25,1"]
