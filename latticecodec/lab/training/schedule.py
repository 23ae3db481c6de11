"""The learning rate over a training of so many steps, or of so many minutes on the clock.

Warm-up, then constant, then linear to zero over the last FALL of the training (Hägele et al. 2024): until the fall
begins nothing depends on how long the training will be, so that weights from before it can always go on.
"""

import time
from dataclasses import dataclass, field

FALL = 0.35  # share of a training over which the learning rate falls


@dataclass
class Schedule:
    """How far a training is. Seconds pass only between `tick` and `tick`."""

    steps: int  # to train for; 0: by the clock
    minutes: float  # to train for; 0: by steps
    warm_up: int  # steps
    begun: int = 0  # the step at which this schedule began
    seconds: float = 0.0  # that training has taken since then, over all processes
    _last: float = field(default_factory=lambda: time.monotonic())

    def tick(self) -> None:
        """Count the time since the last tick."""
        now = time.monotonic()
        self.seconds += now - self._last
        self._last = now

    def done(self, step: int) -> float:
        """Share of the training that lies before step `step`: 0 to 1."""
        if self.steps:
            return min(1.0, (step - self.begun) / self.steps)
        in_all = 60 * self.minutes  # seconds; 0 for less than a processor that flushes denormal numbers counts
        return self.seconds / in_all if self.seconds < in_all else 1.0

    def falling(self, step: int) -> bool:
        """Whether the learning rate of step `step` is below its peak for good."""
        return self.done(step) > 1 - FALL

    def learning_rate(self, step: int) -> float:
        """The learning rate of step `step`, as a share of its peak."""
        warm = (step - self.begun + 1) / self.warm_up if self.warm_up else 1.0
        return min(1.0, warm, (1 - self.done(step)) / FALL)
