"""A palette: colours merged two by two, those first that add least error for the bits they save, as far as one allows.

That is pairwise nearest neighbour clustering (Equitz 1989) with the entropy of the colours as bits, and a few of
Lloyd's steps at the end. Merging by the error alone gives pages of letters and code up to a quarter more bytes.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...picture import Samples
from .statistics import packed, strips

MERGED = 1024  # colours that are merged one by one; of more, near ones begin as one
MOST = 256  # colours of a palette, as VP8L has them
NEXT = 1.1  # times the error of one colour less; as much as that are all colours that change little
STEPS = 5  # of Lloyd's

Colours = NDArray[np.float64]  # [n, C]
Weights = NDArray[np.float64]  # pixels of each, [n]


class Palette:
    """The colours of a picture, ready to be reduced to any error."""

    def __init__(self, colour: Samples, where: NDArray[np.bool_]) -> None:
        """`colour` is uint8 [H, W, C]; only pixels where `where`, [H, W], is true are looked at, and reduced."""
        self._colour, self._where = colour, where

    def counts(self, most: float) -> list[int]:
        """The fewest colours that keep the mean squared error at or below `most`, and the next that are notably fewer.

        Those are left out that a palette does not hold, or that are no fewer than there are.
        """
        errors = self._merges[1]
        done = int(np.searchsorted(errors, most, side="right"))  # merges
        further = int(np.searchsorted(errors, NEXT * errors[min(done, len(errors) - 1)])) if len(errors) else 0
        counts = sorted({len(errors) + 1 - merges for merges in (done, further)}, reverse=True)
        return [count for count in counts if count < min(len(self._colours), MOST + 1)]

    def reduced(self, count: int) -> Samples:
        """The picture [H, W, C] in that many colours, or a few less."""
        means, weights = self._begun
        return self._drawn(_palette(means, weights, self._merges[0][: len(means) - count]))

    @cached_property
    def _colours(self) -> NDArray[np.uint64]:
        """All there are, packed and in ascending order, [N]."""
        return self._counted[0]

    @cached_property
    def _counted(self) -> tuple[NDArray[np.uint64], Weights]:
        parts = [
            np.unique(packed(self._colour[rows][self._where[rows]]), return_counts=True)
            for rows in strips(len(self._colour))
        ]
        colours, places = np.unique(np.concatenate([part[0] for part in parts]), return_inverse=True)
        counts = np.concatenate([part[1] for part in parts])
        return colours, np.bincount(places, counts).astype(np.float64)

    @cached_property
    def _groups(self) -> NDArray[np.int64]:
        """The number that each colour begins with, [N]: its own, or one with others that have the same high bits."""
        channels = _unpacked(self._colours, self._colour.shape[2])  # [N, C]
        shift = 0
        while True:
            groups: NDArray[np.int64]
            found, groups = np.unique(packed(channels >> shift), return_inverse=True)
            if len(found) <= MERGED:
                return groups
            shift += 1

    @cached_property
    def _begun(self) -> tuple[Colours, Weights]:
        """What is merged: means [n, C] and weights [n]."""
        weights = np.bincount(self._groups, self._counted[1]).astype(np.float64)  # [n]
        channels = _unpacked(self._colours, self._colour.shape[2])  # [N, C]
        sums = [np.bincount(self._groups, self._counted[1] * channel) for channel in channels.T]
        return np.stack(sums, axis=1) / weights[:, None], weights

    @cached_property
    def _merges(self) -> tuple[list[tuple[int, int]], NDArray[np.float64]]:
        """Which two become one, the second going into the first, and the mean squared error of the picture by then."""
        means, weights = self._begun
        channels = _unpacked(self._colours, self._colour.shape[2])  # [N, C]
        begun = float(self._counted[1] @ np.square(channels - means[self._groups]).sum(axis=1))
        pairs, costs = _merged(means, weights)
        return pairs, (begun + np.cumsum(costs)) / (weights.sum() * channels.shape[1])

    def _drawn(self, palette: tuple[NDArray[np.uint8], NDArray[np.int64]]) -> Samples:
        """The picture in the colours of a palette [k, C], of which every colour to begin with has one, [n]."""
        colours, entries = palette
        of_each = colours[entries[self._groups]]  # [N, C]
        out = self._colour.copy()
        for rows in strips(len(out)):
            where = self._where[rows]
            out[rows][where] = of_each[np.searchsorted(self._colours, packed(out[rows][where]))]
        return out


def _unpacked(colours: NDArray[np.uint64], channels: int) -> NDArray[np.uint16]:
    """Packed colours [N] as [N, C]."""
    shifts = np.uint64(16) * np.arange(channels - 1, -1, -1, dtype=np.uint64)
    return (colours[:, None] >> shifts & np.uint64(0xFFFF)).astype(np.uint16)


def _merged(means: Colours, weights: Weights) -> tuple[list[tuple[int, int]], NDArray[np.float64]]:
    """Pairs (stays, goes) in the order in which they become one, and what squared error each adds."""
    means, weights, count = means.copy(), weights.copy(), len(means)
    costs = np.stack([_costs(means, weights, one) for one in range(count)])  # [n, n]
    nearest, least = costs.argmin(axis=1), costs.min(axis=1)
    pairs, added = [], np.zeros(count - 1)
    for number in range(count - 1):
        stays = int(least.argmin())
        goes = int(nearest[stays])
        pairs.append((stays, goes))
        total = weights[stays] + weights[goes]
        added[number] = np.square(means[stays] - means[goes]).sum() * weights[stays] * weights[goes] / total
        means[stays] = (means[stays] * weights[stays] + means[goes] * weights[goes]) / total
        weights[stays], weights[goes] = total, 0
        costs[goes] = costs[:, goes] = least[goes] = np.inf
        costs[stays] = costs[:, stays] = _costs(means, weights, stays)
        changed = (nearest == stays) | (nearest == goes) | (costs[stays] < least)
        changed[stays] = True
        for one in np.flatnonzero(changed & (weights > 0)):
            nearest[one], least[one] = costs[one].argmin(), costs[one].min()
    return pairs, added


def _costs(means: Colours, weights: Weights, one: int) -> NDArray[np.float64]:
    """Squared error for each bit saved by merging one with each, [n]; infinite with itself and those that are gone."""
    costs = np.full(len(means), np.inf)
    others = np.flatnonzero(weights)
    others = others[others != one]  # [m]
    theirs, own = weights[others], weights[one]
    error = np.square(means[others] - means[one]).sum(axis=1) * theirs * own / (theirs + own)
    bits = theirs * np.log2(1 + own / theirs) + own * np.log2(1 + theirs / own)
    costs[others] = error / bits
    return costs


def _palette(
    means: Colours, weights: Weights, pairs: list[tuple[int, int]]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Colours [k, C] after merges, improved by Lloyd's steps, and which of them each has that there was before, [n]."""
    into = np.arange(len(means))
    for stays, goes in reversed(pairs):
        into[goes] = into[stays]
    _, entries = np.unique(into, return_inverse=True)
    for _ in range(STEPS):
        centres = _centres(means, weights, entries)  # [k, C]
        distances = np.stack([np.square(means - centre).sum(axis=1) for centre in centres])  # [k, n]
        _, entries = np.unique(distances.argmin(axis=0), return_inverse=True)
    return _centres(means, weights, entries).round().astype(np.uint8), entries


def _centres(means: Colours, weights: Weights, entries: NDArray[np.int64]) -> Colours:
    """The mean of those that have each entry, [k, C]."""
    sums = [np.bincount(entries, weights * channel) for channel in means.T]
    return np.stack(sums, axis=1) / np.bincount(entries, weights)[:, None]
