"""SSIMULACRA2's weighted error with its gradient, for processors: what `lab.ssimulacra2` and autograd compute.

    light ─► six scales ─► XYB ─► windows ─► lost structure, artefacts, lost detail ─► norms 1 and 4 ─► weighted sum

The sum over scales has each as it is, so a scale's gradient needs no other. The window, mirrored above and below, is
its own mirror image: what passed through it passes back through it.
"""

from functools import cache

import numpy as np

from ..entropy.coder import Float32
from ..metrics import ABSORBANCE, BIAS, RADIUS, SCALES, SSIMULACRA2_SIDE_MIN, STABILITY, TINY, WEIGHTS
from .perceptual_graph import Graph, Value
from .perceptual_pooling import doubled, halved
from .session import Session

CONES = np.array(ABSORBANCE, np.float32)  # [3, 3]
OPPONENTS = np.array([[7, -7, 0], [0.5, 0.5, 0], [-0.5, -0.5, 1]], np.float32)  # X, Y and B - Y of three kinds of cones
CENTRES = np.array([0.42, 0.01 - BIAS ** (1 / 3), 0.55], np.float32)  # added, so that all is positive
KNEE = 0.04045  # of sRGB's curve, which is straight below


def weighted_error_gradient(x_hat: Float32, x: Float32, threads: int) -> tuple[float, Float32]:
    """The weighted sum of errors of x_hat and x [3, H, W] in [0, 1], both sides from 8, and its gradient for x_hat."""
    bright, light = _light(x_hat), _light(x)  # [3, H, W]
    pairs = [(bright, light)]
    while len(pairs) < SCALES and -(-min(light.shape[1:]) // 2) >= SSIMULACRA2_SIDE_MIN:
        bright, light = halved(_evened(bright)), halved(_evened(light))  # [3, h, w]
        pairs.append((bright, light))
    weights = np.array(WEIGHTS, np.float32).reshape(-1)[: 18 * len(pairs)].reshape(3, -1, 6)  # [3, S, 6]
    error, gradient = 0.0, np.zeros((3, 0, 0), np.float32)
    for scale in reversed(range(len(pairs))):
        lost, slope = _at_scale(*pairs.pop(), weights[:, scale], threads)  # slope [3, h, w]
        error += lost
        if gradient.size:
            slope += _folded(doubled(gradient), *slope.shape[1:])
        gradient = slope
    return error, gradient * _light_slope(x_hat)


def _light(x: Float32) -> Float32:
    """sRGB to light, [3, H, W]; values beyond 0 and 1 count as these."""
    x = np.clip(x, 0, 1)
    return np.where(x <= KNEE, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def _light_slope(x: Float32) -> Float32:
    """How much more light there is for more of x [3, H, W]."""
    slope = np.where(x <= KNEE, 1 / 12.92, 2.4 / 1.055 * ((np.maximum(x, 0) + 0.055) / 1.055) ** 1.4)
    return np.where((x > 0) & (x < 1), slope, 0)


def _evened(x: Float32) -> Float32:
    """[3, h, w] with the last row and column twice where their number is odd."""
    return np.pad(x, ((0, 0), (0, x.shape[1] % 2), (0, x.shape[2] % 2)), mode="edge")


def _folded(gradient: Float32, height: int, width: int) -> Float32:
    """What `_evened` passes back: gradients of even sides to [3, height, width]."""
    if height % 2:
        gradient[:, height - 1] += gradient[:, height]
    if width % 2:
        gradient[:, :, width - 1] += gradient[:, :, width]
    return gradient[:, :height, :width]


def _at_scale(bright: Float32, light: Float32, weights: Float32, threads: int) -> tuple[float, Float32]:
    """A scale's part of the weighted sum, by weights [3, 6], and its gradient [3, h, w], for light [3, h, w]."""
    pixel = np.array(1 / (light.shape[1] * light.shape[2]), np.float32)
    given = {"bright": bright[None], "light": light[None], "weights": weights.T[:, None, :, None, None], "pixel": pixel}
    errors, gradient = _session(threads)(**given)
    return float(errors.sum()), gradient[0]


@cache
def _session(threads: int) -> Session:
    """The formulas of a scale: light and weights to errors [1, 3, 1, 1] and gradient [1, 3, h, w]."""
    graph = Graph()
    bright, light = (graph.input(name, [1, 3, "h", "w"]) for name in ("bright", "light"))
    weights = graph.input("weights", [6, 1, 3, 1, 1])
    pixel = graph.input("pixel", [])  # what one counts in a mean over the picture
    cones = bright.mixed(CONES, BIAS) ** (1 / 3)  # [1, 3, h, w], as all up to the norms
    x_hat, x = (told.mixed(OPPONENTS, CENTRES) for told in (cones, light.mixed(CONES, BIAS) ** (1 / 3)))

    error = x_hat - x
    mean = _seen(x)
    shift = _seen(error)
    square_error = _seen(error * error)
    mean_hat = mean + shift
    variances = (_seen(x * x) - mean * mean) + (_seen(x_hat * x_hat) - mean_hat * mean_hat) + STABILITY
    shifted = shift * shift
    noise = (square_error - shifted) / variances
    structure = shifted + (1 - shifted) * noise
    detail, detail_left = 1 + abs(x_hat - mean_hat), 1 + abs(x - mean)
    edges = detail / detail_left - 1

    lost_structure, d_structure = _norms(structure, weights[0], weights[3], pixel)
    artefacts, d_artefacts = _norms(edges, weights[1], weights[4], pixel)
    lost_detail, d_lost_detail = _norms(-edges, weights[2], weights[5], pixel)

    d_noise = d_structure * (1 - shifted)
    d_square_error = d_noise / variances
    d_variances = -d_square_error * noise
    d_shifted = d_structure * (1 - noise) - d_square_error
    d_x_hat = (d_artefacts - d_lost_detail) * (x_hat - mean_hat).sign() / detail_left
    d_mean_hat = -(d_x_hat + 2 * mean_hat * d_variances)
    d_shift = d_mean_hat + 2 * shift * d_shifted
    d_x_hat += _seen(d_shift) + 2 * error * _seen(d_square_error) + 2 * x_hat * _seen(d_variances)
    d_cones = d_x_hat.mixed(OPPONENTS.T, 0) / (3 * cones * cones)
    gradient = d_cones.mixed(CONES.T, 0)
    return graph.session([lost_structure + artefacts + lost_detail, gradient], threads)


def _norms(values: Value, first: Value, fourth: Value, pixel: Value) -> tuple[Value, Value]:
    """Errors [1, 3, 1, 1] and their derivative by values [1, 3, h, w] above 0; norms are weighted by [1, 3, 1, 1]."""
    above = values.positive()
    square = above * above
    mean_fourth = (square * square).mean() + TINY
    errors = first * above.mean() + fourth * mean_fourth**0.25
    slope = pixel * first + pixel * fourth * mean_fourth**-0.75 * (square * above)
    return errors, slope.where_positive(values)


def _seen(x: Value) -> Value:
    """[1, 3, h, w] through the window, 0 to the sides, mirrored above and below."""
    return x.across(RADIUS).mirrored(RADIUS).down(0)
