"""What lies between latents and the payload of a file: the protocol that every kind of model's bottleneck follows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from ..config import ModelConfig
from ..entropy.coder import Int32

Basis = tuple[int, ...]  # a whole lattice basis as a file carries it: log2 in 1/1024 octave


@dataclass(frozen=True)
class Effort:
    """What an encoder may spend on a picture.

    Attributes:
        level: 0 is one pass and the nearest points; more is what a bottleneck makes of it.
        distortion: what latents y_hat [1, M, h, w] at rate coordinate t cost, in bits: a scalar with gradients. They
            may be a part of those to refine, from a row and a column on.
        report: called with (iterations done, iterations in all) where there are iterations.
    """

    level: int
    distortion: Callable[[Tensor, float, int, int], Tensor]
    report: Callable[[int, int], None]


ONE_PASS = Effort(0, lambda y_hat, t, row, column: torch.zeros(()), lambda done, total: None)


@dataclass(frozen=True)
class Coded:
    """A picture's latents, coded."""

    payload: bytes
    indices: Int32  # the index tensor, [C, h, w]
    bits: float  # the prior's information content of what is in the payload


class Bottleneck(Protocol):
    """Latents y [M, h, w] to a payload at one of many rates, and the payload to what synthesis gets.

    A rate is an integer from `lowest` to `highest`; bytes and fidelity rise with it.

    Attributes:
        name: what config.json calls the kind.
        format_id: quantizer and family in the header of a file; once in a released file, it never changes meaning.
        described: what `lcodec info` says of these two, by field.
        lowest, highest: rates of quality 0 and 100.
        channels: C of the index tensor.
        positions: of the index tensor for a latent position, each way.
        efforts: the highest level of effort that differs from those below it.
    """

    name: ClassVar[str]
    format_id: ClassVar[tuple[int, int]]
    described: ClassVar[dict[str, str]]
    lowest: int
    highest: int
    channels: int
    positions: int
    efforts: ClassVar[int]

    def __init__(self, config: ModelConfig, tensors: dict[str, Tensor], device: torch.device) -> None:
        """Raises KeyError or RuntimeError where the tensors do not fit the configuration."""

    @staticmethod
    def check(config: ModelConfig) -> None:
        """Raise ModelError where a field is not as the kind has it; each is of the right type, see `ModelConfig`."""

    def fingerprint(self) -> str:
        """SHA-256 of the prior's answer to a fixed input, which every machine must reproduce."""

    def rate(self, quality: float) -> int:
        """The rate nearest to a quality of 0..100."""

    def quality(self, rate: int) -> float:
        """The quality of a rate, 0..100."""

    def scale(self, rate: int) -> int:
        """What the header's scale field says of a rate."""

    def rate_of(self, scale: int) -> int:
        """Inverse of `scale`; raises FormatError where no rate has it."""

    def own_basis(self, rate: int) -> Basis:
        """The lattice basis at a rate, to write into a file; raises ModelError where there is none."""

    def check_basis(self, basis: Basis | None) -> None:
        """Raises ModelError where a file's basis does not fit the model."""

    def prepare(self, y: Tensor, rate: int, basis: Basis | None, effort: Effort) -> Tensor:
        """Latents y [M, h, w] in units of the basis, refined as far as the effort goes: u [M, h, w]."""

    def encode(self, u: Tensor, rate: int, level: int) -> Coded:
        """Quantize and code latents in units of the basis u [M, h, w], at a level of effort."""

    def decode(self, payload: bytes, rate: int, height: int, width: int) -> Int32:
        """The index tensor [C, h, w] of a payload; h and w are the latents'."""

    def values(self, indices: Int32, rate: int, basis: Basis | None) -> tuple[Tensor, float]:
        """Latents y_hat [1, M, h, w] of an index tensor, and the rate coordinate t that synthesis is told."""

    def check_indices(self, indices: Int32, rate: int) -> None:
        """Raises ImageError where an index tensor has a shape or an index that no file of that rate could have."""
