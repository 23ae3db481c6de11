"""What a GPU wants done before a training, as far as a processor can show it."""

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from recorded_pass import one_pass
from short_runs import QUICK
from torch.utils._python_dispatch import TorchDispatchMode

from latticecodec.config import PRESETS
from latticecodec.lab.nets import Synthesis, bits
from latticecodec.lab.nets.blocks import Grouped
from latticecodec.lab.training.accelerate import COMPILED, accelerated, choose_convolution
from latticecodec.lab.training.data import Crops
from latticecodec.lab.training.kinds.lattice import LatticeModel
from latticecodec.lab.training.loop import train
from latticecodec.lab.training.progress import Progress
from latticecodec.lab.training.synthetic import synthetic_picture

pytestmark = pytest.mark.usefixtures("one_thread", "small_validation")
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


class Waiting(TorchDispatchMode):
    """Counts what a processor would wait for a GPU for: numbers, and shapes that depend on numbers."""

    FETCHES = ("_local_scalar_dense", "nonzero", "equal", "masked_select")

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Called with every operation."""
        self.count += func.overloadpacket.__name__ in self.FETCHES
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("tune", ["psnr", "ssimulacra2"])
def test_nothing_is_fetched_between_looks(tune: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a training on a GPU; the rates and the seed of a step's noise are drawn on the processor."""
    monkeypatch.setattr("latticecodec.lab.training.loop.LOOK", 3)
    monkeypatch.setattr("latticecodec.lab.training.loop.drawn_rates", lambda count, generator: (torch.rand(count), 0))
    crops = Crops([synthetic_picture(0, 64, 64)], 64, 2)
    model = LatticeModel(dataclasses.replace(PRESETS["lc-test"], tune=tune))
    options = dataclasses.replace(QUICK, steps=7, tune=tune, validate_every=100, checkpoint_minutes=10.0)
    waiting, counts = Waiting(), Counter[int]()

    def report(progress: Progress) -> None:
        counts[progress.step] = waiting.count
        waiting.count = 0

    with waiting:
        train(model, crops, [synthetic_picture(1, 64, 64)], tmp_path, options, CPU, report=report)
    assert [step for step in range(2, 8) if counts[step]] == [
        3,
        5,
        6,
        7,
    ]  # looks, the fall, the end; before 1 it begins


def test_a_pass_gives_the_gradients_of_its_batch_alone() -> None:
    model = LatticeModel(PRESETS["lc-test"])
    work = one_pass(model, CPU)
    batches = torch.randint(256, (2, 2, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    t = torch.tensor([0.2, 0.7])
    loss, bpp, mse = work(batches[1], t, 5)
    wanted = [parameter.grad for parameter in model.parameters()]
    work(batches[0], t, 6)
    assert work(batches[1], t, 5) == (loss, bpp, mse)
    for parameter, gradient in zip(model.parameters(), wanted, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_what_is_compiled_has_the_gradients_of_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameter by parameter: a sum over all of them does not show that one part no longer learns."""
    batch = torch.randint(256, (2, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    gradients = []
    for compiled in (False, True):
        torch.manual_seed(0)
        model = LatticeModel(PRESETS["lc-test"])
        if compiled:
            for part in model.modules():
                if isinstance(part, COMPILED):
                    part.compile(backend="aot_eager")
            compute = torch.compile(bits.bits_and_slopes, backend="aot_eager")
            monkeypatch.setattr("latticecodec.lab.nets.bits.bits_and_slopes", compute)
        one_pass(model, CPU)(batch, torch.tensor([0.2, 0.7]), 5)
        gradients.append({name: value.grad for name, value in model.named_parameters()})
    alone, together = gradients
    for name, gradient in alone.items():
        assert float((together[name] - gradient).norm()) <= 0.05 * float(gradient.norm()) + 1e-9, name
