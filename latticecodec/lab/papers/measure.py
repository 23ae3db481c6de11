"""What a trained row is worth: errors, use of its codes, and the bytes of its indices."""

import copy
import math
from collections.abc import Iterable, Iterator
from statistics import mean

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import FormatError, LcqError
from .bottleneck import Passed
from .context import ContextCode
from .counting import Points, Statistics, hashed, perplexity_of
from .datasets import Pictures
from .experiment import Budget
from .model import PaperModel
from .stream import Code, PointCode, Shape, StaticCode

Metrics = dict[str, float | None]


@torch.no_grad()
def measure(model: PaperModel, pictures: Pictures, budget: Budget, device: torch.device) -> Metrics:
    """Metrics of a trained model in eval mode.

    - mse: of test pictures in the range of pixels that the network sees, decoded from the indices alone;
    - mse_forward: the same with the values of the model's forward pass; it differs only where these are not the
      values of the indices;
    - psnr: dB of the mean squared error of all test pictures in [0, 1], clamped to it, as mse is not;
    - codebook_loss: mean squared difference of rows and values on test pictures;
    - batch_perplexity: mean perplexity of the embeddings of a batch of test pictures, as trainings log it;
    - mse_forward_train, codebook_loss_train, batch_perplexity_train: the same of as many training pictures;
    - used, perplexity: distinct embeddings over the training pictures that the budget counts, by index;
    - used_moving: of codebooks that are moving averages, over the same pictures, see there; None else;
    - live_dimensions: of a lattice, coordinates that are not the same in all these pictures; None else;
    - fixed_bpp: bits per pixel at equal length for all codewords; None for a lattice, which has no number of them;
    - bpp, bytes: of one stream for the coded test pictures, which was decoded to the same indices, by the shortest of
      all codes; None where a coordinate is beyond what the coder holds;
    - memoryless_bpp: the same by the shortest code that looks at no neighbours;
    - bytes_by_coordinate: of a lattice, when its coordinates are coded one by one; None else;
    - parameters: of the quantizer.
    """
    counted, test = pictures.train[: budget.fit_pictures], pictures.test[: budget.test_pictures]
    statistics = Statistics(model.bottleneck)
    for _, _, shape, passed in _passes(model, counted, device):
        statistics.add(passed.symbols.view(*shape, -1))
    errors, positions, perplexities = _Sums(), 0, []
    coded: list[Tensor] = []
    for x, rows, shape, passed in _passes(model, test, device):
        values = model.bottleneck.dequantize(passed.symbols)  # [N, D]
        x_hat = model.decode(values, shape)  # [B, C, H, W]
        errors.add("mse", x_hat, x)
        same = torch.equal(values, passed.values)
        errors.add("mse_forward", x_hat if same else model.decode(passed.values, shape), x)
        errors.add("unit", model.to_unit(x_hat), model.to_unit(x))
        errors.add("codebook_loss", rows, values)
        perplexities.append(_perplexity(passed.symbols))
        if sum(map(len, coded)) < budget.coded_pictures:
            coded.append(passed.symbols.view(*shape, -1).cpu())
        positions = shape[1] * shape[2]
    codable = torch.cat(coded)[: budget.coded_pictures]  # [B, h, w, S]
    pixels_each = test.shape[2] * test.shape[3]
    means = errors.means()
    unit = means.pop("unit")
    assert unit is not None
    sizes = {name: _bytes(code, codable) for name, code in codes(statistics).items()}
    size, memoryless = _least(sizes.values()), _least(value for name, value in sizes.items() if name != "context")
    pixels_coded = len(codable) * pixels_each
    lattice = not model.bottleneck.sizes()
    return means | {
        "psnr": -10 * math.log10(max(unit, 1e-12)),
        "batch_perplexity": mean(perplexities),
        **_on_training(model, pictures.train[: budget.test_pictures], device),
        "used": float(statistics.distinct()),
        "perplexity": statistics.perplexity(),
        "used_moving": used_moving(model, counted, device),
        "live_dimensions": float(sum((table > 0).sum() > 1 for table in statistics.tables)) if lattice else None,
        "fixed_bpp": None if lattice else _fixed_bits(model) * positions / pixels_each,
        "bytes": size,
        "bytes_by_coordinate": sizes["static"] if lattice else None,
        "bpp": None if size is None else 8 * size / pixels_coded,
        "memoryless_bpp": None if memoryless is None else 8 * memoryless / pixels_coded,
        "parameters": float(_parameters(model)),
    }


def _passes(model: PaperModel, pixels: Tensor, device: torch.device) -> Iterator[tuple[Tensor, Tensor, Shape, Passed]]:
    """(x [B, C, H, W], rows [N, D], shape, what became of the rows) of the batches of pixels [M, C, H, W]."""
    for part in torch.split(pixels, model.experiment.batch):
        x = model.to_input(part.to(device))  # [B, C, H, W]
        rows, shape = model.encode(x)
        yield x, rows, shape, model.bottleneck(rows, 1.0)


def _on_training(model: PaperModel, pixels: Tensor, device: torch.device) -> Metrics:
    """What papers print of training pictures [M, C, H, W]."""
    errors, perplexities = _Sums(), []
    for x, rows, shape, passed in _passes(model, pixels, device):
        errors.add("mse_forward_train", model.decode(passed.values, shape), x)
        errors.add("codebook_loss_train", rows, model.bottleneck.dequantize(passed.symbols))
        perplexities.append(_perplexity(passed.symbols))
    return errors.means() | {"batch_perplexity_train": mean(perplexities)}


def _perplexity(symbols: Tensor) -> float:
    """2^H for the entropy H in bits of the rows of symbols [N, S]."""
    return perplexity_of(np.unique(hashed(symbols).cpu().numpy(), return_counts=True)[1])


@torch.no_grad()
def used_moving(model: PaperModel, pixels: Tensor, device: torch.device) -> float | None:
    """Distinct codewords that pixels [M, C, H, W] get in training mode, counted as vectors; None where none moves.

    Moving averages change with every batch, also at a learning rate of 0: a codeword that is used in two batches
    counts twice. So the count goes with the number of batches, and an epoch can show more embeddings than there are
    codewords; `results.measured` has it for an epoch of the paper's.
    """
    bottleneck = copy.deepcopy(model.bottleneck).train()
    if not bottleneck.averaging or bottleneck.chooses:
        return None
    found: set[int] = set()
    for part in torch.split(pixels, model.experiment.batch):
        rows, _ = model.encode(model.to_input(part.to(device)))
        codewords = bottleneck.codewords().clone()  # [K, D]
        indices = bottleneck(rows, 1.0).symbols[:, 0].unique()  # [n]
        found |= {hash(row.tobytes()) for row in codewords[indices].cpu().numpy()}
    return float(len(found))


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
