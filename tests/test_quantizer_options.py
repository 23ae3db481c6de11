"""Options of single quantizers in `lcodec train`: what they do to a training, and to whom they belong."""

import dataclasses
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from latticecodec.cli import main
from latticecodec.cli.train import DEMONSTRATION_STEPS
from short_runs import QUICK, of_quantizer, pictures, train

from latticecodec import TargetError, TrainingError, load
from latticecodec.config import PRESETS
from latticecodec.lab.quantizers import RescaledQuantizer, RotationQuantizer
from latticecodec.lab.training.kinds import MODELS, check
from latticecodec.lab.training.kinds.lattice import LatticeModel
from latticecodec.lab.training.kinds.rotation import ROTATED_FROM, RotationModel
from latticecodec.lab.training.kinds.vq import VqModel
from latticecodec.lab.training.options import FREEZES, Asked, TrainOptions
from latticecodec.lab.training.quantizer_options import CHOICES, QuantizerOptions
from latticecodec.lab.training.run import run
from latticecodec.lab.training.synthetic import synthetic_picture

pytestmark = pytest.mark.usefixtures("one_thread", "small_validation")

EACH = [  # every option with every quantizer that it belongs to
    ("lattice", "--gamma 0.5 --codebook-size 512"),
    ("lattice", "--gamma -0.5 --commitment 0.25"),
    ("vq", "--codebook-update gradient"),
    ("vq", "--commitment 1 --codebook-update ema"),
    ("rotation", "--codebook-update gradient --rescaling distance"),
    ("adaptive", "--selection attention"),
    ("adaptive", "--commitment 0.5 --selection attention --temperature exponential"),
]
THIRTY_STEPS = "--preset lc-test --steps 30 --batch 1 --crop 64 --drawn 0 --optimiser adamw --device cpu"


@pytest.mark.parametrize(("quantizer", "given"), EACH, ids=lambda value: str(value))
def test_lcodec_train_with_every_option_makes_a_model_that_compresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quantizer: str, given: str
) -> None:
    monkeypatch.setattr("latticecodec.lab.training.kinds.fit.ITERATIONS", 2)
    data, out = pictures(tmp_path), tmp_path / "run"
    places = f"--quantizer {quantizer} --data {data} --val {data} --out {out}"
    result = CliRunner().invoke(main, f"train {places} {THIRTY_STEPS} {given}")
    assert result.exit_code == 0, f"{result.output}{result.exception!r}"
    codec = load(out / "model", device="cpu")
    picture = synthetic_picture(9, 64, 80)
    sizes = [len(codec.encode(picture, quality=quality)) for quality in (10, 90)]
    assert sizes[0] < sizes[1] < picture.numel()
    assert codec.decode(codec.encode(picture, quality=50)).size == (80, 64)
    lines = (out / "model" / "README.md").read_text().splitlines()
    command = next(line for line in lines if line.startswith("    lcodec"))
    assert f" {given} " in f"{command} "  # the command that repeats it
    kept = torch.load(out / "checkpoint.pt", weights_only=True)["options"]["quantizer"]
    words = {word.partition(" ")[0].replace("-", "_"): word.partition(" ")[2] for word in f" {given}".split(" --")[1:]}
    assert {name: str(value) for name, value in kept.items() if value is not None} == {
        name: value if value.isalpha() else str(float(value)) for name, value in words.items()
    }


def test_resuming_with_another_option_is_refused(tmp_path: Path) -> None:
    train(tmp_path / "a", "lattice", options=of_quantizer(gamma=0.5))
    with pytest.raises(TrainingError, match="made with other options"):
        train(tmp_path / "b", "lattice", options=of_quantizer(), resume=tmp_path / "a" / "checkpoint.pt")


@pytest.mark.parametrize(
    ("quantizer", "given", "message"),
    [
        ("vq", {"gamma": 1.0}, "`gamma` is for `quantizer` lattice, not for vq"),
        ("lattice", {"codebook_update": "ema"}, "`codebook_update` is for `quantizer` vq or rotation, not for lattice"),
        ("adaptive", {"codebook_size": 512.0}, "`codebook_size` is for `quantizer` lattice, not for adaptive"),
        ("rotation", {"selection": "cost"}, "`selection` is for `quantizer` adaptive, not for rotation"),
        ("vq", {"rescaling": "distance"}, "`rescaling` is for `quantizer` rotation, not for vq"),
        ("adaptive", {"temperature": "linear"}, "`temperature` is for `selection` attention"),
        ("adaptive", {"selection": "cost", "temperature": "linear"}, "`temperature` is for `selection` attention"),
        (
            "lattice-e8",
            {"commitment": 0.0},
            "`commitment` is for `quantizer` lattice, vq, adaptive or rotation, not for",
        ),
        ("lattice", {"gamma": float("nan")}, "`gamma` is nan; it must be a finite number"),
        ("lattice", {"codebook_size": float("inf")}, "`codebook_size` is inf; it must be a finite number"),
        (
            "lattice",
            {"codebook_size": 1.0000001},
            "`codebook_size` is 1.0000001; it must be from 2 to",
        ),  # bases of 10^8
        ("lattice", {"gamma": -1e38}, r"`gamma` is -1e\+38; it must be from -1e\+09 to 1e\+09"),  # an infinite loss
        ("vq", {"commitment": 1e38}, r"`commitment` is 1e\+38; it must be from 0 to 1e\+09"),
        ("vq", {"commitment": -1.0}, "`commitment` is -1.0; it must be from 0 to"),
    ],
)
def test_an_option_of_another_quantizer_is_one_line(quantizer: str, given: dict[str, object], message: str) -> None:
    with pytest.raises(TrainingError, match=message) as caught:
        check(quantizer, of_quantizer(**given), from_scratch=True)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("freeze", ["analysis", "transforms"])
@pytest.mark.parametrize(
    ("quantizer", "name"), [("vq", "commitment"), ("adaptive", "commitment"), ("rotation", "rescaling")]
)
def test_what_teaches_the_analysis_alone_is_refused_where_that_is_frozen(
    quantizer: str, name: str, freeze: str
) -> None:
    given = dataclasses.replace(of_quantizer(**{name: "distance" if name == "rescaling" else 0.5}), freeze=freeze)
    with pytest.raises(TrainingError, match=f"`{name}` teaches the analysis alone, which `freeze` {freeze} keeps"):
        check(quantizer, given, from_scratch=False)
    check(quantizer, dataclasses.replace(given, freeze="nothing"), from_scratch=False)


def test_a_warm_start_has_no_use_for_a_first_basis(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="`codebook_size` draws a first basis, but `init_from` brings its own"):
        train(tmp_path / "run", "lattice", options=of_quantizer(codebook_size=512.0), init_from=tiny_model)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("start", [None, "tiny"])
def test_no_other_quantizer_is_trained_in_place_of_an_unknown_one(
    tiny_model: Path, tmp_path: Path, start: str | None
) -> None:
    init_from = tiny_model if start else None
    for name in ("abacus", "lattice-e8"):
        with pytest.raises(TrainingError, match=f"no training for quantizer '{name}'; choose one of lattice, vq"):
            run(Asked(name, "x", "lc-test", None, None, tmp_path / "run", init_from), QUICK, "cpu")
    assert not (tmp_path / "run").exists()


def test_no_other_size_is_trained_in_place_of_an_unknown_one(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="unknown preset 'lc-xxl'; choose from lc-"):
        run(Asked("lattice", "x", "lc-xxl", None, None, tmp_path / "run"), QUICK, "cpu")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("quantizer", "name"),
    [("vq", "codebook_update"), ("adaptive", "selection"), ("adaptive", "temperature"), ("rotation", "rescaling")],
)
def test_an_unknown_word_is_not_taken_for_the_default(quantizer: str, name: str) -> None:
    with pytest.raises(TargetError, match=f"unknown {name} 'magic'; choose from {', '.join(CHOICES[name])}"):
        check(quantizer, of_quantizer(**{name: "magic"}), from_scratch=True)


def test_the_command_offers_the_same_words() -> None:
    offered = {each.name: tuple(each.type.choices) for each in main.commands["train"].params if each.name in CHOICES}
    assert offered == CHOICES


def test_what_a_training_is_not_asked_for_is_as_it_is_in_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[TrainOptions] = []
    monkeypatch.setattr("latticecodec.lab.training.run.run", lambda asked, options, *_: given.append(options))
    for words in (["--data", "photos"], ["--data", "photos", "--minutes", "9"], []):
        assert CliRunner().invoke(main, ["train", *words]).exit_code == 0
    assert given == [TrainOptions(), TrainOptions(steps=0, minutes=9.0), TrainOptions(steps=DEMONSTRATION_STEPS)]


def test_what_may_be_frozen_is_what_some_model_freezes() -> None:
    assert {name for model in MODELS.values() for name in model.freezable} == set(FREEZES)


def test_an_e8_twin_is_no_start(tiny_e8: Path, tmp_path: Path) -> None:
    for given in ({}, {"options": dataclasses.replace(QUICK, rank=2)}):
        with pytest.raises(TrainingError, match="quantizer lattice-e8, which is not trained: start from its base"):
            train(tmp_path / "run", "lattice", init_from=tiny_e8, **given)


# ---- what they do ---------------------------------------------------------------------------------------------------


def test_gamma_widens_or_narrows_the_cells() -> None:
    y, t = torch.randn(1, 3, 64, 64).sigmoid(), torch.zeros(1)
    for gamma, direction in ((2.0, -1), (-2.0, 1)):
        model = LatticeModel(PRESETS["lc-test"], QuantizerOptions(gamma=gamma))
        model(y, t).loss.backward()
        assert bool((model.quantizer.log_basis.grad.sign() == direction).all())  # of the loss, which falls against it


def test_codebook_size_draws_the_first_basis() -> None:
    """Few points in the cube have wide cells: entries below 1 / (K^(1/D) - 1)."""
    for size in (512.0, 2.0**40):
        basis = (
            LatticeModel(PRESETS["lc-test"], QuantizerOptions(codebook_size=size)).quantizer.log_basis.detach().exp()
        )
        width = 1 / (size ** (1 / 32) - 1)
        assert 0.7 * width < float(basis.max()) <= width
        assert float(basis.mean()) == pytest.approx(width / 2, rel=0.3)


def test_commitment_draws_latents_to_points_and_the_basis_to_latents() -> None:
    model = LatticeModel(PRESETS["lc-test"], QuantizerOptions(commitment=0.25))
    model(torch.rand(1, 3, 64, 64), torch.zeros(1)).loss.backward()
    assert model.analysis.leave.weight.grad.abs().max() > 0
    assert model.quantizer.log_basis.grad.abs().max() > 0


def test_a_commitment_of_0_leaves_the_embedding_term_which_moves_the_basis() -> None:
    model = LatticeModel(PRESETS["lc-test"], QuantizerOptions(commitment=0.0))
    model(torch.rand(1, 3, 64, 64), torch.zeros(1)).loss.backward()
    assert model.analysis.leave.weight.grad.abs().max() == 0
    assert model.quantizer.log_basis.grad.abs().max() > 0
    assert LatticeModel(PRESETS["lc-test"]).quantizer(torch.rand(1, 32, 4, 4), torch.zeros(1)).loss == 0


@pytest.mark.parametrize("update", ["ema", "gradient"])
def test_codewords_are_averages_or_parameters(update: str) -> None:
    model = VqModel(VqModel.configured(PRESETS["lc-test"]), QuantizerOptions(codebook_update=update))
    learned = [name for name, _ in model.named_parameters() if name.endswith("codebook")]
    assert len(learned) == (8 if update == "gradient" else 0)


def test_rotation_keeps_the_gradient_of_slices_with_short_codewords() -> None:
    quantizer = RotationModel(RotationModel.configured(PRESETS["lc-test"])).quantizer.first(None)[0]
    assert isinstance(quantizer, RotationQuantizer)
    e = torch.tensor([[10.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]).requires_grad_()
    q = torch.tensor([[0.0, 0.1, 0.0, 0.0], [0.0, 2 * ROTATED_FROM, 0.0, 0.0]])
    quantizer.pass_gradient(e, q)[:, 1].sum().backward()
    assert e.grad.tolist()[0] == [0.0, 1.0, 0.0, 0.0]  # straight through
    torch.testing.assert_close(e.grad[1], torch.tensor([2 * ROTATED_FROM, 0.0, 0.0, 0.0]))  # turned


def test_rescaling_by_distance() -> None:
    config = RotationModel.configured(PRESETS["lc-test"])
    quantizers = RotationModel(config, QuantizerOptions(rescaling="distance")).quantizer.first(None)
    assert all(isinstance(quantizer, RescaledQuantizer) for quantizer in quantizers)


# ---- selection by attention -----------------------------------------------------------------------------------------
