"""A kind of model: what lies between latents and the payload of a file. The protocol that all of them follow."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from ..config import ModelConfig
from ..entropy.coder import Float32, Int32
from .rate import Rate, Rates

if TYPE_CHECKING:
    from ..backends.backend import Backend, Refiner, Report, Tensors
    from ..picture import Samples
    from .parts import Inside

Basis = tuple[int, ...]  # a whole lattice basis as a file carries it: log2 in 1/1024 octave


@dataclass(frozen=True)
class Budget:
    """What an encoder may spend on an area of a picture, and what for.

    Attributes:
        effort: 0 is one pass and the nearest points; more is what a kind makes of it.
        tune: what to spend the bits for, one of config.TUNES.
        colour: the area, [H, W, C], cut at the edges of the picture.
        inside: rows and columns of its latents that will be coded; those around are what they border on.
        refiner: what iterates; None where nothing does at that effort.
        report: called with (steps done, steps in all) where there are steps.
    """

    effort: int
    tune: str
    colour: "Samples"
    inside: "Inside"
    refiner: "Refiner | None"
    report: "Report"


@dataclass(frozen=True)
class Coded:
    """A picture's latents, coded."""

    payload: bytes
    indices: Int32  # the index tensor, [C, h, w]
    bits: float  # the prior's information content of what is in the payload


class Kind(Protocol):
    """Latents y [M, h, w] to a payload at one of many rates, and the payload to what synthesis gets.

    Attributes:
        name: what config.json calls the kind.
        format_id: quantizer and family in the header of a file; once in a released file, they never change meaning.
        described: what `lcodec info` says of these two, by field.
        rates: of the model.
        channels: C of the index tensor.
        positions: of the index tensor for a latent position, each way.
        plain: the highest effort that takes nothing but a backend: one above iterates in PyTorch.
        efforts: the highest effort that differs from those below it.
    """

    name: ClassVar[str]
    format_id: ClassVar[tuple[int, int]]
    described: ClassVar[dict[str, str]]
    plain: ClassVar[int]
    efforts: ClassVar[int]
    rates: Rates
    channels: int
    positions: int

    def __init__(self, config: ModelConfig, tensors: "Tensors", backend: "Backend") -> None:
        """Raises KeyError or ValueError where the tensors do not fit the configuration."""

    @staticmethod
    def check(config: ModelConfig) -> None:
        """Raise ModelError where a field is not as the kind has it; each is of the right type, see `ModelConfig`."""

    def fingerprint(self) -> str:
        """SHA-256 of the prior's answer to a fixed input, which every machine must reproduce."""

    def own_basis(self, rate: Rate) -> Basis:
        """The lattice basis at a rate, to write into a file; raises ModelError where there is none."""

    def check_basis(self, basis: Basis | None) -> None:
        """Raises ModelError where a file's basis does not fit the model."""

    def margin(self, effort: int, tune: str) -> int:
        """Latent positions around those that will be coded that `prepare` looks at."""

    def prepare(self, y: Float32, rate: Rate, basis: Basis | None, budget: Budget | None = None) -> Float32:
        """Latents y [M, h, w] in units of the basis, refined as far as the budget goes: u [M, h, w]."""

    def encode(self, u: Float32, rate: Rate, effort: int) -> Coded:
        """Quantize and code latents in units of the basis u [M, h, w]."""

    def decode(self, payload: bytes, rate: Rate, height: int, width: int) -> Int32:
        """The index tensor [C, h, w] of a payload; h and w are the latents'."""

    def values(self, indices: Int32, rate: Rate, basis: Basis | None) -> Float32:
        """Latents y_hat [M, h, w] of an index tensor [C, h, w]."""

    def check_indices(self, indices: Int32) -> None:
        """Raises ImageError where an index tensor has a shape or an index that no file could have."""
