"""What a trained row is worth: errors, use of its codes, and the bytes of its indices."""

import math
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import FormatError, LcqError
from .context import ContextCode
from .counting import Points, Statistics
from .datasets import Pictures
from .experiment import Budget
from .model import PaperModel
from .stream import Code, PointCode, StaticCode

BATCH = 64
Metrics = dict[str, float | None]


@torch.no_grad()
def measure(model: PaperModel, pictures: Pictures, budget: Budget, device: torch.device) -> Metrics:
    """Metrics of a trained model in eval mode.

    - mse: of test pictures in the experiment's own pixel range, decoded from the indices alone;
    - mse_forward: the same with the values of the model's forward pass; it differs only where these are not the
      values of the indices;
    - psnr: dB of the mean squared error of all test pictures in [0, 1];
    - codebook_loss: mean squared difference of rows and values on test pictures;
    - used, perplexity: distinct embeddings over the training pictures that the budget counts, by index;
    - fixed_bpp: bits per pixel at equal length for all codewords; None for a lattice, which has no number of them;
    - bpp, bytes: of one stream for the coded test pictures, which was decoded to the same indices, by the shortest of
      all codes; None where a coordinate is beyond what the coder holds;
    - memoryless_bpp: the same by the shortest code that looks at no neighbours;
    - bytes_by_coordinate: of a lattice, when its coordinates are coded one by one; None else;
    - parameters: of the quantizer.
    """
    statistics = Statistics(model.bottleneck)
    for pixels in torch.split(pictures.train[: budget.fit_pictures], BATCH):
        rows, shape = model.encode(model.to_input(pixels.to(device)))
        statistics.add(model.bottleneck(rows, 1.0).symbols.view(*shape, -1))
    test = pictures.test[: budget.test_pictures]
    errors, coded, positions = _Sums(), [], 0
    for start in range(0, len(test), BATCH):
        x = model.to_input(test[start : start + BATCH].to(device))  # [B, C, H, W]
        rows, shape = model.encode(x)
        passed = model.bottleneck(rows, 1.0)
        values = model.bottleneck.dequantize(passed.symbols)  # [N, D]
        x_hat = model.decode(values, shape)  # [B, C, H, W]
        errors.add("mse", x_hat, x)
        errors.add("mse_forward", model.decode(passed.values, shape), x)
        errors.add("unit", model.to_unit(x_hat), model.to_unit(x))
        errors.add("codebook_loss", rows, values)
        if start < budget.coded_pictures:
            coded.append(passed.symbols.view(*shape, -1)[: budget.coded_pictures - start].cpu())
        positions = shape[1] * shape[2]
    pixels_each = test.shape[2] * test.shape[3]
    means = errors.means()
    unit = means.pop("unit")
    assert unit is not None
    sizes = {name: _bytes(code, torch.cat(coded)) for name, code in codes(statistics).items()}
    size, memoryless = _least(sizes.values()), _least(value for name, value in sizes.items() if name != "context")
    pixels_coded = min(len(test), budget.coded_pictures) * pixels_each
    return means | {
        "psnr": -10 * math.log10(max(unit, 1e-12)),
        "used": float(statistics.distinct()),
        "perplexity": statistics.perplexity(),
        "fixed_bpp": _fixed_bits(model) * positions / pixels_each if model.bottleneck.sizes() else None,
        "bytes": size,
        "bytes_by_coordinate": None if model.bottleneck.sizes() else sizes["static"],
        "bpp": None if size is None else 8 * size / pixels_coded,
        "memoryless_bpp": None if memoryless is None else 8 * memoryless / pixels_coded,
        "parameters": float(_parameters(model)),
    }


class _Sums:
    """Sums of squared differences and their numbers, by name."""

    def __init__(self) -> None:
        self.sums: dict[str, tuple[float, int]] = {}

    def add(self, name: str, a: Tensor, b: Tensor) -> None:
        """Add the squared differences of two tensors of one shape."""
        total, count = self.sums.get(name, (0.0, 0))
        self.sums[name] = (total + float(F.mse_loss(a, b, reduction="sum")), count + a.numel())

    def means(self) -> Metrics:
        """Mean squared differences by name."""
        return {name: total / count for name, (total, count) in self.sums.items()}


def codes(statistics: Statistics) -> dict[str, Code]:
    """All codes for the symbols of a model, fitted to its statistics; `static` is always there."""
    static = StaticCode.fitted(statistics)
    points = Points.of(statistics)
    if points.others > points.counts.sum():
        return {"static": static}
    context = ContextCode.fitted(statistics, points, static)
    return {"static": static, "points": PointCode.fitted(points, static), "context": context}


def _least(sizes: Iterable[float | None]) -> float | None:
    return min((size for size in sizes if size is not None), default=None)


def _bytes(code: Code, symbols: Tensor) -> float | None:
    """Bytes of symbols [B, h, w, S] in one stream, from which they came back; None where the coder cannot hold them."""
    try:
        data = code.encode(symbols)
    except FormatError:
        return None
    if not torch.equal(code.decode(data, (symbols.shape[0], symbols.shape[1], symbols.shape[2])), symbols):
        raise LcqError("a stream of indices decoded to other indices; please report it")
    return float(len(data))


def _fixed_bits(model: PaperModel) -> float:
    """Bits of a position when every index of a codebook, and every codebook, costs the same."""
    sizes = model.bottleneck.sizes()
    return math.log2(len(sizes)) + sum(math.log2(size) for size in sizes) / len(sizes)


def _parameters(model: PaperModel) -> int:
    """Learned numbers of the quantizer: parameters, and codewords that are moving averages."""
    parameters = sum(value.numel() for value in model.bottleneck.parameters())
    codewords = sum(value.numel() for name, value in model.bottleneck.named_buffers() if name.endswith("codebook"))
    return parameters + codewords
