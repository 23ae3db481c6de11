"""Refining the latents of one picture by gradient, with encoder and decoder as they are (Yang et al., NeurIPS 2020).

Bits and distortion are minimised over the latents themselves. Their rounding is soft at first and grows harder, so
that the latents settle on lattice points that are cheap and that the synthesis makes the best of.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ..backends.backend import Refinement, Report
from ..config import HYPER
from .arithmetic import straight_through
from .nets import HyperAnalysis
from .nets.prior import FloatPrior, compand
from .quantizers.rounding import soft_round

STEP = 0.0015  # of gradient descent, lattice steps for a gradient of one bit a step; falls to a fifth
MOMENTUM = 0.8  # Nesterov's
SHARPNESS = (2.5, 8.0)  # of the soft rounding, at the first and the last iteration


def refine(
    u: Tensor,
    refinement: Refinement,
    prior: FloatPrior,
    hyper_analysis: HyperAnalysis,
    distortion: Callable[[Tensor], Tensor],
    report: Report,
) -> Tensor:
    """Latents [1, M, h, w] in lattice steps that make a better file than u [1, M, h, w].

    Args:
        u: latents in lattice steps, changed in place.
        refinement: how; its basis and tune are those of `distortion`.
        prior: in floating point.
        hyper_analysis: of the model.
        distortion: of soft lattice coordinates [1, M, h, w], in bits.
        report: called with (iterations done, iterations in all) after each.
    """
    iterations = refinement.iterations
    at = torch.tensor([refinement.t], device=u.device, dtype=torch.float32)
    refined = u.requires_grad_(True)  # [1, M, h, w]
    optimiser = torch.optim.SGD([refined], lr=STEP, momentum=MOMENTUM, nesterov=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, iterations, STEP / 5)
    first, last = SHARPNESS
    for done in range(iterations):
        sharpness = first * (last / first) ** (done / max(1, iterations - 1))
        z = _hyper_latents(hyper_analysis, refined)  # [1, Z, h/4, w/4]
        features = prior.hyper(z, at)[:, :, : u.shape[2], : u.shape[3]]  # [1, F, h, w]
        mean, scale = prior.context(straight_through(refined.round(), refined), features)  # [1, M, h, w] each
        soft = torch.where(scale < refinement.rounded_below, soft_round(refined, sharpness), refined)  # [1, M, h, w]
        bits = prior.bits(soft, mean, scale).sum() + prior.bits_z(z, *prior.z_parameters(at)).sum()
        optimiser.zero_grad()
        (bits + distortion(soft)).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        report(done + 1, iterations)
    return refined.detach()


def _hyper_latents(network: HyperAnalysis, u: Tensor) -> Tensor:
    """Latents in lattice steps [1, M, h, w] to rounded hyper-latents [1, Z, h/4, w/4], with a gradient."""
    bottom, right = -u.shape[2] % HYPER, -u.shape[3] % HYPER
    z = network(F.pad(compand(u), (0, right, 0, bottom), mode="replicate"))
    return straight_through(z.round(), z)
