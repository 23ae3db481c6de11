"""What a training reports: after every step, and in a line of its log."""

import math
from dataclasses import dataclass, field

from .schedule import Schedule


@dataclass
class Progress:
    """What the loop reports after every step; loss, rate and quality are means up to the last look."""

    step: int
    done: float  # 0 to 1: how much of the training
    loss: float = math.nan
    bpp: float = math.nan
    psnr: float = math.nan  # dB
    seconds: float = 0.0  # of training, over all processes
    went_back: bool = False  # the guard has just gone back to an average, at half the learning rate
    validation: list[tuple[float, float, float]] = field(default_factory=list)  # (t, bpp, quality), see `validate`
    pages: list[tuple[float, float, float]] = field(default_factory=list)  # the same of drawn pages
    diagnosis: dict[str, float] = field(default_factory=dict)  # of the quantizer, when just validated
    without_gradient: list[str] = field(default_factory=list)  # see gradients.py; at the first look and validations

    def after(self, step: int, schedule: Schedule) -> "Progress":
        """What is known after another step, before anyone looks: loss, rate and quality as of the last look."""
        return Progress(step, schedule.done(step), self.loss, self.bpp, self.psnr, schedule.seconds)

    def row(self, tune: str) -> dict[str, float]:
        """A line of the log, by column, of a training for `tune`."""
        row: dict[str, float] = {
            "step": self.step,
            "seconds": round(self.seconds, 1),
            "loss": round(self.loss, 5),
        }
        for t, bpp, quality in self.validation:
            row[f"bpp@{t:g}"], row[f"{tune}@{t:g}"] = round(bpp, 5), round(quality, 4)
        for t, bpp, quality in self.pages:
            row[f"pages-bpp@{t:g}"], row[f"pages-{tune}@{t:g}"] = round(bpp, 5), round(quality, 4)
        return row | self.diagnosis | {"without-gradient": len(self.without_gradient)}

    def see(self, means: list[float]) -> None:
        """Take over the means of loss, bpp and MSE of the steps since the last look."""
        self.loss, self.bpp, mse = means
        self.psnr = -10 * math.log10(mse) if mse > 0 else math.nan
