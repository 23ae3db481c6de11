"""MS-SSIM with its gradient, for processors: what `pytorch_msssim` and autograd compute.

    picture ─► five scales ─► means, variances and covariance in windows ─► contrast at each, structure at the last
            ─► means over the picture, a channel each ─► their powers multiplied ─► mean over channels

No channel meets another before the end, so the gradient of every scale's mean can be had with the mean, before it is
known how much it counts. The window is its own mirror image: what passed through it passes back through it.
"""

from functools import cache

import numpy as np

from ..entropy.coder import Float32
from ..metrics import MS_SSIM_STABILITY, MS_SSIM_WEIGHTS, RADIUS
from .perceptual_graph import Graph, Value
from .perceptual_pooling import doubled, halved
from .session import Session


def ms_ssim_gradient(x_hat: Float32, x: Float32, threads: int) -> tuple[float, Float32]:
    """MS-SSIM of x_hat and x [3, H, W] in 0..255, both sides from 161, and its gradient with respect to x_hat."""
    means: list[Float32] = []
    slopes: list[Float32] = []
    for scale in range(len(MS_SSIM_WEIGHTS)):
        if scale:
            x_hat, x = halved(_evened(x_hat)), halved(_evened(x))  # [3, h, w]
        mean, slope = _at_scale(x_hat, x, scale == len(MS_SSIM_WEIGHTS) - 1, threads)  # [3], [3, h, w]
        means.append(mean)
        slopes.append(slope)
    weights = np.array(MS_SSIM_WEIGHTS, np.float32)[:, None]  # [5, 1]
    found = np.maximum(np.stack(means), 0)  # [5, 3]
    product = (found**weights).prod(0)  # [3]
    counts = np.divide(weights * product, found, out=np.zeros_like(found), where=product > 0) / 3  # [5, 3]
    gradient = slopes.pop() * counts[-1, :, None, None]  # [3, h, w]
    for count, slope in zip(counts[-2::-1, :, None, None], reversed(slopes), strict=True):
        height, width = slope.shape[1:]
        slope *= count
        slope += doubled(gradient)[:, height % 2 :, width % 2 :]
        gradient = slope
    return float(product.mean()), gradient


def _evened(x: Float32) -> Float32:
    """[3, h, w] with a row and a column of zeros before the first where their number is odd."""
    return np.pad(x, ((0, 0), (x.shape[1] % 2, 0), (x.shape[2] % 2, 0)))


def _at_scale(x_hat: Float32, x: Float32, last: bool, threads: int) -> tuple[Float32, Float32]:
    """Mean contrast, or at the last scale mean structure, of every channel [3], and its gradient [3, h, w]."""
    windows = (x.shape[1] - 2 * RADIUS) * (x.shape[2] - 2 * RADIUS)
    given = {"x_hat": x_hat[None], "x": x[None], "window": np.array(1 / windows, np.float32)}
    mean, gradient = _session(last, threads)(**given)
    return mean[0, :, 0, 0], gradient[0]


@cache
def _session(last: bool, threads: int) -> Session:
    """The formulas of a scale: x_hat and x [1, 3, h, w] to mean [1, 3, 1, 1] and gradient [1, 3, h, w]."""
    graph = Graph()
    x_hat, x = (graph.input(name, [1, 3, "h", "w"]) for name in ("x_hat", "x"))
    window = graph.input("window", [])  # what one counts in the mean
    for_mean, for_variance = MS_SSIM_STABILITY

    mean_hat, mean = _seen(x_hat), _seen(x)  # [1, 3, h - 10, w - 10], as all up to the gradient
    variance_hat, variance = _seen(x_hat * x_hat) - mean_hat * mean_hat, _seen(x * x) - mean * mean
    covariance = _seen(x_hat * x) - mean_hat * mean
    variances = variance_hat + variance + for_variance
    contrast = (2 * covariance + for_variance) / variances
    d_product = 2 / variances  # derivative of contrast, by what is seen of x_hat x,
    d_square = -contrast / variances  # of x_hat^2
    d_mean = -(2 * mean_hat * d_square + mean * d_product)  # and of x_hat
    out = contrast
    if last:
        squares = mean_hat * mean_hat + mean * mean + for_mean
        luminance = (2 * mean_hat * mean + for_mean) / squares
        out = luminance * contrast
        d_product, d_square = luminance * d_product, luminance * d_square
        d_mean = luminance * d_mean + contrast * (2 * (mean - luminance * mean_hat) / squares)
    gradient = _shown(window * d_mean) + 2 * x_hat * _shown(window * d_square) + x * _shown(window * d_product)
    return graph.session([out.mean(), gradient], threads)


def _seen(x: Value) -> Value:
    """[1, 3, h, w] through windows that lie wholly inside, [1, 3, h - 10, w - 10]."""
    return x.across(0).down(0)


def _shown(gradient: Value) -> Value:
    """What `_seen` passes back: [1, 3, h - 10, w - 10] to [1, 3, h, w]."""
    return gradient.across(2 * RADIUS).down(2 * RADIUS)
