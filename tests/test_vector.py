"""Vector quantization: nearest codewords, and penalties on their distances."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from vector_examples import every_kind, fixed, rows

from latticecodec.errors import FormatError
from latticecodec.lab.quantizers import ResidualQuantizer, VectorQuantizer, codewords

# --- nearest codeword ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("far", [0.0, 1000.0])
def test_the_nearest_codeword_is_that_of_brute_force(far: float) -> None:
    z, codebook = rows(500, 3) + far, rows(40, 3, seed=1) + far
    distances = (z[:, None].double() - codebook.double()).square().sum(2)
    assert torch.equal(fixed(codebook).quantize(z), distances.argmin(1))


@pytest.mark.parametrize("count", [1, 2, 50])
def test_the_nearest_number_is_that_of_brute_force(count: int) -> None:
    """Codewords of one dimension are sorted and searched; some occur twice, and rows lie halfway between."""
    generator = torch.Generator().manual_seed(count)
    codebook = torch.randint(-20, 20, (count, 1), generator=generator).float()  # [K, 1]
    z = torch.cat([torch.randint(-50, 50, (200, 1), generator=generator) / 2, torch.tensor([[float("nan")]])])  # [N, 1]
    distances = (z - codebook.T).square()  # [N, K]
    assert codewords.nearest(z, codebook).tolist() == distances.argmin(1).tolist()


def test_cosine_looks_at_directions_alone() -> None:
    layer = fixed(torch.tensor([[9.0, 0.0], [0.0, 0.1]]), cosine=True)
    indices = layer.quantize(torch.tensor([[0.1, 0.2], [30.0, 2.0]]))
    assert indices.tolist() == [1, 0]
    assert layer.dequantize(indices).tolist() == [[0.0, 1.0], [1.0, 0.0]]  # codewords at unit length


def test_the_lowest_index_wins_a_tie_and_a_nan_gets_index_0() -> None:
    layer = fixed(torch.tensor([[5.0], [1.0], [-1.0], [1.0]]))
    assert layer.quantize(torch.tensor([[0.0], [1.0], [float("nan")]])).tolist() == [1, 1, 0]


def test_no_table_of_all_distances_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    tables: list[int] = []
    mm = torch.mm

    def watched(rows: Tensor, columns: Tensor, out: Tensor) -> Tensor:
        table = mm(rows, columns, out=out)
        tables.append(table.numel())
        return table

    monkeypatch.setattr(torch, "mm", watched)
    z, codebook = rows(512, 2), rows(65536, 2, seed=1)
    layer = fixed(codebook)
    indices = layer.quantize(z)
    assert len(tables) == 256
    assert max(tables) <= codewords.TABLE_ENTRIES == 2**17
    monkeypatch.setattr(codewords, "TABLE_ENTRIES", 1)
    assert torch.equal(layer.quantize(z[:8]), indices[:8])


@every_kind
def test_autocast_changes_no_index(make: Callable[[], nn.Module]) -> None:
    z = rows(256, 4) + 3
    layers = make(), make()
    plain = layers[0](z)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = layers[1](z)
    assert torch.equal(mixed.indices, plain.indices)
    assert torch.equal(mixed.values, plain.values)
    assert mixed.values.dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layers[0].quantize(z), layers[1].quantize(z))


@every_kind
def test_index_code_index_is_the_identity(make: Callable[[], nn.Module]) -> None:
    layer = make()
    if isinstance(layer, ResidualQuantizer):  # holds where later stages stay within the cells of earlier ones
        for scale, stage in zip((100, 10, 1), layer.quantizers, strict=True):
            stage.codebook.copy_(scale * torch.cat([torch.eye(4), -torch.eye(4)]))
    sizes = [book.codes for book in layer.modules() if isinstance(book, VectorQuantizer)]
    columns = [torch.arange(48) * (3 + 2 * i) % size for i, size in enumerate(sizes)]
    indices = columns[0] if isinstance(layer, VectorQuantizer) else torch.stack(columns, 1)
    assert torch.equal(layer.quantize(layer.dequantize(indices)), indices)


@every_kind
def test_an_index_outside_the_alphabet_is_an_error(make: Callable[[], nn.Module]) -> None:
    layer = make()
    indices = layer.quantize(rows(5, 4))
    for wrong in (-1, 8):
        bad = indices.clone()
        bad.view(-1)[-1] = wrong
        with pytest.raises(FormatError, match=f"index {wrong} is outside the codebook: it has codewords 0 to "):
            layer.dequantize(bad)


# --- penalties ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(40,), (300, 40)])
def test_a_penalty_is_added_to_the_squared_distances(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """One for each code, or one for each row and code; in blocks of rows as well."""
    z, codebook = rows(300, 3), rows(40, 3, seed=1)
    penalty = 2 * torch.rand(shape, generator=torch.Generator().manual_seed(2))
    costs = (z[:, None] - codebook).square().sum(2) + penalty
    layer = fixed(codebook)
    assert torch.equal(layer.quantize(z, penalty), costs.argmin(1))
    assert torch.equal(layer(z, penalty).indices, costs.argmin(1))
    assert not torch.equal(layer.quantize(z), costs.argmin(1))
    monkeypatch.setattr(codewords, "TABLE_ENTRIES", 7 * 40)
    assert torch.equal(layer.quantize(z, penalty), costs.argmin(1))


def test_a_penalty_by_hand() -> None:
    layer = fixed(torch.tensor([[0.0], [1.0]]))
    z = torch.tensor([[0.4], [0.6]])  # squared distances 0.16, 0.36 and 0.36, 0.16
    assert layer.quantize(z).tolist() == [0, 1]
    assert layer.quantize(z, torch.tensor([0.0, 0.3])).tolist() == [0, 0]
    assert layer.quantize(z, torch.tensor([[0.3, 0.0], [0.0, 0.1]])).tolist() == [1, 1]
