"""Bjøntegaard delta rate: how many per cent fewer or more bits for the same PSNR.

G. Bjøntegaard, "Calculation of average PSNR differences between RD-curves" (ITU-T VCEG-M33, 2001), with the piecewise
cubic (PCHIP) that later replaced the single cubic of the original, since that one oscillates on more than four points.
"""

import math
from collections.abc import Iterable

import numpy as np

from ...errors import LcqError
from .pchip import Float64, integrate

CurvePoint = tuple[float, float]  # bits per pixel, PSNR in dB


def bd_rate(reference: Iterable[CurvePoint], test: Iterable[CurvePoint], least: float = -math.inf) -> float:
    """Mean difference in rate of `test` against `reference` at equal PSNR, in per cent; negative: `test` is smaller.

    100 (exp(mean of ln rate_test - ln rate_reference) - 1), the mean taken over the PSNR range that both curves cover.

    Args:
        reference: (bpp, PSNR in dB) of the codec compared with, at least two points in any order.
        test: the same of the codec in question.
        least: PSNR from which on the range counts; the curves pass through the points below it all the same.

    A point that another of its curve equals or beats in both rate and PSNR is left out: nobody would choose it, and
    what remains rises strictly. Raises LcqError where a curve has fewer than two such points, where a value is not a
    number or a rate is not positive, and where the ranges of PSNR do not overlap, or not above `least`.
    """
    psnr_a, log_rate_a = _curve(reference, "the reference")
    psnr_b, log_rate_b = _curve(test, "the test")
    low, high = max(psnr_a[0], psnr_b[0], least), min(psnr_a[-1], psnr_b[-1])
    if low >= high:
        raise LcqError(
            f"no BD-rate: the curves share no range of PSNR ({psnr_a[0]:.2f} to {psnr_a[-1]:.2f} dB and "
            f"{psnr_b[0]:.2f} to {psnr_b[-1]:.2f} dB)"
        )
    area = integrate(psnr_b, log_rate_b, low, high) - integrate(psnr_a, log_rate_a, low, high)
    return 100 * math.expm1(area / (high - low))


def _curve(points: Iterable[CurvePoint], name: str) -> tuple[Float64, Float64]:
    """PSNR [N] and ln bpp [N], both strictly increasing."""
    points = list(points)
    if not all(math.isfinite(bpp) and math.isfinite(psnr) and bpp > 0 for bpp, psnr in points):
        raise LcqError(f"no BD-rate: {name} curve has a value that is not finite, or a rate that is not positive")
    best: list[CurvePoint] = []
    for bpp, psnr in sorted(points, key=lambda point: (point[0], -point[1])):
        if not best or psnr > best[-1][1]:
            best.append((bpp, psnr))
    if len(best) < 2:
        raise LcqError(f"no BD-rate: {name} curve has {len(best)} usable points, at least 2 are needed")
    rates, psnrs = np.array(best, dtype=np.float64).T
    return psnrs, np.log(rates)
