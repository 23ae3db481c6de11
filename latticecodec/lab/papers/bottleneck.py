"""The quantizers of the papers behind one interface: latents to values and symbols, and symbols to values.

The symbols of a position are one index for a codebook, D coordinates for a lattice, and a codebook's number with an
index in it for adaptive codebooks. All of them are coded to bytes in `stream`.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..quantizers import (
    TEMPERATURES,
    AdaptiveQuantizer,
    RescaledQuantizer,
    RotationQuantizer,
    VectorQuantizer,
    quantization_error,
)
from ..quantizers.signed import SignedLattice
from ..quantizers.vector import VectorQuantized
from .experiment import Experiment
from .variants import ReflectedQuantizer

REVIVE_BELOW = 0.1  # of codebooks that begin with k-means; the papers revive none


@dataclass(frozen=True)
class Passed:
    """Rows that went through a quantizer."""

    values: Tensor  # [N, D] what the decoder sees in training
    symbols: Tensor  # [N, S] int64
    loss: Tensor  # []


class Bottleneck(nn.Module):
    """One quantizer on rows [N, D]."""

    chooses = False  # whether column 0 says which table codes column 1
    averaging = False  # whether codewords are moving averages, which change in every forward pass of a training

    def forward(self, z: Tensor, progress: float) -> Passed:
        """Quantize z [N, D]; `progress` is the share of the training that is done, 0 to 1."""
        raise NotImplementedError

    def dequantize(self, symbols: Tensor) -> Tensor:
        """Values [N, D] of symbols [N, S] alone."""
        raise NotImplementedError

    def sizes(self) -> list[int]:
        """Number of codewords of each codebook; empty for a lattice."""
        raise NotImplementedError

    def codewords(self) -> Tensor:
        """The codewords [K, D] of the first codebook, or the basis of a lattice as one row [1, D]."""
        raise NotImplementedError

    def unquantized(self, z: Tensor, symbols: Tensor) -> Tensor:
        """Values [N, D] of z [N, D] if every row were a codeword; projections as for its symbols [N, S]."""
        return z

    def losses(self, z: Tensor) -> list[float]:
        """Mean squared difference of rows z [N, D] and what the forward pass puts in their place, for each codebook.

        With projections, of what they give and the codewords. Only of "rotation-as-coded" is that no codeword.
        """
        return [quantization_error(z, self(z, 1.0).values)]


class Codebook(Bottleneck):
    """A VectorQuantizer of any kind."""

    def __init__(self, quantizer: VectorQuantizer) -> None:
        super().__init__()
        self.quantizer = quantizer
        self.averaging = quantizer.update == "ema"

    def forward(self, z: Tensor, progress: float) -> Passed:
        """See Bottleneck."""
        result = self.quantizer(z)
        return Passed(result.values, result.indices[:, None], result.loss)

    def dequantize(self, symbols: Tensor) -> Tensor:
        """See Bottleneck."""
        return self.quantizer.dequantize(symbols[:, 0])

    def sizes(self) -> list[int]:
        """See Bottleneck."""
        return [self.quantizer.codes]

    def codewords(self) -> Tensor:
        """See Bottleneck."""
        return self.quantizer.codebook.detach()


class Projected(Codebook):
    """A VectorQuantizer in D dimensions between two linear layers: the adaptive quantizer with one codebook.

    Args:
        quantizer: VectorQuantizer.
        hidden: dimensions of the rows.
        beta: weight of the quantization terms.
    """

    def __init__(self, quantizer: VectorQuantizer, hidden: int, beta: float) -> None:
        super().__init__(quantizer)
        self.beta = beta
        self.down, self.up = nn.Linear(hidden, quantizer.dimensions), nn.Linear(quantizer.dimensions, hidden)

    def forward(self, z: Tensor, progress: float) -> Passed:
        """See Bottleneck."""
        result = self.quantizer(self.down(z))
        return Passed(self.up(result.values), result.indices[:, None], self.beta * result.loss)

    def dequantize(self, symbols: Tensor) -> Tensor:
        """See Bottleneck."""
        values: Tensor = self.up(super().dequantize(symbols))  # [N, hidden]
        return values

    def unquantized(self, z: Tensor, symbols: Tensor) -> Tensor:
        """See Bottleneck."""
        values: Tensor = self.up(self.down(z))  # [N, hidden]
        return values

    def losses(self, z: Tensor) -> list[float]:
        """See Bottleneck."""
        rows = self.down(z)  # [N, D]
        return [quantization_error(rows, self.quantizer.dequantize(self.quantizer.quantize(rows)))]


class Lattice(Bottleneck):
    """A lattice; its symbols are its coordinates."""

    def __init__(self, quantizer: SignedLattice) -> None:
        super().__init__()
        self.quantizer = quantizer

    def forward(self, z: Tensor, progress: float) -> Passed:
        """See Bottleneck."""
        result = self.quantizer(z)
        return Passed(result.values, result.coordinates, result.loss)

    def dequantize(self, symbols: Tensor) -> Tensor:
        """See Bottleneck."""
        return self.quantizer.dequantize(symbols)

    def sizes(self) -> list[int]:
        """See Bottleneck."""
        return []

    def codewords(self) -> Tensor:
        """See Bottleneck."""
        return self.quantizer.basis().detach()[None]


class Adaptive(Bottleneck):
    """Codebooks that every position chooses from; its temperature falls as training goes on.

    Args:
        quantizer: AdaptiveQuantizer.
        schedule: temperature at a share of the training, 0 to 1.
    """

    chooses = True

    def __init__(self, quantizer: AdaptiveQuantizer, schedule: Callable[[float], float]) -> None:
        super().__init__()
        self.quantizer, self.schedule = quantizer, schedule
        self.averaging = any(book.update == "ema" for book in self._books())

    def forward(self, z: Tensor, progress: float) -> Passed:
        """See Bottleneck."""
        result = self.quantizer(z, self.schedule(progress))
        return Passed(result.values, result.pairs, result.loss)

    def dequantize(self, symbols: Tensor) -> Tensor:
        """See Bottleneck."""
        return self.quantizer.dequantize(symbols)

    def sizes(self) -> list[int]:
        """See Bottleneck."""
        return [book.codes for book in self._books()]

    def codewords(self) -> Tensor:
        """See Bottleneck."""
        return self._books()[0].codebook.detach()

    def unquantized(self, z: Tensor, symbols: Tensor) -> Tensor:
        """See Bottleneck."""
        chosen = F.one_hot(symbols[:, 0], len(self._books())).to(z.dtype)  # [N, m]
        layers = zip(self.quantizer.down, self.quantizer.up, strict=True)
        lifted = torch.stack([up(down(z)) for down, up in layers], 1)  # [N, m, D]
        return (chosen[:, :, None] * lifted).sum(1)  # [N, D]

    def losses(self, z: Tensor) -> list[float]:
        """See Bottleneck."""
        parts = [(book, down(z)) for book, down in zip(self._books(), self.quantizer.down, strict=True)]
        return [quantization_error(rows, book.dequantize(book.quantize(rows))) for book, rows in parts]

    def _books(self) -> list[VectorQuantizer]:
        return [book for book in self.quantizer.codebooks if isinstance(book, VectorQuantizer)]


def begin(quantizer: VectorQuantizer, start: str, generator: torch.Generator) -> None:
    """Give a codebook the beginning of a paper's code in place of k-means on the first batch.

    - k-means: nothing to do, the quantizer does it.
    - uniform: U(-1/K, 1/K), and moving averages of zero.
    - example: as in the public VQ-VAE example: N(0, 1), counts of zero, and sums N(0, 1) that are drawn apart. There
      the smoothed counts take the place of the counts, so that smoothing adds up to SMOOTHING / (1 - decay) rows. After
      the first step a code without a row is about 10^5 away from the origin; at 0.99 it is back after some 700.
    """
    if start == "k-means":
        return
    shape = quantizer.codebook.shape
    if start == "uniform":
        codebook = (torch.rand(shape, generator=generator) * 2 - 1) / quantizer.codes  # [K, D]
        sums = torch.zeros(shape)  # [K, D]
    else:
        codebook, sums = (torch.randn(shape, generator=generator) for _ in range(2))  # [K, D] each
    quantizer.begin_at(codebook)
    if quantizer.update == "ema":
        quantizer.counts.zero_()
        quantizer.sums.copy_(sums)
    if quantizer.update == "ema" and start == "example":
        quantizer.register_forward_hook(_keep_smoothed)


@torch.no_grad()
def _keep_smoothed(quantizer: nn.Module, inputs: tuple[Tensor, ...], result: VectorQuantized) -> None:
    """After a step of a training: the smoothed counts take the place of the counts."""
    if quantizer.training and isinstance(quantizer, VectorQuantizer):
        quantizer.counts.copy_(quantizer.smoothed_counts())


def _vector(
    kind: type[VectorQuantizer], update: Literal["ema", "gradient"], e: Experiment, seed: int
) -> VectorQuantizer:
    quantizer = kind(
        e.codes,
        e.dimensions,
        update=update,
        decay=e.decay,
        commitment=e.commitment,
        revive_below=REVIVE_BELOW if e.start == "k-means" else 0.0,
        seed=seed,
    )
    begin(quantizer, e.start, torch.Generator().manual_seed(seed))
    return quantizer


def _codebook(
    kind: type[VectorQuantizer], update: Literal["ema", "gradient"], e: Experiment, hidden: int, steps: int, seed: int
) -> Bottleneck:
    return Codebook(_vector(kind, update, e, seed))


def _projected(e: Experiment, hidden: int, steps: int, seed: int) -> Bottleneck:
    return Projected(_vector(VectorQuantizer, "ema", e, seed), hidden, e.beta)


def _lattice(e: Experiment, hidden: int, steps: int, seed: int) -> Bottleneck:
    return Lattice(SignedLattice(e.dimensions, e.width, e.sparsity, e.commitment))


def _adaptive(update: Literal["ema", "gradient"], e: Experiment, hidden: int, steps: int, seed: int) -> Bottleneck:
    revive = REVIVE_BELOW if e.start == "k-means" else 0.0
    quantizer = AdaptiveQuantizer(e.sizes, hidden, e.commitment, e.beta, e.decay, revive, seed, update)
    generator = torch.Generator().manual_seed(seed)
    for book in quantizer.codebooks:
        if isinstance(book, VectorQuantizer):
            begin(book, e.start, generator)

    temperature = TEMPERATURES[e.temperature]
    return Adaptive(quantizer, lambda progress: temperature(min(round(progress * steps), steps - 1), steps))


KINDS: dict[str, Callable[[Experiment, int, int, int], Bottleneck]] = {  # (experiment, hidden, steps, seed)
    "vq": functools.partial(_codebook, VectorQuantizer, "gradient"),
    "vq-ema": functools.partial(_codebook, VectorQuantizer, "ema"),
    "vq-ema-projected": _projected,
    "rotation": functools.partial(_codebook, RotationQuantizer, "ema"),
    "rotation-rescaled": functools.partial(_codebook, RescaledQuantizer, "ema"),
    "rotation-as-coded": functools.partial(_codebook, ReflectedQuantizer, "ema"),
    "adaptive": functools.partial(_adaptive, "ema"),
    "adaptive-gradient": functools.partial(_adaptive, "gradient"),
    "lattice": _lattice,
}
STARTS = ("k-means", "uniform", "example")
