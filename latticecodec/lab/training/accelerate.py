"""What a GPU wants done before a training: the faster of two ways to convolve, and compiled blocks."""

import contextlib
import time
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ..arithmetic import mixed_precision
from ..nets import bits
from ..nets.blocks import Block, Grouped
from ..nets.prior import Context, HyperDecoder

COMPILED = (Block, Context, HyperDecoder)  # most of a step
SHAPES_MAX = 64  # of what is compiled, over all parts
TRIALS = 5  # timed passes of each way, after as many that are not


@contextlib.contextmanager
def accelerated(model: nn.Module, crop: int, batch: int, device: torch.device) -> Iterator[None]:
    """Inside, a model on CUDA trains as fast as is known; elsewhere nothing changes.

    Grouped convolutions run with or without groups, whichever is faster for so many crops of `crop` pixels a side.
    The parts of the model that most time goes to are compiled, once each shape; where that fails they run as they are.
    """
    if device.type != "cuda":
        yield
        return
    as_it_was = bits.bits_and_slopes
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = True
    try:
        choose_convolution(model, crop, batch, device)
        for part in model.modules():
            if isinstance(part, COMPILED):
                part.compile()
        bits.bits_and_slopes = torch.compile(as_it_was, dynamic=False)
        with torch._dynamo.config.patch(suppress_errors=True, recompile_limit=SHAPES_MAX):
            yield
    finally:
        torch.backends.cudnn.benchmark = before
        bits.bits_and_slopes = as_it_was


def choose_convolution(model: nn.Module, crop: int, batch: int, device: torch.device) -> dict[int, float]:
    """Set `dense` of grouped convolutions where that is faster; returns time with over without, by width."""
    layers = [part for part in model.modules() if isinstance(part, Grouped)]
    ratios = {}
    for width in {len(layer.weight) for layer in layers}:
        same = [layer for layer in layers if len(layer.weight) == width]
        x = torch.randn(batch, width, crop // 8, crop // 8, device=device)  # [B, C, h, w]
        x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
        ratios[width] = _seconds(same[0], x, dense=True) / _seconds(same[0], x, dense=False)
        for layer in same:
            layer.dense = ratios[width] < 1
    return ratios


def _seconds(layer: Grouped, x: Tensor, dense: bool) -> float:
    """Least time of a pass forward and backward."""
    layer.dense = dense
    times = []
    for _ in range(2 * TRIALS):
        began = time.perf_counter()
        with mixed_precision(x.device):
            out = layer(x)
        torch.autograd.grad(out.float().sum(), [x, layer.weight])
        if x.device.type == "cuda":
            torch.cuda.synchronize(x.device)
        times.append(time.perf_counter() - began)
    return min(times[TRIALS:])
