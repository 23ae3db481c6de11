"""Vector quantization: nearest codewords, penalties, learning, dead codes, products and residuals."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from latticecodec.errors import FormatError, TargetError, TrainingError
from latticecodec.lab.quantizers import ProductQuantizer, ResidualQuantizer, VectorQuantizer, codewords, kmeans, usage
from latticecodec.lab.quantizers.composite import product_of
from latticecodec.lab.quantizers.vector import KMEANS_ITERATIONS, step_generator


def rows(count: int, dimensions: int, seed: int = 0) -> Tensor:
    return torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed))


def clusters(centres: Tensor, each: int, seed: int = 0) -> Tensor:
    """`each` rows about every centre, in random order."""
    z = centres.repeat(each, 1)
    z = z + 0.05 * rows(len(z), z.shape[1], seed)
    return z[torch.randperm(len(z), generator=torch.Generator().manual_seed(seed))]


def fixed(codebook: Tensor, **options: object) -> VectorQuantizer:
    """A quantizer in eval mode with a codebook of our own."""
    layer = VectorQuantizer(*codebook.shape, **options)
    layer.codebook.data.copy_(codebook)
    return layer.eval()


def running(codebook: Tensor, counts: list[float], **options: object) -> VectorQuantizer:
    """A quantizer in the middle of training by moving averages: each codeword is the average of `counts` rows."""
    layer = fixed(codebook, **options).train()
    layer.counts.copy_(torch.tensor(counts))
    layer.sums.copy_(codebook * layer.smoothed_counts()[:, None])
    layer.steps.fill_(1)
    return layer


EXAMPLES: dict[str, Callable[[], nn.Module]] = {
    "ema": lambda: VectorQuantizer(8, 4),
    "gradient": lambda: VectorQuantizer(8, 4, update="gradient"),
    "cosine": lambda: VectorQuantizer(8, 4, cosine=True),
    "cosine, gradient": lambda: VectorQuantizer(8, 4, update="gradient", cosine=True),
    "product": lambda: ProductQuantizer([VectorQuantizer(8, 1, seed=0), VectorQuantizer(6, 3, seed=1)]),
    "residual": lambda: ResidualQuantizer([VectorQuantizer(8, 4, seed=s) for s in range(3)]),
}
every_kind = pytest.mark.parametrize("make", EXAMPLES.values(), ids=EXAMPLES)


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

    def watched(rows: Tensor, columns: Tensor) -> Tensor:
        table = mm(rows, columns)
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


def test_penalties_decide_what_is_learnt() -> None:
    layer = running(torch.tensor([[0.0], [1.0]]), counts=[4.0, 4.0], decay=0.5)
    layer(torch.tensor([[1.0]] * 4), torch.tensor([0.0, 9.0]))
    torch.testing.assert_close(layer.counts, torch.tensor([0.5 * 4 + 0.5 * 4, 0.5 * 4]))


@pytest.mark.parametrize("of_rows", [True, False])
def test_a_product_has_a_penalty_for_each_slice(of_rows: bool) -> None:
    layer, z = EXAMPLES["product"]().eval(), rows(20, 4)
    penalties = [3 * rows(20, codes, seed=codes) for codes in (8, 6)]
    penalties = penalties if of_rows else [penalty[0] for penalty in penalties]
    indices = layer.quantize(z, penalties=penalties)
    parts = zip(layer.quantizers, (z[:, :1], z[:, 1:]), penalties, strict=True)
    assert torch.equal(indices, torch.stack([vq.quantize(part, penalty) for vq, part, penalty in parts], 1))
    assert torch.equal(layer(z, penalties=penalties).indices, indices)
    assert torch.equal(layer.quantize(z, 1, penalties), indices[:, :1])
    assert not torch.equal(layer.quantize(z), indices)


def test_bits_are_those_of_the_moving_counts() -> None:
    layer = running(torch.tensor([[0.0], [1.0], [2.0]]), counts=[8.0, 4.0, 4.0])
    torch.testing.assert_close(layer.bits(), torch.tensor([1.0, 2.0, 2.0]))
    layer.begin_at(torch.zeros(3, 1))
    torch.testing.assert_close(layer.bits(), torch.full((3,), 3.0).log2())


def test_a_codebook_begins_with_counts() -> None:
    """The first average weighs the rows that came before."""
    layer = VectorQuantizer(2, 1, decay=0.9)
    layer.begin_at(torch.tensor([[0.0], [10.0]]), torch.tensor([3.0, 1.0]))
    layer(torch.tensor([[1.0], [1.0], [1.0], [10.0]]))
    torch.testing.assert_close(layer.counts, torch.tensor([3.0, 1.0]))
    torch.testing.assert_close(layer.codebook, torch.tensor([[0.1], [10.0]]), rtol=1e-4, atol=1e-4)


# --- learning -----------------------------------------------------------------------------------------------------


@every_kind
def test_training_values_are_codewords_and_pass_the_gradient(make: Callable[[], nn.Module]) -> None:
    layer, z = make(), rows(64, 4).requires_grad_()
    layer(z[:5])  # the second batch revives dead codes
    result = layer(z)
    weights = rows(64, 4, seed=1)
    (gradient,) = torch.autograd.grad((result.values * weights).sum(), z, retain_graph=True)
    assert bool((gradient != 0).any(1).all())
    if not getattr(layer, "cosine", False):
        torch.testing.assert_close(gradient, weights)  # straight through
    assert float(result.loss.detach()) > 0
    result.loss.backward()
    assert torch.equal(layer.eval()(z).values, layer.dequantize(layer.quantize(z)))


def test_loss_of_equation_3() -> None:
    z = torch.tensor([[1.0, 1.0], [4.0, 0.0]], requires_grad=True)
    layer = fixed(torch.tensor([[0.0, 0.0], [5.0, 0.0]]), update="gradient", commitment=0.5)
    result = layer(z)
    assert float(result.loss.detach()) == pytest.approx((1 + 0.5) * (1 + 1 + 1 + 0) / 4)
    result.loss.backward()
    torch.testing.assert_close(z.grad, 0.5 * 2 * torch.tensor([[1.0, 1.0], [-1.0, 0.0]]) / 4)
    torch.testing.assert_close(layer.codebook.grad, 2 * torch.tensor([[-1.0, -1.0], [1.0, 0.0]]) / 4)
    assert float(fixed(layer.codebook.data, commitment=0.5)(z.detach()).loss) == pytest.approx(0.5 * 3 / 4)


def test_moving_averages_by_hand() -> None:
    layer = running(torch.tensor([[0.0], [10.0]]), counts=[2.0, 1.0], decay=0.9)
    layer.sums.copy_(torch.tensor([[0.0], [10.0]]))
    layer(torch.tensor([[1.0], [2.0], [3.0], [12.0]]))
    torch.testing.assert_close(layer.counts, torch.tensor([0.9 * 2 + 0.1 * 3, 0.9 * 1 + 0.1 * 1]))
    sums = torch.tensor([[0.9 * 0 + 0.1 * 6], [0.9 * 10 + 0.1 * 12]])
    torch.testing.assert_close(layer.sums, sums)
    e, n = 1e-5, 2.1 + 1.0
    smoothed = torch.tensor([[(2.1 + e) / (n + 2 * e) * n], [(1.0 + e) / (n + 2 * e) * n]])
    torch.testing.assert_close(layer.codebook, sums / smoothed)


def test_an_update_with_its_own_cluster_means_leaves_the_codebook() -> None:
    """Right only if the first averages weigh as many rows as the k-means clusters have, here 2 to 8."""
    centres = 4 * rows(8, 3, seed=3)
    z = torch.cat([centre + 0.05 * rows(1 + i, 3, seed=i) for i, centre in enumerate(centres)])
    means, sizes = kmeans(z, 8, KMEANS_ITERATIONS, step_generator(0, 0))
    assert (sizes.min(), sizes.max()) == (2, 8)
    layer = VectorQuantizer(8, 3)
    for _ in range(20):
        layer(z)
        torch.testing.assert_close(layer.codebook, means, rtol=3e-6, atol=3e-6)
        torch.testing.assert_close(layer.counts, sizes)


def test_the_first_batch_sets_the_codebook_by_k_means() -> None:
    centres = 4 * rows(12, 6, seed=3)
    layer = VectorQuantizer(12, 6)
    z = clusters(centres, 40)
    assert usage(layer(z).indices, 12).share_used == 1.0  # no collapse
    for step in range(30):
        result = layer(clusters(centres, 40, seed=step))
    assert usage(result.indices, 12).share_used == 1.0


def test_k_means_with_fewer_rows_than_codes() -> None:
    z = rows(3, 2)
    means, sizes = kmeans(z, 5, 10, torch.Generator().manual_seed(0))
    assert sorted(sizes.tolist()) == [0, 0, 1, 1, 1]
    assert {tuple(mean) for mean in means.tolist()} == {tuple(row) for row in z.tolist()}
    layer = VectorQuantizer(5, 2)
    layer(z)
    result = layer(100 + rows(64, 2))  # the codes of empty clusters move to rows of the next batch
    assert usage(result.indices, 5).share_used == pytest.approx(2 / 5)
    assert bool(layer.codebook.isfinite().all())


@pytest.mark.parametrize("update", ["ema", "gradient"])
def test_dead_codes_are_revived_and_stay_alive(update: str) -> None:
    layer = VectorQuantizer(4, 2, update=update)
    centres = torch.tensor([[5.0, 0.0], [0.0, 5.0], [-5.0, 0.0], [0.0, -5.0]])
    layer(clusters(centres, 20))
    with torch.no_grad():
        layer.codebook[3] = 1e3
        layer.counts[3] = 0.0
        if update == "ema":
            layer.sums[3] = 0.0
    for step in range(3):
        z = clusters(centres, 20, seed=step)
        result = layer(z)
        assert usage(result.indices, 4).dead == 0
        assert bool((layer.codebook[3].abs() < 10).all())
        assert float(layer.counts[3]) > 10  # of about 20 rows a code
        if update == "ema":
            torch.testing.assert_close(layer.sums[3] / layer.counts[3], layer.codebook[3], rtol=1e-4, atol=1e-4)


def test_at_most_one_code_is_revived_for_a_row() -> None:
    layer = running(torch.full((6, 1), 50.0), counts=[6.0, 0, 0, 0, 0, 0])
    layer(torch.tensor([[1.0], [2.0]]))
    torch.testing.assert_close(layer.codebook.flatten().sort().values[:2], torch.tensor([1.0, 2.0]))
    assert int((layer.codebook > 2.1).sum()) == 4


def test_every_step_revives_by_its_own_draw() -> None:
    draws = []
    for step in range(1, 9):
        layer = running(torch.zeros(2, 1), counts=[6.0, 0.0])
        layer.steps.fill_(step)
        layer(torch.arange(1.0, 101.0)[:, None])
        draws.append(float(layer.codebook[1]))
    assert len({round(draw) for draw in draws}) > 4


def test_nothing_is_revived_at_threshold_0() -> None:
    layer = running(torch.tensor([[0.0], [50.0]]), counts=[5.0, 1e-3], revive_below=0.0)
    layer(torch.zeros(8, 1))
    assert float(layer.codebook[1]) > 40


@every_kind
def test_eval_is_repeatable_and_changes_nothing(make: Callable[[], nn.Module]) -> None:
    layer, z = make(), rows(64, 4)
    layer(z)
    layer.eval()
    before = copy.deepcopy(layer.state_dict())
    first, second = layer(z + 1), layer(z + 1)
    assert torch.equal(first.values, second.values)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


@every_kind
def test_a_checkpoint_continues_to_the_same_result(make: Callable[[], nn.Module]) -> None:
    straight = make()
    for step in range(2):
        straight(rows(5, 4, seed=step))  # fewer rows than codes: codes are dead and revived at random
    resumed = make()
    resumed.load_state_dict(copy.deepcopy(straight.state_dict()))
    torch.manual_seed(99)  # of no concern to the layers
    for step in range(2, 5):
        a, b = straight(rows(5, 4, seed=step)), resumed(rows(5, 4, seed=step))
        assert torch.equal(a.values, b.values)
        assert torch.equal(a.indices, b.indices)
    states = zip(straight.state_dict().values(), resumed.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in states)


def test_seeds_differ() -> None:
    assert not torch.equal(VectorQuantizer(8, 4, seed=0).codebook, VectorQuantizer(8, 4, seed=1).codebook)


def test_learnable_numbers() -> None:
    assert sum(p.numel() for p in VectorQuantizer(8, 4).parameters()) == 0
    assert dict(VectorQuantizer(8, 4).named_buffers())["codebook"].shape == (8, 4)
    assert sum(p.numel() for p in VectorQuantizer(8, 4, update="gradient").parameters()) == 8 * 4


def test_options_that_make_no_codebook() -> None:
    with pytest.raises(TrainingError, match="0 codewords in 4 dimensions"):
        VectorQuantizer(0, 4)
    with pytest.raises(TrainingError, match="must be 'ema' or 'gradient'"):
        VectorQuantizer(8, 4, update="adam")
    with pytest.raises(TrainingError, match="at least one quantizer"):
        ProductQuantizer([])


# --- products and residuals ---------------------------------------------------------------------------------------


def test_a_product_codes_slices() -> None:
    layer, z = EXAMPLES["product"]().eval(), rows(20, 4)
    indices = layer.quantize(z)
    assert torch.equal(indices[:, 0], layer.quantizers[0].quantize(z[:, :1]))
    assert torch.equal(indices[:, 1], layer.quantizers[1].quantize(z[:, 1:]))
    assert torch.equal(layer.dequantize(indices)[:, 1:], layer.quantizers[1].dequantize(indices[:, 1]))


def test_a_product_of_given_codebooks() -> None:
    layer = product_of([torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0, 1.0], [5.0, 5.0], [9.0, 9.0]])])
    assert layer.quantize(torch.tensor([[1.9, 8.0, 9.0]])).tolist() == [[1, 2]]
    assert layer.dequantize(torch.tensor([[0, 1]])).tolist() == [[1.0, 5.0, 5.0]]
    assert [part.shape for part in layer.slices(rows(7, 3))] == [(7, 1), (7, 2)]


def test_a_residual_codes_what_is_left() -> None:
    layer, z = EXAMPLES["residual"]().eval(), rows(20, 4)
    left = z
    for stage, column in zip(layer.quantizers, layer.quantize(z).unbind(1), strict=True):
        assert torch.equal(column, stage.quantize(left))
        left = left - stage.dequantize(column)
    torch.testing.assert_close(z - left, layer.dequantize(layer.quantize(z)))


def test_every_residual_stage_has_a_commitment_gradient() -> None:
    layer, z = EXAMPLES["residual"](), rows(64, 4)
    losses = []
    for groups in (1, 2, 3):
        leaf = z.clone().requires_grad_()
        layer.eval()(leaf, groups).loss.backward()
        losses.append(leaf.grad)
    assert not torch.allclose(losses[0], 2 * losses[1])
    assert not torch.allclose(2 * losses[1], 3 * losses[2])


@pytest.mark.parametrize("kind", ["product", "residual"])
def test_fewer_groups_are_a_lower_rate_of_the_same_model(kind: str) -> None:
    layer, z = EXAMPLES[kind](), rows(400, 4)
    for _ in range(3):
        layer(z)
    layer.eval()
    every = layer.quantize(z)
    errors = []
    for groups in range(1, every.shape[1] + 1):
        result = layer(z, groups)
        assert torch.equal(result.indices, every[:, :groups])
        assert torch.equal(layer.quantize(z, groups), every[:, :groups])
        assert torch.equal(layer.dequantize(every[:, :groups]), result.values)
        errors.append(float((z - result.values).square().mean()))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.7 * errors[0]


def test_group_counts_out_of_range() -> None:
    layer = EXAMPLES["residual"]()
    for groups in (0, 4):
        with pytest.raises(TargetError, match=f"{groups} groups asked of a quantizer with 1 to 3"):
            layer.quantize(rows(2, 4), groups)
    with pytest.raises(FormatError, match=r"shape \(2, 4\)"):
        layer.dequantize(torch.zeros(2, 4, dtype=torch.int64))
