"""Models on a lattice: a scaled diagonal basis, hyper-latents and the integer prior.

encode   y ─► y / B ─┬─► lattice points k ─► prior ─► coder ─► payload
                     └─► hyper-analysis ─► z ─┘
decode   y_hat = B k ◄─ k ◄─ prior ◄─ coder ◄─ payload

The rate is the fineness: how much finer than the model's own lattice the basis is, in 1/1024 octave.
"""

import math
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..config import HYPER, ModelConfig
from ..container import BASIS_UNIT, DIAGONAL, E8, LATTICE
from ..entropy.coder import Float32, Int32
from ..entropy.hyper import IntegerHyper
from ..entropy.integer import Context, IntegerPrior, Networks
from ..entropy.numbers import COORDINATE_MAX
from ..entropy.stream import Reader, Writer
from ..errors import ImageError, ModelError
from ..weights import part
from .fields import check_no_books, check_no_codes
from .rate import Rate, Rates

if TYPE_CHECKING:
    from ..backends.backend import Backend, Refiner, Tensors
    from .kind import Basis, Budget, Coded

BIT = 0.035  # squared distance, in lattice steps, that one bit is worth after plain steps
ENTRY_MAX = 32767  # of an embedded basis, in 1/1024 octave
ITERATIONS = {2: 3, 3: 4, 4: 5, 5: 6, 6: 8, 7: 10, 8: 13, 9: 16}  # of a refinement, by effort


class Lattice:
    """See `kind.Kind`; the index tensor is int32 [M, h, w], lattice coordinates."""

    name = "lattice"
    format_id: ClassVar[tuple[int, int]] = (LATTICE, DIAGONAL)
    described: ClassVar[dict[str, str]] = {"quantizer": "lattice", "lattice": "diagonal"}
    unit = 1  # coordinates are in units of 1 / `unit` of a lattice step
    positions = 1
    lengths: ClassVar[tuple[float, ...]] = (0.007, 0.007, 0.005)  # of each of one, two or three plain steps
    sharpness = 7.0  # of the soft rounding before them
    plain, efforts = len(lengths), max(ITERATIONS)

    def __init__(self, config: ModelConfig, tensors: "Tensors", backend: "Backend") -> None:
        self._config, self._backend = config, backend
        self.rates, self.channels = Rates(config), config.latents
        self._halo = -(-config.synthesis_reach // HYPER) * HYPER
        self._log_basis = tensors["quantizer.log_basis"].astype(np.float64)  # [M]
        if self._log_basis.shape != (config.latents,) or len(part("quantizer", tensors)) != 1:
            raise ValueError(f"the quantizer is not one basis of {config.latents} entries")
        self.prior = IntegerPrior(config, part("prior", tensors), partial(_engine, config.name))

    @staticmethod
    def check(config: ModelConfig) -> None:
        """See `kind.Kind`."""
        check_no_codes(config)
        check_no_books(config)

    def fingerprint(self) -> str:
        """See `kind.Kind`."""
        return self.prior.fingerprint()

    def own_basis(self, rate: Rate) -> "Basis":
        """See `kind.Kind`."""
        entries = np.rint(np.log2(self._basis(rate, None)) * BASIS_UNIT)  # [M]
        if not (np.abs(entries) <= ENTRY_MAX).all():
            told = "its lattice basis is beyond what a file can hold"
            raise ModelError(f"model {self._config.name}: {told}; leave out `embed_basis`")
        return tuple(int(v) for v in entries)

    def check_basis(self, basis: "Basis | None") -> None:
        """See `kind.Kind`."""
        if basis is not None and len(basis) != self._config.latents:
            told = f"the file's basis has {len(basis)} entries where its model has {self._config.latents}"
            raise ModelError(f"{told}: damaged")

    def check_indices(self, indices: Int32) -> None:
        """See `kind.Kind`; which coordinates of E8 form blocks, and so their parity, is not checked."""
        if indices.ndim != 3 or len(indices) != self._config.latents:
            raise ImageError(f"indices of shape {indices.shape}; expected integers [{self._config.latents}, h, w]")
        if indices.size and not -COORDINATE_MAX <= indices.min() <= indices.max() <= COORDINATE_MAX:
            raise ImageError(f"indices from {indices.min()} to {indices.max()}; the format ends at {COORDINATE_MAX}")

    def margin(self, effort: int, tune: str) -> int:
        """See `kind.Kind`."""
        if not effort:
            return 0
        from .parts import MARGIN, STEP_HALO

        return STEP_HALO if effort == 1 and tune == "psnr" else MARGIN

    def prepare(self, y: Float32, rate: Rate, basis: "Basis | None", budget: "Budget | None" = None) -> Float32:
        """See `kind.Kind`; efforts to `plain` take as many steps down the distortion, those above refine further."""
        steps = self._basis(rate, basis)  # [M]
        u = y / steps[:, None, None]  # [M, h, w]
        if budget is None or not budget.effort:
            return u
        from ..backends.backend import Refinement
        from .parts import by_parts, within
        from .step import Steps

        effort, tune = budget.effort, budget.tune
        if effort <= self.plain:
            refiner: Refiner | None = Steps(self._backend, self.lengths[effort - 1], self.sharpness)
            iterations = effort
        else:
            refiner, iterations = budget.refiner, ITERATIONS[effort]
        assert refiner is not None
        refinement = Refinement(steps, rate.t, tune, iterations, self.prior.integers_below)
        refine = partial(refiner.refine, refinement=refinement)
        if effort == 1 and tune == "psnr":  # other distortions want to see a larger picture
            return within(budget.inside, u, budget.colour, refine, budget.report)
        return by_parts(u, budget.colour, self._halo, refine, budget.report)

    def encode(self, u: Float32, rate: Rate, effort: int) -> "Coded":
        """See `kind.Kind`; efforts of plain steps choose points by distance and bits, others take the nearest."""
        from .hyper import hyper_latents
        from .kind import Coded

        points, writer = self.prior.points, Writer(self.prior.tables)
        bit = BIT if 1 <= effort <= self.plain else 0.0
        z = hyper_latents(self._backend, u)  # [Z, h/4, w/4]
        self.prior.hyper.write(z, rate.level, writer)
        view = self.prior.view(z, u.shape, rate.level)
        for step in view.steps:
            mean, scale = view.predict(step)  # [N] each
            k = points.choose(u[view.own(step)], mean, scale, bit)  # [N]
            points.write(k, mean, scale, writer)
            view.know(step, k)
        return Coded(writer.finish(), view.known, writer.bits)

    def decode(self, payload: bytes, rate: Rate, height: int, width: int) -> Int32:
        """See `kind.Kind`."""
        points, reader = self.prior.points, Reader(payload, self.prior.tables)
        z = self.prior.hyper.read(height, width, rate.level, reader)  # [Z, h/4, w/4]
        view = self.prior.view(z, (self._config.latents, height, width), rate.level)
        for step in view.steps:
            mean, scale = view.predict(step)  # [N] each
            k = points.read(mean, scale, reader)  # [N]
            view.know(step, k)
        return view.known

    def values(self, indices: Int32, rate: Rate, basis: "Basis | None") -> Float32:
        """See `kind.Kind`."""
        step = self._basis(rate, basis) / np.float32(self.unit)  # [M]
        return indices.astype(np.float32) * step[:, None, None]  # [M, h, w]

    def _basis(self, rate: Rate, entries: "Basis | None") -> Float32:
        """Basis diagonal [M]: the model's own at `rate`, or the one a file carries."""
        if entries is not None:
            return np.exp2(np.array(entries) / BASIS_UNIT).astype(np.float32)
        return np.exp(self._log_basis - rate.number * math.log(2) / BASIS_UNIT).astype(np.float32)


class E8Lattice(Lattice):
    """The same with doubled coordinates: E8 for blocks of eight, integers elsewhere, on the same diagonal basis.

    Which coordinates form blocks follows from the prior's predictions (entropy/e8.py). E8 and the integers have one
    point a unit volume, so the rate stays and the error of a block falls, by up to 0.65 dB (Conway and Sloane 1982).
    """

    name = "lattice-e8"
    format_id = (LATTICE, E8)
    described: ClassVar[dict[str, str]] = {"quantizer": "lattice", "lattice": "e8"}
    unit = 2
    lengths = (0.02,)
    sharpness = 1.0  # weak, since soft rounding does not know the points
    plain = len(lengths)


def _engine(model: str, hyper: IntegerHyper, context: Context) -> Networks:
    """Who computes the prior's networks of large pictures, imported by the first one."""
    from ..backends.prior import OnnxPrior

    return OnnxPrior(model, hyper, context)


KINDS = (Lattice, E8Lattice)
