"""What watches over a training that nobody watches."""

import math

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ...errors import TrainingError
from .optimiser import Average

LOOK = 50  # steps between two looks at the loss; nothing is fetched from the device more often
EXPLODED = 5.0  # a loss this many times its running mean is an explosion; below zero, one that rises as far
NOISE = 2.0  # a mean nearer to zero than so many times what looks differ from it counts as one that far away
MEMORY = 0.8  # of the running means, a look
TRIES = 5  # bad looks in a row that end a training


class Guard:
    """Goes back to the last good average, at half the learning rate, when the loss is not finite or explodes."""

    def __init__(self, model: nn.Module, average: Average) -> None:
        self.share = 1.0  # of the learning rate: halved each time
        self._mean = 0.0  # running mean of the loss; 0 before the first good look
        self._spread = 0.0  # running mean of the distance to it
        self._bad = 0  # looks in a row that were bad
        self._keep(model, average)

    def look(self, loss: float, model: nn.Module, average: Average, optimiser: Optimizer) -> bool:
        """Judge the mean loss since the last look; True where it was bad, and model and optimiser have gone back.

        Raises TrainingError at the last of TRIES bad looks in a row.
        """
        rise = loss - self._mean
        exploded = self._mean and rise > (EXPLODED - 1) * max(abs(self._mean), NOISE * self._spread)
        good = math.isfinite(loss) and not exploded
        if good and average.is_finite():
            if self._mean:
                self._spread = MEMORY * self._spread + (1 - MEMORY) * abs(rise)
            self._mean = MEMORY * self._mean + (1 - MEMORY) * loss if self._mean else loss
            self._keep(model, average)
            self._bad = 0
            return False
        self._bad += 1
        if self._bad == TRIES:
            told = f"the loss was no number, or exploded, at {TRIES} looks in a row, at ever lower rates"
            raise TrainingError(f"{told}; begin with a lower `learning_rate`, or from other weights")
        self.share /= 2
        average.load(self._good)
        average.give(model)
        for name, value in _learned(model).items():
            value.copy_(self._books[name])
        optimiser.state.clear()
        return True

    def conclude(self) -> None:
        """At the end: raises TrainingError where no look was good, so that nothing was learned."""
        if not self._mean:
            raise TrainingError(
                "the loss was no number at any look; begin with a lower `learning_rate`, or from other weights"
            )

    def state(self) -> dict[str, float]:
        """What a checkpoint keeps, which is written after looks alone: then the average is the last good one."""
        return {"share": self.share, "mean": self._mean, "spread": self._spread, "bad": self._bad}

    def load(self, state: dict[str, float], model: nn.Module, average: Average) -> None:
        """Go on from a checkpoint with this model and average."""
        self.share, self._mean = state["share"], state["mean"]
        self._spread, self._bad = state.get("spread", 0.0), int(state.get("bad", 0))  # older checkpoints have neither
        self._keep(model, average)

    def _keep(self, model: nn.Module, average: Average) -> None:
        """What to go back to, from now on."""
        self._good = average.copy()
        self._books = {name: value.clone() for name, value in _learned(model).items()}


def _learned(model: nn.Module) -> dict[str, Tensor]:
    """What a model learns beside its parameters, as codebooks that are moving averages."""
    return {name: value for name, value in model.named_buffers() if value.is_floating_point()}


class Tally:
    """Sums of what a step gives, kept on the device until someone looks."""

    def __init__(self, count: int, device: torch.device) -> None:
        self._sums = torch.zeros(count, device=device)
        self._steps = 0

    def add(self, *values: Tensor) -> None:
        """The values [] of one step."""
        self._sums += torch.stack([value.detach() for value in values])
        self._steps += 1

    def means(self) -> list[float]:
        """Their means since the last look."""
        found: list[float] = (self._sums / max(1, self._steps)).tolist()
        self._sums.zero_()
        self._steps = 0
        return found
