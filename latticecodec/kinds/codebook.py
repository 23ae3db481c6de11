"""Models with codebooks, `vq` and `rotation`, on which `adaptive` builds: hyper-latents and the categorical prior.

encode   y ─► y / B ─┬─► codewords, group after group ◄─► prior ─► coder ─► payload
                     └─► hyper-analysis ─► z ───────────────┘
decode   y_hat = B codewords ◄─ indices ◄─ prior ◄─ coder ◄─ payload

The encoder takes the index that costs least in squared distance and bits together (entropy-constrained VQ). The rate is
the fineness: how much finer than the model's own basis B is, in 1/1024 octave.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..config import ModelConfig
from ..container import BASIS_UNIT, PRODUCT, ROTATION, VQ
from ..entropy.categorical import IntegerCategorical, Positions
from ..entropy.coder import PRECISION, Float32, Int32
from ..entropy.stream import Reader, Writer
from ..errors import ImageError, ModelError
from ..weights import part
from .fields import check_groups, check_no_books
from .kind import Basis, Budget, Coded
from .rate import Rate, Rates

if TYPE_CHECKING:
    from ..backends.backend import Backend, Tensors

BIT = 0.12  # squared distance, in units of the basis, that one bit is worth: 2 ln 2 / 12, the slope of fine rounding


class Codebook:
    """See `kind.Kind`; the index tensor is int32 [G, h, w], 0..K-1."""

    name = "vq"
    format_id: ClassVar[tuple[int, int]] = (VQ, PRODUCT)
    described: ClassVar[dict[str, str]] = {"quantizer": "vq", "codebooks": "product"}
    positions = 1
    plain = efforts = 0

    def __init__(self, config: ModelConfig, tensors: "Tensors", backend: "Backend") -> None:
        self._config, self._backend = config, backend
        self.rates, self.channels = Rates(config), len(config.groups)
        stored = tensors["quantizer.codebooks"].astype(np.float32)  # [K, M], or the union of adaptive ones
        if len(stored) != config.codes:
            raise ValueError(f"{len(stored)} codewords")
        codebooks = self._codebooks(stored)  # [K, M]
        if codebooks.shape != (config.codes, config.latents):
            raise ValueError(f"codebooks of shape {codebooks.shape}")
        self._basis = np.exp(tensors["quantizer.log_basis"].astype(np.float32))  # [M]
        if self._basis.shape != (config.latents,):
            raise ValueError(f"a basis of shape {self._basis.shape}")
        self._ends = np.cumsum(config.groups)[:-1]  # where the slices of a vector end, all but the last
        self._codewords = [np.ascontiguousarray(own) for own in np.split(codebooks, self._ends, 1)]  # [K, D_g] each
        self.prior = IntegerCategorical(config, part("prior", tensors))

    @staticmethod
    def check(config: ModelConfig) -> None:
        """See `kind.Kind`."""
        check_no_books(config)
        check_groups(config)

    def _codebooks(self, stored: Float32) -> Float32:
        """The codewords of all groups side by side [K, M], from what a model stores."""
        return stored

    def _barred(self, slices: Sequence[Float32]) -> Callable[[int, Positions], Float32]:
        """What adds infinity to the cost of codewords that an encoder may not take.

        From slices [h w, D_g] to a function of a group and n positions: [n, K], or [1, 1] where all may be taken.
        """
        return lambda group, at: np.zeros((1, 1), np.float32)

    def fingerprint(self) -> str:
        """See `kind.Kind`."""
        return self.prior.fingerprint()

    def own_basis(self, rate: Rate) -> Basis:
        """See `kind.Kind`."""
        raise ModelError(f"model {self._config.name} has codebooks, not a lattice basis that could be embedded")

    def check_basis(self, basis: Basis | None) -> None:
        """See `kind.Kind`."""
        if basis is not None:
            raise ModelError(f"the file has a lattice basis where its model {self._config.name} has codebooks: damaged")

    def check_indices(self, indices: Int32) -> None:
        """See `kind.Kind`."""
        groups, codes = len(self._config.groups), self._config.codes
        if indices.ndim != 3 or len(indices) != groups:
            raise ImageError(f"indices of shape {indices.shape}; expected integers [{groups}, h, w]")
        if indices.size and not 0 <= indices.min() <= indices.max() < codes:
            raise ImageError(f"indices from {indices.min()} to {indices.max()}; expected 0 to {codes - 1}")

    def margin(self, effort: int, tune: str) -> int:
        """See `kind.Kind`; there is nothing to refine."""
        return 0

    def prepare(self, y: Float32, rate: Rate, basis: Basis | None, budget: Budget | None = None) -> Float32:
        """See `kind.Kind`; there is but one way to encode, whatever may be spent."""
        return y / self._basis_at(rate)[:, None, None]  # [M, h, w]

    def encode(self, u: Float32, rate: Rate, effort: int) -> Coded:
        """See `kind.Kind`."""
        from .closest import closest
        from .hyper import hyper_latents

        slices = np.split(u.reshape(len(u), -1).T, self._ends, 1)  # [h w, D_g] each
        barred, writer = self._barred(slices), Writer(self.prior.tables)
        z = hyper_latents(self._backend, u)  # [Z, h/4, w/4]
        self.prior.hyper.write(z, rate.level, writer)
        view = self.prior.view(z, (len(slices), *u.shape[1:]), rate.level)
        for step in view.steps:
            at = view.own(step)  # [n]
            for group in view.groups:
                rows = view.predict(step, group)  # [n, K]
                bits = np.float32(PRECISION) - np.log2(rows.astype(np.float32))  # [n, K]
                penalty = np.float32(BIT) * bits + barred(group, at)  # [n, K]
                chosen = closest(slices[group][at], self._codewords[group], penalty)  # [n]
                writer.put_rows(chosen, rows)
                view.know(step, group, chosen)
        return Coded(writer.finish(), view.known, writer.bits)

    def decode(self, payload: bytes, rate: Rate, height: int, width: int) -> Int32:
        """See `kind.Kind`."""
        reader = Reader(payload, self.prior.tables)
        z = self.prior.hyper.read(height, width, rate.level, reader)  # [Z, h/4, w/4]
        view = self.prior.view(z, (len(self._codewords), height, width), rate.level)
        for step in view.steps:
            for group in view.groups:
                rows = view.predict(step, group)  # [n, K]
                view.know(step, group, reader.get_rows(rows))
        return view.known

    def values(self, indices: Int32, rate: Rate, basis: Basis | None) -> Float32:
        """See `kind.Kind`."""
        rows = indices.reshape(len(indices), -1)  # [G, h w]
        chosen = [own[row] for own, row in zip(self._codewords, rows, strict=True)]  # [h w, D_g] each
        values = np.concatenate(chosen, 1).T.reshape(-1, *indices.shape[1:])  # [M, h, w]
        return values * self._basis_at(rate)[:, None, None]

    def _basis_at(self, rate: Rate) -> Float32:
        """Basis diagonal [M] at a rate."""
        return self._basis * np.float32(2.0 ** (-rate.number / BASIS_UNIT))


class Rotation(Codebook):
    """The same, for models whose codebooks were trained by the rotation trick."""

    name = "rotation"
    format_id = (ROTATION, PRODUCT)
    described: ClassVar[dict[str, str]] = {"quantizer": "rotation", "codebooks": "product"}


KINDS = (Codebook, Rotation)
