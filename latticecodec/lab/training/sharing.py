"""Matrices shared out among the processes of a training: which of them moves which, and how the others hear of it."""

from functools import lru_cache
from itertools import accumulate

import torch
from torch import Tensor

from ..ranks import Ranks

ELEMENTWISE = 10  # work for a number that is moved, in multiplications; beside the products


@lru_cache
def shares(shapes: tuple[tuple[int, ...], ...], count: int, side_max: int) -> list[list[int]]:
    """How many matrices of each stack [n, a, b] or [n, a] each of `count` processes moves: one list a stack.

    The matrices of all stacks stand in a row, which is cut where each process has about as much work as the others.
    Sides above `side_max` have no basis.
    """
    work = [_work(shape[1:], side_max) for shape in shapes for _ in range(shape[0])]
    total = max(1, sum(work))
    before = [end - own / 2 for end, own in zip(accumulate(work), work, strict=True)]
    owners = iter([min(count - 1, int(count * middle / total)) for middle in before])
    found = []
    for shape in shapes:
        own = [next(owners) for _ in range(shape[0])]
        found.append([own.count(index) for index in range(count)])
    return found


def _work(shape: tuple[int, ...], side_max: int) -> int:
    """Multiplications of a step for a matrix [a, b] or a vector [a], roughly."""
    numbers = shape[0] * (shape[1] if len(shape) > 1 else 1)
    sides = [side for side in shape if side <= side_max] if len(shape) == 2 else []
    return ELEMENTWISE * numbers + sum(3 * side * numbers + side**3 for side in sides)


def own_part(stack: list[Tensor], sizes: list[int], index: int) -> list[Tensor]:
    """Those of a stack that process `index` moves."""
    begin = sum(sizes[:index])
    return stack[begin : begin + sizes[index]]


@torch.no_grad()
def exchange(stacks: list[list[Tensor]], sizes: list[list[int]], ranks: Ranks) -> None:
    """Give every process the parameters that the others have moved; all together."""
    parts = [
        [value for stack, own in zip(stacks, sizes, strict=True) for value in own_part(stack, own, index)]
        for index in range(ranks.count)
    ]
    lengths = [sum(value.numel() for value in part) for part in parts]
    told = stacks[0][0].new_zeros(1, max(lengths))  # [1, longest]
    if parts[ranks.index]:
        told[0, : lengths[ranks.index]] = torch.cat([value.flatten() for value in parts[ranks.index]])
    for part, row in zip(parts, ranks.gathered(told), strict=True):  # of [count, longest]
        at = 0
        for value in part:
            value.copy_(row[at : at + value.numel()].view_as(value))
            at += value.numel()
