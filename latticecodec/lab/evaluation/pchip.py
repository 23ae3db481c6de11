"""PCHIP: a smooth curve through points that never overshoots them, and its exact integral.

Piecewise cubic Hermite interpolation with the slopes of Fritsch & Butland (1984), which satisfy the monotonicity
condition of Fritsch & Carlson, "Monotone piecewise cubic interpolation" (SIAM J. Numer. Anal. 17, 1980). The same curve
as scipy.interpolate.PchipInterpolator, end slopes included (Moler, "Numerical Computing with MATLAB", 2004, 3.4).

    piece i, t = x - x[i] in 0 .. h:   y[i] + d[i] t + c2 t^2 + c3 t^3
                                       c2 = (3 m - 2 d[i] - d[i+1]) / h,   c3 = (d[i] + d[i+1] - 2 m) / h^2
    with h = x[i+1] - x[i], secant m = (y[i+1] - y[i]) / h and slopes d
"""

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


def slopes(x: Float64, y: Float64) -> Float64:
    """Slope of the curve at every point: [N] for points x [N], strictly increasing, and y [N], N >= 2.

    Inside, the weighted harmonic mean of the two secants beside the point; 0 where they differ in sign.
    """
    h, m = np.diff(x), np.diff(y) / np.diff(x)  # [N - 1] each
    if len(x) == 2:
        return np.repeat(m, 2)
    d = np.zeros(len(x))  # [N]
    same = m[:-1] * m[1:] > 0  # [N - 2]
    before, after = (h[:-1] + 2 * h[1:])[same], (2 * h[:-1] + h[1:])[same]
    d[1:-1][same] = (before + after) / (before / m[:-1][same] + after / m[1:][same])
    d[0] = _end_slope(h[0], h[1], m[0], m[1])
    d[-1] = _end_slope(h[-1], h[-2], m[-1], m[-2])
    return d


def _end_slope(h0: float, h1: float, m0: float, m1: float) -> float:
    """Slope at an end: of the parabola through three points, limited to keep the shape; 0 is the end's own piece."""
    d = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    if d * m0 <= 0:
        return 0.0
    if m0 * m1 < 0 and abs(d) > 3 * abs(m0):
        return 3 * m0
    return d


def integrate(x: Float64, y: Float64, low: float, high: float) -> float:
    """Integral from `low` to `high` of the curve through x [N] and y [N]; x[0] <= low <= high <= x[-1]."""
    h, m, d = np.diff(x), np.diff(y) / np.diff(x), slopes(x, y)
    c2 = (3 * m - 2 * d[:-1] - d[1:]) / h  # [N - 1]
    c3 = (d[:-1] + d[1:] - 2 * m) / h**2

    def area(t: Float64) -> Float64:  # under each piece, from its start to t [N - 1]
        return t * (y[:-1] + t * (d[:-1] / 2 + t * (c2 / 3 + t * c3 / 4)))

    start, end = (np.clip(bound - x[:-1], 0, h) for bound in (low, high))
    return float((area(end) - area(start)).sum())
