"""Effort: the same decoder, fewer bits for what the picture loses."""

import itertools
import math

import numpy as np
import pytest
import torch
from PIL import Image

from latticecodec import Codec, ImageError, ModelError, TargetError, load, read_header
from latticecodec.backends.backend import Refinement, Report
from latticecodec.backends.torch import TorchBackend
from latticecodec.codec import EncodeOptions
from latticecodec.entropy.coder import Float32, Int32, Tables, symbol_bits
from latticecodec.entropy.e8 import E8Points
from latticecodec.entropy.numbers import LOG_SCALE_MIN
from latticecodec.entropy.points import IntegerPoints
from latticecodec.kinds import Lattice
from latticecodec.kinds.parts import within
from latticecodec.lab.evaluation import ms_ssim
from latticecodec.lab.nets.e8_state import e8_state
from latticecodec.lab.nets.tables import make_table_index
from latticecodec.lab.refine import refine
from latticecodec.picture import psnr

WEIGHT = 0.1  # squared distance that a bit is worth
QUALITY = 60.0


@pytest.fixture(scope="module")
def face(photo: Image.Image) -> Image.Image:
    return photo.crop((96, 40, 224, 152))


def cost(codec: Codec, picture: Image.Image, effort: int) -> float:
    """Bits + lambda 255^2 squared error of a file, as training weighs them."""
    encoding = codec.encode_detailed(picture, EncodeOptions(quality=QUALITY, effort=effort))
    decoded = codec.decode(encoding.data)
    weight = codec.config.rate_weight(codec.kind.rates.of_quality(QUALITY).t)
    mse = 255**2 * 10 ** (-psnr(np.asarray(picture), np.asarray(decoded)) / 10)
    return 8 * len(encoding.data) + weight * mse * picture.width * picture.height


@pytest.mark.parametrize("model", ["lattice", "lattice-e8"])
def test_more_effort_costs_less(model: str, face: Image.Image) -> None:
    codec = load(model, device="cpu")
    nearest, one_step, refined = (cost(codec, face, effort) for effort in (0, 1, 5))
    assert one_step < 0.99 * nearest
    assert refined < 0.98 * nearest


def test_the_efforts_before_are_of_plain_steps_and_each_costs_less(lattice: Codec, face: Image.Image) -> None:
    costs = [cost(lattice, face, effort) for effort in range(Lattice.plain + 1)]
    assert all(more < less for less, more in itertools.pairwise(costs))


def test_the_default_is_one_step(lattice: Codec, face: Image.Image) -> None:
    assert lattice.encode(face) == lattice.encode(face, effort=1) != lattice.encode(face, effort=0)


@pytest.mark.parametrize("effort", [2, 4])
def test_effort_meets_targets_too(lattice: Codec, face: Image.Image, effort: int) -> None:
    assert 0.97 * 3000 <= len(lattice.encode(face, size=3000, effort=effort)) <= 3000


def test_tuning_for_ms_ssim(lattice: Codec, photo: Image.Image) -> None:
    """More MS-SSIM for a bit, and the header says so."""
    pixels = np.asarray(photo)
    quality = {}
    for tune in ("psnr", "ms-ssim"):
        data = lattice.encode(photo, size=6000, tune=tune)
        quality[tune] = ms_ssim(np.asarray(lattice.decode(data)), pixels)
        assert read_header(data).tune == tune
    assert 1 - quality["ms-ssim"] < 0.97 * (1 - quality["psnr"])


def test_tuning_that_cannot_be(lattice: Codec, face: Image.Image) -> None:
    with pytest.raises(ImageError, match="128x112 pixels is too small for MS-SSIM, which needs 161 a side"):
        lattice.encode(face, tune="ms-ssim")
    with pytest.raises(TargetError, match="effort of 1 or more"):
        lattice.encode(face, tune="ms-ssim", effort=0)
    with pytest.raises(TargetError, match="choose from psnr, ms-ssim"):
        lattice.encode(face, tune="vmaf")
    with pytest.raises(ModelError, match="vq encodes for PSNR alone"):
        load("vq", device="cpu").encode(face, tune="ms-ssim")


def test_models_with_codebooks_encode_the_same_at_every_effort(face: Image.Image) -> None:
    codec = load("vq", device="cpu")
    assert codec.encode(face, effort=0) == codec.encode(face, effort=9)


@pytest.mark.parametrize("effort", [-1, 10, 1.5])
def test_an_effort_that_is_none(tiny: Codec, face: Image.Image, effort: int) -> None:
    with pytest.raises(TargetError, match="not an integer from 0 to 9"):
        tiny.encode(face, effort=effort)


@pytest.mark.parametrize(("effort", "iterations"), [(3, 3), (4, 5)])
def test_progress_of_a_refinement(tiny: Codec, face: Image.Image, effort: int, iterations: int) -> None:
    """Of plain steps, and of those through the prior."""
    told: list[tuple[int, int]] = []
    tiny.encode(face, effort=effort, report=lambda done, total: told.append((done, total)))
    assert [done / total for done, total in told] == [done / iterations for done in range(1, iterations + 1)]


def test_one_step_in_parts_is_one_step(tiny: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    """The halo of a part is as wide as a latent is felt, so that almost nothing depends on the cut."""
    noise = np.random.default_rng(0).integers(0, 256, (320, 352, 3), dtype=np.uint8)
    whole = tiny.encode_detailed(noise).indices
    monkeypatch.setattr("latticecodec.kinds.parts.STEP_PART", (10, 12))
    cut = tiny.encode_detailed(noise).indices
    assert (whole == cut).mean() > 0.999


def test_one_step_is_taken_where_it_is_coded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is around an area is looked at, as far as the halo, and stays as it is; 36 rows are cut, 32 would not be."""
    monkeypatch.setattr("latticecodec.kinds.parts.STEP_PART", (32, 48))
    u, colour, seen = np.zeros((1, 64, 60), np.float32), np.zeros((1024, 960, 3), np.uint8), []

    def refinement(u: Float32, *, x: Float32, report: Report) -> Float32:
        seen.append((*u.shape[1:], *x.shape[1:]))
        return u + 1

    refined = within((slice(1, 37), slice(12, 60)), u, colour, refinement, lambda done, total: None)
    expected = np.zeros_like(u)
    expected[:, 1:37, 12:60] = 1
    np.testing.assert_array_equal(refined, expected)
    assert seen == [(19, 50, 304, 800), (24, 50, 384, 800)]


def test_refined_latents_are_cheap_where_distortion_does_not_matter(tiny: Codec) -> None:
    """With no distortion only bits count, and the prior's bits fall from iteration to iteration."""
    inside = tiny.model.refiner(Lattice.plain + 1)
    assert isinstance(inside, TorchBackend)
    u = 3 * torch.randn(1, 32, 6, 7, generator=torch.Generator().manual_seed(0))

    def nothing(soft: torch.Tensor) -> torch.Tensor:
        return 0.0 * soft.sum()

    prior, network = inside._float_prior, inside._hyper_analysis
    how = Refinement(np.ones(32, np.float32), 0.5, "psnr", 8, math.inf)
    refined = refine(u.clone(), how, prior, network, nothing, lambda done, total: None)
    assert refined.shape == u.shape
    assert float(refined.abs().mean()) < float(u.abs().mean())


def step(seed: int, count: int, scales: tuple[int, int]) -> tuple[Float32, Int32, Int32]:
    """Coordinates and predictions: u [N], mean outputs, scale indices."""
    random = np.random.default_rng(seed)
    mean = random.integers(-60, 61, count).astype(np.int32)
    scale = random.integers(*scales, count).astype(np.int32)
    sigma = np.exp(LOG_SCALE_MIN + scale / 8)
    return (np.sinh(mean / 64) + sigma * random.standard_normal(count)).astype(np.float32), mean, scale


def test_integers_are_chosen_by_distance_and_bits() -> None:
    index = make_table_index()
    u, mean, scale = step(0, 500, (0, 30))
    k = IntegerPoints(index).choose(u, mean, scale, WEIGHT)
    ids, base = index.look_up(mean, scale)
    costs = {n: (u - n) ** 2 + WEIGHT * symbol_bits(n - base, ids, index.tables) for n in map(np.int32, range(-9, 10))}
    next_to_u = [np.where(np.abs(u - n) < 1, at_n, np.inf) for n, at_n in costs.items()]
    best = np.array(list(costs))[np.argmin(next_to_u, axis=0)]
    np.testing.assert_array_equal(k, best)
    assert (k != np.rint(u)).any()


def test_e8_points_are_chosen_by_distance_and_bits() -> None:
    """Against all 2 x 128 points around each of twelve blocks."""
    index = make_table_index()
    points = E8Points(index, {name: value.numpy() for name, value in e8_state(index, 8).items()})
    u, mean, scale = step(1, 8 * 12, (10, 30))
    chosen = points._cheapest(u.reshape(-1, 8), mean.reshape(-1, 8), scale.reshape(-1, 8), WEIGHT)
    for block, d in enumerate(chosen):
        part = slice(8 * block, 8 * block + 8)
        found = point_cost(points, index.tables, u[part], mean[part], scale[part], d)
        assert found == pytest.approx(min(candidate_costs(points, index.tables, u[part], mean[part], scale[part])))


def point_cost(points: E8Points, tables: Tables, u: Float32, mean: Int32, scale: Int32, d: Int32) -> float:
    """Squared distance + WEIGHT x bits of the point with doubled coordinates d [8]."""
    coset = int(d[0]) & 1
    ids, base, _ = points.locate(mean, scale, coset)
    return float(((u - d / 2) ** 2 + WEIGHT * symbol_bits((d - coset) // 2 - base, ids, tables)).sum())


def candidate_costs(points: E8Points, tables: Tables, u: Float32, mean: Int32, scale: Int32) -> list[float]:
    costs = []
    for coset, up in itertools.product((0, 1), itertools.product((0, 1), repeat=8)):
        n = np.floor(u - coset / 2).astype(np.int32) + np.array(up, dtype=np.int32)
        if n.sum() % 2 == 0:
            costs.append(point_cost(points, tables, u, mean, scale, 2 * n + coset))
    return costs
