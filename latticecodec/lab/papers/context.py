"""A code for the indices of a trained row that looks at the neighbours of each position, as the codec's priors do.

An embedding is coded as its class, then as a member of that class. Classes are k-means clusters of embeddings as often
as they occur, one each where they are few; the table of a class is that of the classes of the left and of the upper
neighbour, estimated with back-off to the left one, then to none. The table of a member is that of its class alone.
Embeddings that the training pictures do not have are a class of their own, and are coded as memoryless code codes them.

All pictures are coded side by side, position by position in raster order; integer tables between bytes and indices.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...entropy.coder import Decoder, Encoder, Int32, Tables
from ..nets.tables import integer_frequencies
from ..quantizers.codewords import nearest
from ..quantizers.kmeans import kmeans
from .bottleneck import Bottleneck
from .counting import Counts, Points, Statistics
from .stream import Shape, StaticCode, indices_layout

CLASSES = 32
CLUSTERED = 1 << 14  # positions that k-means sees
ITERATIONS = 10
BACK_OFF = 8.0  # positions that the estimate of a shorter context weighs beside those of a longer one


@dataclass(frozen=True)
class ContextCode:
    """Classes of embeddings, their tables by neighbours, and tables of the members of each class."""

    points: Points
    classes: Int32  # [n + 1] class of each number; `points.other` has the last one
    places: Int32  # [n + 1] place of each number in its class
    contexts: Tables  # [(C + 1)^2] by class of the left and of the upper neighbour; C stands for none
    context_centre: int
    members: Tables  # [C] by class
    member_centres: Int32  # [C]
    escaped: StaticCode

    @staticmethod
    def fitted(statistics: Statistics, points: Points, escaped: StaticCode) -> "ContextCode":
        """Classes and tables from the places of embeddings in training pictures."""
        fields = [points.numbered(hashes) for hashes in statistics.fields]
        classes = _classes(statistics.bottleneck, points, np.concatenate([field.ravel() for field in fields]))
        count = int(classes[-1]) + 1  # C
        order = np.argsort(classes, kind="stable")
        firsts = np.searchsorted(classes[order], np.arange(count))  # [C]
        places = np.empty_like(classes)
        places[order] = np.arange(len(classes)) - firsts[classes[order]]
        weights = np.append(points.counts, 1.0)
        rows, centres = [], []
        for each in range(count):
            row, centre = indices_layout(weights[classes == each])
            rows.append(integer_frequencies(row))
            centres.append(centre)
        shares = _shares([classes[field] for field in fields], count, points)  # [(C + 1)^2, C]
        layouts = [indices_layout(share) for share in shares]
        contexts = _tables([integer_frequencies(row) for row, _ in layouts])
        return ContextCode(
            points,
            classes,
            places.astype(np.int32),
            contexts,
            layouts[0][1],
            _tables(rows),
            np.array(centres, np.int32),
            escaped,
        )

    def encode(self, symbols: Tensor) -> bytes:
        """See Code."""
        rows = symbols.flatten(0, 2).cpu().numpy()  # [B h w, S]
        numbers = self.points.numbers(rows)  # [B h w]
        classes = self.classes[numbers].reshape(symbols.shape[:3])  # [B, h, w]
        ids = _contexts(classes, len(self.member_centres))  # [B, h, w]
        encoder = Encoder()
        for row, column in itertools.product(range(classes.shape[1]), range(classes.shape[2])):
            encoder.put(classes[:, row, column] - np.int32(self.context_centre), ids[:, row, column], self.contexts)
        flat = classes.ravel()  # [B h w]
        encoder.put(self.places[numbers] - self.member_centres[flat], flat, self.members)
        self.escaped.put(encoder, rows[numbers == self.points.other])
        return encoder.finish()

    def decode(self, data: bytes, shape: Shape) -> Tensor:
        """See Code."""
        decoder = Decoder(data)
        count = len(self.member_centres)  # C
        classes = np.full((shape[0], shape[1] + 1, shape[2] + 1), count, np.int32)  # none around the picture
        for row, column in itertools.product(range(1, shape[1] + 1), range(1, shape[2] + 1)):
            ids = classes[:, row, column - 1] * np.int32(count + 1) + classes[:, row - 1, column]  # [B]
            classes[:, row, column] = decoder.get(ids, self.contexts) + np.int32(self.context_centre)
        flat = classes[:, 1:, 1:].ravel()  # [B h w]
        places = decoder.get(flat, self.members) + self.member_centres[flat]  # [B h w]
        order = np.argsort(self.classes, kind="stable").astype(np.int32)
        firsts = np.searchsorted(self.classes[order], np.arange(count))  # [C]
        numbers = order[firsts[flat] + places]  # [B h w]
        return self.escaped.with_escapes(decoder, self.points, numbers).view(*shape, -1)  # [B, h, w, S]


def _classes(bottleneck: Bottleneck, points: Points, seen: Int32) -> Int32:
    """The class [n + 1] of each number; of numbers `seen` [positions] in training pictures. The last is of `other`."""
    if points.other <= CLASSES:
        return np.arange(points.other + 1, dtype=np.int32)
    device = next(bottleneck.parameters()).device if list(bottleneck.parameters()) else None
    values = bottleneck.dequantize(torch.from_numpy(points.points).to(device)).cpu()  # [n, D]
    generator = torch.Generator().manual_seed(0)
    sample = torch.randperm(len(seen), generator=generator)[:CLUSTERED]
    known = seen[sample.numpy()]
    known = known[known != points.other].astype(np.int64)  # of which there are some
    means, _ = kmeans(values[torch.from_numpy(known)], CLASSES, ITERATIONS, generator)  # [C, D]
    _, classes = torch.unique(nearest(values, means), return_inverse=True)  # [n] without gaps
    return np.append(classes.numpy(), int(classes.max()) + 1).astype(np.int32)


def _contexts(classes: Int32, count: int) -> Int32:
    """The context [B, h, w] of every position of classes [B, h, w], `count` of which there are."""
    around = np.pad(classes, ((0, 0), (1, 0), (1, 0)), constant_values=count)  # [B, h + 1, w + 1]
    ids: Int32 = (around[:, 1:, :-1] * (count + 1) + around[:, :-1, 1:]).astype(np.int32)
    return ids


def _shares(fields: list[Int32], count: int, points: Points) -> Counts:
    """Estimated shares [(C + 1)^2, C] of classes by context, from the classes of fields [B, h, w]."""
    counts = np.zeros((count + 1) ** 2 * count)
    for classes in fields:
        at = _contexts(classes, count) * count + classes  # [B, h, w]
        counts += np.bincount(at.ravel(), minlength=len(counts))
    pairs = counts.reshape(count + 1, count + 1, count)  # left, above, class
    alone = pairs.sum((0, 1))  # [C]
    alone[-1] += (points.other_count - points.others) * alone.sum() / (points.counts.sum() + points.others)
    alone /= alone.sum()
    left = _backed(pairs.sum(1), alone)  # [C + 1, C]
    return _backed(pairs, left[:, None]).reshape(-1, count)


def _backed(counts: Counts, shorter: Counts) -> Counts:
    """Shares from counts [..., C] and BACK_OFF positions of a shorter context's shares."""
    shares: Counts = (counts + BACK_OFF * shorter) / (counts.sum(-1, keepdims=True) + BACK_OFF)
    return shares


def _tables(rows: list[Int32]) -> Tables:
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int32)
    return Tables(np.concatenate(rows), offsets)
