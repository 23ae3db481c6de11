"""How codebooks of vector quantizers learn: gradients, moving averages, k-means, dead codes."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn
from vector_examples import clusters, every_kind, fixed, rows, running

from latticecodec.errors import TrainingError
from latticecodec.lab.quantizers import ProductQuantizer, VectorQuantizer, kmeans, usage
from latticecodec.lab.quantizers.vector import KMEANS_ITERATIONS, step_generator


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


def test_penalties_decide_what_is_learnt() -> None:
    layer = running(torch.tensor([[0.0], [1.0]]), counts=[4.0, 4.0], decay=0.5)
    layer(torch.tensor([[1.0]] * 4), torch.tensor([0.0, 9.0]))
    torch.testing.assert_close(layer.counts, torch.tensor([0.5 * 4 + 0.5 * 4, 0.5 * 4]))


def test_a_codebook_begins_with_counts() -> None:
    """The first average weighs the rows that came before."""
    layer = VectorQuantizer(2, 1, decay=0.9)
    layer.begin_at(torch.tensor([[0.0], [10.0]]), torch.tensor([3.0, 1.0]))
    layer(torch.tensor([[1.0], [1.0], [1.0], [10.0]]))
    torch.testing.assert_close(layer.counts, torch.tensor([3.0, 1.0]))
    torch.testing.assert_close(layer.codebook, torch.tensor([[0.1], [10.0]]), rtol=1e-4, atol=1e-4)


def test_bits_are_those_of_the_moving_counts() -> None:
    layer = running(torch.tensor([[0.0], [1.0], [2.0]]), counts=[8.0, 4.0, 4.0])
    torch.testing.assert_close(layer.bits(), torch.tensor([1.0, 2.0, 2.0]))
    layer.begin_at(torch.zeros(3, 1))
    torch.testing.assert_close(layer.bits(), torch.full((3,), 3.0).log2())
