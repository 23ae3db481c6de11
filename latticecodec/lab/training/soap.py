"""SOAP (Vyas et al. 2024): Adam in the eigenbasis of Shampoo's preconditioners, matrices of one shape as one stack.

For a gradient G [a, b] with running averages L of G G^T and R of G^T G, whose eigenvectors are Q_L and Q_R:

    G' = Q_L^T G Q_R      Adam on G'      step = Q_L (m' / sqrt(v')) Q_R^T

The eigenvectors follow L and R by one step of a power iteration at a time. A model has hundreds of matrices but a dozen
shapes; stacked, a step is a few batched products instead of hundreds of small ones. Nothing is read from the device,
and on a GPU all but the power iteration is recorded once and replayed (recording.py).

Of several processes each keeps the state of its share of the matrices, moves these, and tells the others (sharing.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from ...entropy.numbers import KNOTS
from ..ranks import ALONE, Ranks
from .recording import Recording
from .sharing import exchange, own_part, shares

SIDE_MAX = 320  # longer sides are not preconditioned: a basis costs the cube of its side
EPSILON = 1e-8
SIDES = ("left", "right")

Move = tuple[list[Tensor], dict[str, Any], tuple[float, float]]  # parameters of one shape, their state, decays


class Soap(Optimizer):
    """SOAP without weight decay. The first step only looks at the gradients.

    Tables of values over the rate, which have KNOTS rows, get plain Adam: where all numbers of one have to move the
    same way, that is a single coordinate of its eigenbasis, and they share the step that by Adam each has. A prior's
    576 scales hardly moved in 2,000 steps.

    Args:
        parameters: groups with `params`; matrices are preconditioned, vectors and tables get plain Adam.
        lr: learning rate.
        betas: decay of the first moment, and of the second moment and the preconditioners' averages.
        refresh: steps between two refreshes of the eigenbasis.
        ranks: the processes that share the matrices out; all of them take every step, and call `state_dict`, together.
    """

    def __init__(
        self,
        parameters: Iterable[dict[str, Any]],
        lr: float,
        betas: tuple[float, float] = (0.95, 0.95),
        refresh: int = 10,
        ranks: Ranks = ALONE,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "betas": betas, "refresh": refresh})
        self.ranks = ranks
        self._sizes: dict[Tensor, list[int]] = {}  # by the first of a stack: how many of it each process moves
        self._recording = Recording()
        self._amounts = torch.empty(0)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step down the gradients."""
        moves: list[Move] = []
        amounts = []  # how far each moves
        due = []
        stacks = [(stack, group) for group in self.param_groups for stack in _stacks(group["params"])]
        sizes = shares(tuple((len(stack), *stack[0].shape) for stack, _ in stacks), self.ranks.count, SIDE_MAX)
        for (stack, group), sizes_of_stack in zip(stacks, sizes, strict=True):
            first, second = group["betas"]
            own = own_part(stack, sizes_of_stack, self.ranks.index)
            state: dict[str, Any] = self.state[stack[0]]  # of this process's part of them
            self._sizes[stack[0]] = sizes_of_stack
            if not state:
                self._begin(state, _gradient(own, stack[0]))
                continue
            if len(state["mean"]) != len(own):
                _cut(state, sizes_of_stack, self.ranks.index)
            state["step"] += 1
            if not own:
                continue
            # Adam's corrections for averages that began at zero
            scale = (1 - second ** state["step"]) ** 0.5 / (1 - first ** state["step"])
            moves.append((own, state, group["betas"]))
            amounts.append(-group["lr"] * scale)
            if state["step"] == 1 or state["step"] % group["refresh"] == 0:
                due.append(state)
        if moves:
            self._move(moves, amounts)
        _refresh(due)
        if not self.ranks.alone:
            exchange([stack for stack, _ in stacks], sizes, self.ranks)

    def state_dict(self) -> dict[str, Any]:
        """As of a process alone: the state of all matrices."""
        own = self.state
        self.state = defaultdict(dict, {first: self._whole(first, state) for first, state in own.items()})
        try:
            return super().state_dict()
        finally:
            self.state = own

    def _whole(self, first: Tensor, state: dict[str, Any]) -> dict[str, Any]:
        """The state of the whole stack that begins with `first`."""
        if self.ranks.alone or first not in self._sizes:  # before the first step it is as it was loaded
            return state
        sizes = self._sizes[first]
        whole = {name: self.ranks.put_together(value, sizes) for name, value in state.items() if name != "step"}
        return {"step": state["step"]} | whole

    def _move(self, moves: list["Move"], amounts: list[float]) -> None:
        """Moves of all stacks, each by so much; on a GPU recorded while gradients and state stay where they are."""
        given = torch.tensor(amounts)
        device = moves[0][0][0].device
        if device.type == "cpu":
            _move_all(moves, given)
            return
        if len(self._amounts) != len(amounts):
            self._amounts = torch.empty(len(amounts), device=device)
        self._amounts.copy_(given.pin_memory(), non_blocking=True)
        places = [self._amounts.data_ptr()]
        for stack, state, _ in moves:
            places += [parameter.grad.data_ptr() for parameter in stack]  # type: ignore[union-attr]
            places += [value.data_ptr() for value in state.values() if isinstance(value, Tensor)]
        self._recording(tuple(places), lambda: _move_all(moves, self._amounts))

    def _begin(self, state: dict[str, Any], gradient: Tensor) -> None:
        state["step"] = 0
        state["mean"], state["square"] = torch.zeros_like(gradient), torch.zeros_like(gradient)
        layer = gradient.ndim == 3 and gradient.shape[1] != KNOTS
        for side, length in zip(SIDES, gradient.shape[1:], strict=False):
            if layer and length <= SIDE_MAX:
                state[side] = torch.zeros(len(gradient), length, length, device=gradient.device)
        _look(gradient, state, 1.0)
        for side in SIDES:
            if side in state:
                seen = state[side].double().nan_to_num(0, 0, 0)  # of a gradient that is none, eigh would raise
                state[f"{side}_basis"] = torch.linalg.eigh(seen)[1].flip(2).float()


def _stacks(parameters: list[Tensor]) -> Iterator[list[Tensor]]:
    """Parameters that have a gradient, by shape."""
    stacks: dict[torch.Size, list[Tensor]] = {}
    for parameter in parameters:
        if parameter.grad is not None:
            stacks.setdefault(parameter.shape, []).append(parameter)
    yield from stacks.values()


def _gradient(stack: list[Tensor], like: Tensor) -> Tensor:
    """Of parameters of one shape, that of `like`: [n, a, b] or [n, a]."""
    if not stack:
        return like.new_empty((0, *like.shape))
    return torch.stack([parameter.grad for parameter in stack])  # type: ignore[misc]


def _cut(state: dict[str, Any], sizes: list[int], index: int) -> None:
    """Keep the part of process `index` of a stack's state, which was loaded."""
    for name, value in state.items():
        if isinstance(value, Tensor):
            state[name] = torch.split(value, sizes)[index].clone()


def _move_all(moves: list[Move], amounts: Tensor) -> None:
    """Move every stack by its one of `amounts` [N], and let its averages see its gradient."""
    for (stack, state, (first, second)), amount in zip(moves, amounts, strict=True):
        gradient = _gradient(stack, stack[0])
        turned = _turn(gradient, state)
        state["mean"].lerp_(turned, 1 - first)
        state["square"].lerp_(turned.square_(), 1 - second)
        update = _turn_back(state["mean"] / state["square"].sqrt().add_(EPSILON), state).mul_(amount)
        torch._foreach_add_(stack, list(update.unbind()))
        _look(gradient, state, 1 - second)


def _turn(x: Tensor, state: dict[str, Any]) -> Tensor:
    """x [n, a, b] in the eigenbasis of each side that has one; a new tensor."""
    left, right = (state.get(f"{side}_basis") for side in SIDES)
    if left is not None:
        x = left.mT @ x
    if right is not None:
        x = x @ right
    return x if left is not None or right is not None else x.clone()


def _turn_back(x: Tensor, state: dict[str, Any]) -> Tensor:
    """Inverse of `_turn`."""
    left, right = (state.get(f"{side}_basis") for side in SIDES)
    if left is not None:
        x = left @ x
    return x if right is None else x @ right.mT


def _look(gradient: Tensor, state: dict[str, Any], weight: float) -> None:
    """Let the preconditioners' averages see a gradient [n, a, b]."""
    if "left" in state:
        state["left"].lerp_(gradient @ gradient.mT, weight)
    if "right" in state:
        state["right"].lerp_(gradient.mT @ gradient, weight)


def _refresh(states: list[dict[str, Any]]) -> None:
    """One power iteration of the bases, largest eigenvalue first; the moments follow the order and the turn.

    Bases of one length are made orthonormal together: for a GPU a hundred small matrices are as much work as ten.
    """
    means = [_turn_back(state["mean"], state) for state in states]
    images: dict[int, list[Tensor]] = {}
    kept: dict[int, list[Tensor]] = {}
    for state in states:
        for dimension, side in enumerate(SIDES, start=1):
            if side not in state:
                continue
            average, basis = state[side], state[f"{side}_basis"]
            image = average @ basis  # [n, s, s]
            order = (basis * image).sum(1).argsort(1, descending=True)  # [n, s] of the estimated eigenvalues
            images.setdefault(image.shape[1], []).append(image.gather(2, order[:, None].expand_as(image)))
            kept.setdefault(image.shape[1], []).append(basis.gather(2, order[:, None].expand_as(basis)))
            index = order[:, :, None] if dimension == 1 else order[:, None]
            state["square"].copy_(state["square"].gather(dimension, index.expand_as(state["square"])))
    bases = {
        length: iter(torch.split(_orthonormal(torch.cat(images[length]), torch.cat(stack)), [len(x) for x in stack]))
        for length, stack in kept.items()
    }
    for state, mean in zip(states, means, strict=True):
        for side in SIDES:
            if side in state:
                state[f"{side}_basis"].copy_(next(bases[state[side].shape[1]]))
        state["mean"].copy_(_turn(mean, state))


def _orthonormal(x: Tensor, otherwise: Tensor) -> Tensor:
    """Q of the QR factors of matrices x [n, s, s]; `otherwise` for those that are too near to singular.

    On a GPU a QR of a stack runs matrix after matrix; there it is done by Cholesky factors, twice, in double precision.
    The length of the columns is no matter to Q, so they are made equal first.
    """
    if x.device.type == "cpu":
        q: Tensor = torch.linalg.qr(x)[0]
        return q
    return _by_cholesky(x, otherwise)


def _by_cholesky(x: Tensor, otherwise: Tensor) -> Tensor:
    q = x.double()
    for _ in range(2):
        q = q / q.norm(dim=1, keepdim=True).clamp_min(1e-300)
        gram = q.mT @ q
        gram.diagonal(dim1=1, dim2=2).add_(1e-14)
        factor, _ = torch.linalg.cholesky_ex(gram, upper=True)
        q = torch.linalg.solve_triangular(factor, q, upper=True, left=False)
    error = (q.mT @ q - torch.eye(q.shape[1], device=q.device, dtype=q.dtype)).abs().amax((1, 2))  # [n]
    return torch.where((error < 1e-6)[:, None, None], q.float(), otherwise)
