"""Kinds of models compute in numpy what they were trained with in torch."""

import dataclasses
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from latticecodec import Codec, LcqError, TargetError
from latticecodec.backends.backend import Refinement
from latticecodec.backends.torch import TorchBackend
from latticecodec.codec import EncodeOptions
from latticecodec.config import ModelConfig
from latticecodec.entropy.coder import Float32
from latticecodec.kinds import Lattice, Rates
from latticecodec.kinds.closest import closest
from latticecodec.kinds.hyper import hyper_latents
from latticecodec.kinds.selection import SliceSelection
from latticecodec.kinds.step import Steps, soft_round
from latticecodec.lab.nets.prior import compand
from latticecodec.lab.quantizers import soft_round as trained_soft_round
from latticecodec.lab.quantizers.codewords import nearest
from latticecodec.lab.quantizers.selection import SliceAttention

LENGTH = 0.006  # of a step


def numbers(*shape: int, seed: int = 0) -> Float32:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def test_a_rate_has_one_number() -> None:
    """What the header, the prior and the synthesis call it follows from it, each by its own unit."""
    rates = Rates(ModelConfig(octaves=2.0, reach=(0.0, 1.5)))
    rate = rates.of_quality(50)
    assert (rate.number, rate.quality, rate.scale, rate.level, rate.t) == (1536, 50.0, -1536, 47, 0.75)
    assert rates.at(rate.number) == rates.of_scale(rate.scale) == rate
    assert (rates.lowest, rates.highest) == (rates.of_quality(0).number, rates.of_quality(100).number) == (0, 3072)
    assert rates.of_quality(100).level == 63  # beyond what the prior was trained for it is that of the end


@pytest.mark.parametrize("alpha", [1.0, 7.0])
def test_soft_rounding_and_its_slope_are_those_of_training(alpha: float) -> None:
    u = 3 * numbers(200)
    at = torch.from_numpy(u).requires_grad_(True)
    soft = trained_soft_round(at, alpha)
    (slope,) = torch.autograd.grad(soft.sum(), at)
    ours, our_slope = soft_round(u, alpha)
    assert ours.dtype == our_slope.dtype == np.float32
    np.testing.assert_allclose(ours, soft.detach(), atol=1e-5)
    np.testing.assert_allclose(our_slope, slope, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_steps_go_down_what_autograd_says(tiny: Codec, count: int) -> None:
    """The chain from lattice steps to pixels by hand, against the gradient of the whole, where errors cost little."""
    backend = tiny.model.refiner(Lattice.plain + 1)
    assert isinstance(backend, TorchBackend)
    u, basis, x = numbers(32, 2, 3), np.exp(numbers(32)) / 99, np.random.default_rng(1).random((3, 30, 41), np.float32)
    at = torch.from_numpy(u[None])  # [1, M, h, w]
    for _ in range(count):
        at.requires_grad_(True)
        y_hat = trained_soft_round(at, Lattice.sharpness) * torch.from_numpy(basis)[:, None, None]
        (slope,) = torch.autograd.grad(backend._distortion(y_hat, 0.4, torch.from_numpy(x[None]), "psnr"), at)
        at = (at - LENGTH * slope).detach()
    told: list[tuple[int, int]] = []
    refinement = Refinement(basis, 0.4, "psnr", count, math.inf)
    moved = Steps(backend, LENGTH, Lattice.sharpness).refine(
        u, x, refinement, lambda done, total: told.append((done, total))
    )
    np.testing.assert_allclose(moved, at[0].numpy(), rtol=1e-3, atol=1e-4)
    assert np.abs(moved - u).max() > 0.01
    assert told == [(done, count) for done in range(1, count + 1)]


def test_hyper_latents_see_the_edge_repeated(tiny: Codec) -> None:
    """Of 5 x 6 positions as of the same filled up to 8 x 8 by their last row and column."""
    u = 5 * numbers(32, 5, 6)
    filled = np.pad(u, ((0, 0), (0, 3), (0, 2)), mode="edge")
    z = hyper_latents(tiny.model.backend, u)
    assert z.shape == (8, 2, 2)
    np.testing.assert_array_equal(z, hyper_latents(tiny.model.backend, filled))
    exact = tiny.model.backend.hyper_analysis(compand(torch.from_numpy(filled)).numpy())
    assert np.abs(z - exact).max() < 0.51


def test_the_closest_codeword_is_that_of_training() -> None:
    rows, codewords, penalty = numbers(3000, 4), numbers(64, 4, seed=1) + 100, np.abs(numbers(3000, 64, seed=2))
    rows += 100
    rows[7] = codewords[3]
    codewords[40] = codewords[3]
    penalty[7] = 0
    chosen = closest(rows, codewords, penalty)
    expected = nearest(*(torch.from_numpy(each) for each in (rows, codewords, penalty))).numpy()
    assert (chosen == expected).mean() > 0.999
    assert chosen[7] == 3  # the lowest of equals
    cost = np.square(rows[:, None] - codewords).sum(2) + penalty
    np.testing.assert_allclose(cost[np.arange(3000), chosen], cost.min(1), atol=1e-3)


def test_codebooks_are_selected_as_in_training() -> None:
    widths, books = (1, 4, 2), 3
    torch.manual_seed(3)  # of the first weights; the other seed is of the noise
    attention = SliceAttention(widths, books, seed=1)
    slices = [3 * numbers(500, width, seed=width) for width in widths]
    selection = SliceSelection(widths, books, {name: value.numpy() for name, value in attention.state_dict().items()})
    with torch.no_grad():
        scores = attention([torch.from_numpy(part) for part in slices])  # [N, G, m]
    chosen = selection(slices)
    assert len(np.unique(chosen)) > 1
    assert (chosen == scores.argmax(2).numpy()).mean() > 0.999
    with pytest.raises(ValueError, match="select codebooks"):
        SliceSelection(widths, books + 1, {name: value.numpy() for name, value in attention.state_dict().items()})


def test_the_basis_of_a_file_is_that_of_the_model(tiny: Codec) -> None:
    """Written into a file in 1/1024 octave, it gives the same latents but for its rounding."""
    kind, k = tiny.kind, np.random.default_rng(0).integers(-9, 10, (32, 3, 4)).astype(np.int32)
    assert isinstance(kind, Lattice)
    rate = kind.rates.of_quality(30)
    own = kind.values(k, rate, None)
    np.testing.assert_allclose(kind.values(k, rate, kind.own_basis(rate)), own, rtol=0.0004)
    np.testing.assert_allclose(kind.prepare(own, rate, None), k, atol=1e-5)


def test_options_of_an_encode_are_one_object_that_stays() -> None:
    options = EncodeOptions(quality=np.int64(40), effort=2)
    assert options == EncodeOptions(quality=40.0, effort=2)
    assert type(options.quality) is float
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.effort = 3  # type: ignore[misc]
    with pytest.raises(TargetError, match="exclude each other"):
        dataclasses.replace(options, bpp=1.0, psnr=30.0)


def test_too_little_memory_is_one_line(tiny: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    data = tiny.encode(np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8))
    monkeypatch.setattr(tiny.kind, "values", full)
    with pytest.raises(LcqError, match="not enough memory for a picture of this size"):
        tiny.decode(data)


@pytest.mark.parametrize("effort", [0, 1, 2, 4])
def test_warnings_that_a_caller_turns_into_errors(tiny: Codec, effort: int) -> None:
    """NumPy's settings around a call do not reach into it."""
    picture = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    expected = tiny.encode(picture, effort=effort)
    with np.errstate(all="raise"):
        assert tiny.encode(picture, effort=effort) == expected
        assert tiny.decode(expected).size == (40, 40)
        assert np.geterr() == dict.fromkeys(("divide", "over", "under", "invalid"), "raise")


def test_a_picture_goes_in_and_out_without_torch(tiny_model: Path, tmp_path: Path) -> None:
    """At effort 1, with a target, in tiles, and with every tune: a process that could not import torch."""
    code = f"""
import sys
sys.modules["torch"] = None
import numpy as np, latticecodec
codec = latticecodec.load({str(tiny_model)!r}, "cpu")
x = np.random.default_rng(0).integers(0, 256, (170, 180, 4), dtype=np.uint8)
for options in ({{}}, {{"bpp": 9.0}}, {{"tile": 64}}, {{"tune": "ms-ssim"}}, {{"tune": "ssimulacra2"}}):
    assert codec.decode(codec.encode(x, **options)).size == (180, 170)
assert codec.from_indices(codec.to_indices(x)).size == (192, 176)
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_kinds_that_several_threads_ask_for_at_once() -> None:
    """In a process that has none yet."""
    code = """if True:
        import threading
        from concurrent.futures import ThreadPoolExecutor
        from latticecodec.kinds import KINDS
        together = threading.Barrier(8)

        def ask(number):
            together.wait()
            return ("lattice" if number % 2 else "adaptive") in KINDS

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(ask, range(8)))
    """
    subprocess.run([sys.executable, "-c", code], check=True)
