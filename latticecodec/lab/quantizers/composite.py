"""Several vector quantizers in place of one: side by side on slices of a vector, or in turn on what is left of it.

Both use as many of their quantizers as the caller asks for, so that one model has several rates; the values of fewer
are coarser, and the indices of fewer are the first columns of the indices of all.
"""

from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from ...errors import FormatError, TargetError, TrainingError
from .vector import VectorQuantized, VectorQuantizer


class _Composite(nn.Module):
    """Quantizers with indices int64 [N, g], column i that of quantizer i.

    Raises:
        TrainingError: there are none.
        TargetError: the count asked for is not in 1 ... G.
    """

    def __init__(self, quantizers: Sequence[VectorQuantizer]) -> None:
        super().__init__()
        if not quantizers:
            raise TrainingError("a composite quantizer needs at least one quantizer")
        self.quantizers = nn.ModuleList(quantizers)

    def first(self, groups: int | None) -> list[VectorQuantizer]:
        """The first `groups` quantizers, all by default."""
        if groups is None:
            groups = len(self.quantizers)
        if not 1 <= groups <= len(self.quantizers):
            raise TargetError(f"{groups} groups asked of a quantizer with 1 to {len(self.quantizers)}")
        return [cast(VectorQuantizer, quantizer) for quantizer in self.quantizers][:groups]

    def behind(self, indices: Tensor) -> list[VectorQuantizer]:
        """The quantizers that belong to the columns of `indices` [N, g]."""
        if indices.ndim != 2 or not 1 <= indices.shape[1] <= len(self.quantizers):
            raise FormatError(f"indices of shape {tuple(indices.shape)}; expected [N, 1 to {len(self.quantizers)}]")
        return self.first(indices.shape[1])


class ProductQuantizer(_Composite):
    """Quantizer i codes its own slice of the dimensions (product quantization, Jegou et al. 2011).

    The slices follow each other, each as wide as its quantizer: `[VectorQuantizer(256, 4) for _ in range(8)]` cuts
    32 dimensions into 8. The values of unused slices are zero, and their input gets no gradient.
    """

    def forward(
        self, z: Tensor, groups: int | None = None, penalties: Sequence[Tensor] | None = None
    ) -> VectorQuantized:
        """Quantize the first `groups` slices of z [N, D]; the loss is the mean of theirs.

        `penalties` are one [N, K] a slice, added to its squared distances.
        """
        used = self.first(groups)
        parts = [quantizer(part, penalty) for quantizer, part, penalty in self._inputs(used, z, penalties)]
        values = self._joined([part.values for part in parts])  # [N, D]
        indices = torch.stack([part.indices for part in parts], 1)  # [N, g]
        return VectorQuantized(values, indices, torch.stack([part.loss for part in parts]).mean())

    def quantize(self, z: Tensor, groups: int | None = None, penalties: Sequence[Tensor] | None = None) -> Tensor:
        """Indices int64 [N, g] of z [N, D]; `penalties` are one [K] or [N, K] a slice."""
        used = self.first(groups)
        columns = [quantizer.quantize(part, penalty) for quantizer, part, penalty in self._inputs(used, z, penalties)]
        return torch.stack(columns, 1)  # [N, g]

    def dequantize(self, indices: Tensor) -> Tensor:
        """Values [N, D] of indices [N, g].

        Raises:
            FormatError: an index is outside its codebook, or there are more columns than quantizers.
        """
        pairs = zip(self.behind(indices), indices.unbind(1), strict=True)
        return self._joined([quantizer.dequantize(column) for quantizer, column in pairs])

    def candidates(self) -> list[Tensor]:
        """What each slice chooses from, [K, D_i]."""
        return [quantizer.codebook for quantizer in self.first(None)]

    def begin_at(self, codebooks: Tensor) -> None:
        """Take trained codewords of all slices side by side, [K, D]."""
        for quantizer, codebook in zip(self.first(None), self.slices(codebooks), strict=True):
            quantizer.begin_at(codebook)

    def bits(self) -> Tensor:
        """Bits [G, K] of each index by the moving counts, of quantizers with K codes each."""
        return torch.stack([quantizer.bits() for quantizer in self.first(None)])

    def slices(self, z: Tensor) -> tuple[Tensor, ...]:
        """z [N, D] cut up: one [N, D_i] for each quantizer."""
        return torch.split(z, [quantizer.dimensions for quantizer in self.first(None)], 1)

    def _inputs(
        self, used: list[VectorQuantizer], z: Tensor, penalties: Sequence[Tensor] | None
    ) -> Iterator[tuple[VectorQuantizer, Tensor, Tensor | None]]:
        """Each used quantizer with its slice and its penalty."""
        own: Sequence[Tensor | None] = penalties if penalties is not None else [None] * len(used)
        return zip(used, self.slices(z), own, strict=False)

    def _joined(self, parts: list[Tensor]) -> Tensor:
        """Slices side by side [N, D], zeros for those that are missing."""
        unused = self.first(None)[len(parts) :]
        rest = [parts[0].new_zeros(len(parts[0]), quantizer.dimensions) for quantizer in unused]
        return torch.cat(parts + rest, 1)  # [N, D]


class ResidualQuantizer(_Composite):
    """Quantizer i codes what the quantizers before it left over (residual quantization; SoundStream, 2107.03312).

    The gradient reaches the input once, by the rule of the first quantizer applied to the sum: straight-through, or
    the rotation from z to its value.
    """

    def forward(self, z: Tensor, groups: int | None = None) -> VectorQuantized:
        """Quantize z [N, D] in the first `groups` stages; the loss is the mean of theirs."""
        z = z.float()
        stages = self.first(groups)
        values = torch.zeros_like(z)  # [N, D]
        parts = []
        for stage in stages:
            parts.append(stage(z - values))
            values = values + parts[-1].values.detach()
        indices = torch.stack([part.indices for part in parts], 1)  # [N, g]
        loss = torch.stack([part.loss for part in parts]).mean()
        return VectorQuantized(stages[0].pass_gradient(z, values), indices, loss)

    @torch.no_grad()
    def quantize(self, z: Tensor, groups: int | None = None) -> Tensor:
        """Indices int64 [N, g] of z [N, D]."""
        z = z.float()
        values = torch.zeros_like(z)  # [N, D]
        columns = []
        for stage in self.first(groups):
            columns.append(stage.quantize(z - values))
            values = values + stage.dequantize(columns[-1])
        return torch.stack(columns, 1)  # [N, g]

    def dequantize(self, indices: Tensor) -> Tensor:
        """Values [N, D] of indices [N, g], added in the order of the stages.

        Raises:
            FormatError: an index is outside its codebook, or there are more columns than stages.
        """
        stages = self.behind(indices)
        values = torch.zeros(len(indices), stages[0].dimensions, device=stages[0].codebook.device)  # [N, D]
        for stage, column in zip(stages, indices.unbind(1), strict=True):
            values = values + stage.dequantize(column)
        return values
