"""Refining the latents of one picture by gradient, with encoder and decoder as they are (Yang et al., NeurIPS 2020).

`refine` minimises bits and distortion over the latents themselves. Their rounding is soft at first and grows harder, so
that the latents settle on lattice points that are cheap and that the synthesis makes the best of. `one_step` is for
haste: one step down the distortion alone, after which points should be chosen by distance and bits together. Either
works on a part of the picture at a time (`by_parts`), so that large pictures need little more memory than small ones.
"""

import itertools
from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from ..config import HYPER
from ..lab.arithmetic import straight_through
from ..lab.nets import HyperAnalysis
from ..lab.nets.prior import FloatPrior, compand
from ..lab.quantizers.rounding import soft_round

STEP = 0.0015  # of gradient descent, lattice steps for a gradient of one bit a step; falls to a fifth
MOMENTUM = 0.8  # Nesterov's
SHARPNESS = (2.5, 8.0)  # of the soft rounding, at the first and the last iteration
ONE_STEP = {1: (0.007, 7.0), 2: (0.02, 1.0)}  # step and sharpness of `one_step`, by the unit of the coordinates
PART = 56  # latent positions a side that are refined at a time
SMALL_PART = 36  # the same of a large area, beside whose picture there is less room in memory

Distortion = Callable[[Tensor], Tensor]  # of soft lattice coordinates [1, M, h, w], in bits
Report = Callable[[int, int], None]  # called with (iterations done, iterations in all)


class Refinement(Protocol):
    """`one_step` or `refine` with all but the latents settled."""

    def __call__(self, u: Tensor, *, distortion: Distortion, report: Report) -> Tensor:
        """Latents [M, h, w] in lattice steps that make a better file than u [M, h, w]."""


def by_parts(
    u: Tensor, halo: int, refinement: Refinement, distortion: Callable[[Tensor, int, int], Tensor], report: Report
) -> Tensor:
    """Latents [M, h, w], refined a part at a time.

    Args:
        u: latents in lattice steps.
        halo: positions around a part that are refined with it, and then forgotten; a multiple of 4.
        refinement: of one part.
        distortion: of soft lattice coordinates [1, M, h, w] from a row and column on, in bits.
        report: called with the progress of all parts together.
    """
    out = torch.empty_like(u)
    longest = PART if max(u.shape[1:]) <= 2 * PART else SMALL_PART
    parts = list(itertools.product(_parts(u.shape[1], longest), _parts(u.shape[2], longest)))
    for number, ((top, bottom), (left, right)) in enumerate(parts):
        row, column = max(0, top - halo), max(0, left - halo)
        refined = refinement(
            u[:, row : bottom + halo, column : right + halo].clone(),  # no longer a tensor of inference
            distortion=lambda soft, row=row, column=column: distortion(soft, row, column),  # type: ignore[misc]
            report=lambda done, total, number=number: report(number * total + done, len(parts) * total),  # type: ignore[misc]
        )
        out[:, top:bottom, left:right] = refined[:, top - row : bottom - row, left - column : right - column]
    return out


def _parts(length: int, longest: int) -> list[tuple[int, int]]:
    """About equal parts of 0..length, about `longest` at most, all beginning at multiples of 4."""
    count = -(-length // longest)
    ends = [length * number // count // HYPER * HYPER for number in range(count)]
    return list(itertools.pairwise([*ends, length]))


def one_step(u: Tensor, unit: int, distortion: Distortion, report: Report) -> Tensor:
    """Latents [M, h, w] in lattice steps that the synthesis makes more of than of u [M, h, w].

    Args:
        u: latents in lattice steps.
        unit: 1 where they will be rounded to integers; 2 for E8, whose points the soft rounding does not know, so that
            it is weak.
        distortion: of soft lattice coordinates, in bits.
        report: called when it is done.
    """
    step, sharpness = ONE_STEP[unit]
    part = u[None].requires_grad_(True)  # [1, M, h, w]
    (gradient,) = torch.autograd.grad(distortion(soft_round(part, sharpness)), part)
    report(1, 1)
    return u.detach() - step * gradient[0]


def refine(
    u: Tensor,
    t: float,
    prior: FloatPrior,
    hyper_analysis: HyperAnalysis,
    distortion: Distortion,
    report: Report,
    iterations: int,
    rounded_below: float,
) -> Tensor:
    """Latents [M, h, w] in lattice steps that make a better file than u [M, h, w].

    Args:
        u: latents in lattice steps.
        t: rate coordinate.
        prior: in floating point.
        hyper_analysis: of the model.
        distortion: of soft lattice coordinates, in bits.
        report: called after each iteration.
        iterations: of gradient descent.
        rounded_below: log of the predicted sigma from which a coordinate is not rounded, since it will be part of an
            E8 point.
    """
    at = torch.tensor([t], device=u.device, dtype=torch.float32)
    refined = u[None].requires_grad_(True)  # [1, M, h, w]
    optimiser = torch.optim.SGD([refined], lr=STEP, momentum=MOMENTUM, nesterov=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, iterations, STEP / 5)
    first, last = SHARPNESS
    for done in range(iterations):
        sharpness = first * (last / first) ** (done / max(1, iterations - 1))
        z = _hyper_latents(hyper_analysis, refined)  # [1, Z, h/4, w/4]
        features = prior.hyper(z, at)[:, :, : u.shape[1], : u.shape[2]]  # [1, F, h, w]
        mean, scale = prior.context(straight_through(refined.round(), refined), features)  # [1, M, h, w] each
        soft = torch.where(scale < rounded_below, soft_round(refined, sharpness), refined)  # [1, M, h, w]
        bits = prior.bits(soft, mean, scale).sum() + prior.bits_z(z, *prior.z_parameters(at)).sum()
        optimiser.zero_grad()
        (bits + distortion(soft)).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        report(done + 1, iterations)
    return refined.detach()[0]


def _hyper_latents(network: HyperAnalysis, u: Tensor) -> Tensor:
    """Latents in lattice steps [1, M, h, w] to rounded hyper-latents [1, Z, h/4, w/4], with a gradient."""
    bottom, right = -u.shape[2] % HYPER, -u.shape[3] % HYPER
    z = network(F.pad(compand(u), (0, right, 0, bottom), mode="replicate"))
    return straight_through(z.round(), z)
