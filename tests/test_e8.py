"""The E8 model: points in blocks of eight, coded under their parity; its threshold and its tie to the base model."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from latticecodec import ModelError, TrainingError, load, read_header
from latticecodec.entropy.coder import Int32
from latticecodec.entropy.conway_sloane import is_e8
from latticecodec.entropy.e8 import E8Points
from latticecodec.entropy.numbers import LOG_SCALE_MIN, SCALE_COUNT
from latticecodec.entropy.stream import Reader, Writer
from latticecodec.lab.nets.e8_state import e8_state, one_parity
from latticecodec.lab.nets.tables import make_table_index
from latticecodec.lab.training.kinds.lattice_e8 import make_e8
from latticecodec.zoo import find

THRESHOLD = 8  # sigma 0.29 steps


@pytest.fixture(scope="module")
def points() -> E8Points:
    index = make_table_index()
    return E8Points(index, {name: value.numpy() for name, value in e8_state(index, THRESHOLD).items()})


def _picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)


def gaussian_step(seed: int, count: int) -> tuple[np.ndarray, Int32, Int32]:
    """Coordinates that follow the prior's predictions: unrounded u [N], mean outputs, scale indices."""
    random = np.random.default_rng(seed)
    mean = random.integers(-100, 101, count).astype(np.int32)
    scale = random.integers(0, 40, count).astype(np.int32)
    u = np.sinh(mean / 64) + np.exp(LOG_SCALE_MIN + scale / 8) * random.standard_normal(count)
    return u.astype(np.float32), mean, scale


def write(points: E8Points, u: np.ndarray, mean: Int32, scale: Int32) -> tuple[Int32, bytes, float]:
    """Coordinates, bytes and estimated bits of one step."""
    writer = Writer(points.tables)
    d = points.choose(u, mean, scale)
    points.write(d, mean, scale, writer)
    return d, writer.finish(), writer.bits


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 4001])
def test_reading_mirrors_writing(points: E8Points, count: int) -> None:
    u, mean, scale = gaussian_step(count, count)
    d, data, _ = write(points, u, mean, scale)
    np.testing.assert_array_equal(points.read(mean, scale, Reader(data, points.tables)), d)
    assert np.abs(d / 2 - u).max(initial=0) <= 1.0  # the covering radius of E8 is 1


def test_blocks_are_e8_points_and_the_rest_integers(points: E8Points) -> None:
    u, mean, scale = gaussian_step(1, 4000)
    d, _, _ = write(points, u, mean, scale)
    alone, blocks = points._split(scale)
    assert scale[blocks].min() >= THRESHOLD
    assert len(alone) + blocks.size == 4000
    assert (scale[alone] >= THRESHOLD).sum() < 8
    assert (d[alone] % 2 == 0).all()
    assert is_e8(d[blocks]).all()
    assert set((d[blocks] & 1).mean(1)) == {0.0, 1.0}  # both cosets


def test_far_coordinates_stay_in_the_format(points: E8Points) -> None:
    u = np.array([1e9, -1e9] * 8, dtype=np.float32)
    mean, scale = np.zeros(16, dtype=np.int32), np.full(16, SCALE_COUNT - 1, dtype=np.int32)
    d, data, _ = write(points, u, mean, scale)
    assert np.abs(d).max() <= 32767
    np.testing.assert_array_equal(points.read(mean, scale, Reader(data, points.tables)), d)


@pytest.mark.parametrize("scale_index", [THRESHOLD, 12, 16, 28])
def test_coding_costs_what_the_joint_distribution_says(points: E8Points, scale_index: int) -> None:
    """Within 0.3 % of the entropy of the points under the joint model: coset and coordinates of even sum."""
    random = np.random.default_rng(scale_index)
    count = 8 * 4000
    mean = random.integers(-100, 101, count).astype(np.int32)
    scale = np.full(count, scale_index, dtype=np.int32)
    sigma = np.exp(LOG_SCALE_MIN + scale_index / 8)
    u = (np.sinh(mean / 64) + sigma * random.standard_normal(count)).astype(np.float32)
    d, data, bits = write(points, u, mean, scale)
    assert 8 * len(data) == pytest.approx(bits, abs=64 + 1e-3 * bits)
    _, blocks = points._split(scale)
    coset = d[blocks[:, 0]] & 1  # [B]
    mass, even = np.zeros((2, 2, len(blocks)))  # by coset: log2 of the mass of these eight integers; mass of even sums
    for c in (0, 1):
        ids, base, _ = points.locate(mean[blocks], scale[blocks], c)
        n = (d[blocks] - c) >> 1
        signed = np.ones(len(blocks))
        for column in range(8):
            rows = [_row(points, int(table)) for table in ids[:, column]]
            at = n[:, column] - base[:, column]
            mass[c] += [np.log2(row[r + (len(row) - 2) // 2]) for row, r in zip(rows, at, strict=True)]
            signed *= [_balance(row, int(start)) for row, start in zip(rows, base[:, column], strict=True)]
        even[c] = (1 + signed) / 2
    true_bits = (np.log2(even.sum(0)) - np.where(coset == 1, mass[1], mass[0])).sum()
    assert bits <= 1.003 * true_bits


def _balance(row: np.ndarray, base: int) -> float:
    """P(even) - P(odd) of base + residual."""
    half = (len(row) - 2) // 2
    return float((row[:-1] * (-1.0) ** (np.arange(-half, half + 1) + base)).sum())


def _row(points: E8Points, table: int) -> np.ndarray:
    frequencies, offsets = points.index.tables.frequencies, points.index.tables.offsets
    return frequencies[offsets[table] : offsets[table + 1]] / 2**24


def test_tables_of_one_parity() -> None:
    row = np.array([1, 2, 3, 10, 5, 4, 2, 1]) * 2**19  # residuals -3..3, escape
    row[3] += 2**24 - row.sum()
    even, odd = one_parity(row, 0), one_parity(row, 1)
    assert even.sum() == odd.sum() == 2**24
    assert len(even) == 4  # j = -1, 0, 1: residuals -2, 0, 2
    assert even[1] / even[0] == pytest.approx(row[3] / row[1], rel=1e-4)
    assert len(odd) == 6  # j = -2..2: residuals -3, -1, 1, 3 and 5, which the other table cannot code
    assert odd[2] / odd[1] == pytest.approx(row[4] / row[2], rel=1e-4)


def test_a_picture_comes_back_and_says_what_it_is(tiny_e8: Path) -> None:
    codec = load(tiny_e8, device="cpu")
    data = codec.encode(_picture(), quality=90)
    assert codec.decode(data).size == (64, 64)
    indices = codec.decode_indices(data)
    np.testing.assert_array_equal(codec.to_indices(_picture(), quality=90), indices)
    assert (indices % 2).any()  # some half-integers
    redrawn = codec.from_indices(indices, quality=90)
    np.testing.assert_array_equal(np.asarray(redrawn), np.asarray(codec.decode(data)))
    header = read_header(data)
    assert (header.quantizer, header.family, header.model) == (1, 3, find(tiny_e8).digest)


def test_the_base_must_be_the_one_it_was_made_for(tiny_e8: Path, tmp_path: Path) -> None:
    folder = tmp_path / "moved"
    shutil.copytree(tiny_e8.parent, folder)
    config = json.loads((folder / "lattice" / "config.json").read_text())
    (folder / "lattice" / "config.json").write_text(json.dumps(config | {"weights_sha256": "ab" * 32}))
    with pytest.raises(ModelError, match=r"its base 'lattice' with the weights .* is not there"):
        load(folder / "lattice-e8", device="cpu")
    shutil.rmtree(folder / "lattice")
    with pytest.raises(ModelError, match="is not there"):
        load(folder / "lattice-e8", device="cpu")


def test_the_card_names_the_very_base(tiny_e8: Path) -> None:
    """Whose name `lattice` means another one."""
    given = re.search(r"--init-from (\S+)", (tiny_e8 / "README.md").read_text())
    assert given
    assert find(given[1]) == find(tiny_e8.parent / "lattice")


def test_a_base_that_is_not_installed_is_stored_with_it(tiny_model: Path, tmp_path: Path) -> None:
    make_e8(find(tiny_model), [_picture()], tmp_path / "run" / "model", thresholds=[THRESHOLD])
    info = find(tmp_path / "run" / "model")
    assert info.config.base == ""
    assert load(info.folder, device="cpu").decode(load(info.folder, device="cpu").encode(_picture())).size == (64, 64)


def test_only_a_diagonal_lattice_has_an_e8_twin(tiny_e8: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="needs one with 'lattice'"):
        make_e8(find(tiny_e8), [_picture()], tmp_path / "again")
