"""How latents are cut into groups, each with an index of its own: so that none has much more to say than the others."""

from collections.abc import Sequence

from torch import Tensor

LEAST_SHARE = 0.5  # of a mean latent's bits, that every latent counts in addition to its own


def widths_of(bits: Tensor, groups: int, widest: int) -> tuple[int, ...]:
    """Widths of slices of latents with descending bits [M], so that the fullest has least; none above `widest`."""
    weights = (bits + LEAST_SHARE * bits.mean()).tolist()
    low, high = 0.0, sum(weights)
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (low, middle) if len(_filled(weights, middle, widest)) <= groups else (middle, high)
    return split(_filled(weights, high, widest), groups)


def split(widths: Sequence[int], count: int) -> tuple[int, ...]:
    """`widths` with the widest halved until there are `count`."""
    parts = list(widths)
    while len(parts) < count:
        at = parts.index(max(parts))
        parts[at : at + 1] = [parts[at] // 2, parts[at] - parts[at] // 2]
    return tuple(parts)


def _filled(weights: list[float], most: float, widest: int) -> list[int]:
    """Widths of slices, each filled in turn until the next weight would make it more than `most`."""
    widths, total = [0], 0.0
    for weight in weights:
        if widths[-1] == widest or (widths[-1] and total + weight > most):
            widths.append(0)
            total = 0.0
        widths[-1] += 1
        total += weight
    return widths
