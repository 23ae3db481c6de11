"""What a GPU wants done before a training, as far as a processor can show it."""

import pytest
import torch

from latticecodec.config import PRESETS
from latticecodec.networks import Synthesis
from latticecodec.networks.blocks import Grouped
from latticecodec.training.accelerate import accelerated, choose_convolution

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")


@pytest.mark.parametrize("group", [1, 4, 12])
def test_a_dense_convolution_computes_the_same(group: int) -> None:
    layer = Grouped(12, group)
    x = torch.randn(2, 12, 5, 7, requires_grad=True)
    found = []
    for layer.dense in (False, True):
        out = layer(x)
        found.append((out, *torch.autograd.grad(out.square().sum(), (x, layer.weight, layer.bias))))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_the_faster_way_is_taken_for_each_width() -> None:
    network = Synthesis(PRESETS["lc-test"])
    ratios = choose_convolution(network, crop=64, batch=1, device=CPU)
    layers = [layer for layer in network.modules() if isinstance(layer, Grouped)]
    assert set(ratios) == {len(layer.weight) for layer in layers}
    assert all(layer.dense == (ratios[len(layer.weight)] < 1) for layer in layers)


def test_nothing_changes_on_a_processor() -> None:
    network = Synthesis(PRESETS["lc-test"])
    with accelerated(network, 64, 1, CPU):
        assert not any(layer.dense for layer in network.modules() if isinstance(layer, Grouped))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_cuda_trains_a_step_as_the_processor_does() -> None:
    from latticecodec.training.loop import objective
    from latticecodec.training.model import TrainableModel

    torch.manual_seed(0)
    model = TrainableModel(PRESETS["lc-test"])
    x = torch.rand(2, 3, 64, 64)
    model.eval()
    here = [float(value) for value in objective(model, x, torch.Generator().manual_seed(0))[1:]]
    cuda = torch.device("cuda")
    with accelerated(model.to(cuda), 64, 2, cuda):
        there = [float(value) for value in objective(model, x.to(cuda), torch.Generator().manual_seed(0))[1:]]
    assert there == pytest.approx(here, rel=0.05)  # other noise, bfloat16
