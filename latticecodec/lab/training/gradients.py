"""Which parameters learn nothing: a compiler that drops gradients, or a part that has died, shows nowhere else."""

import torch
from torch import Tensor, nn


class Gradients:
    """Whether the parameters of a model have gradients, noted on its device until someone asks.

    Args:
        model: whose parameters train, but for those that want no gradient.
    """

    def __init__(self, model: nn.Module) -> None:
        self._trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
        self._seen: Tensor | None = None  # [P] bool

    @torch.no_grad()
    def note(self) -> None:
        """Look at the gradients of a step."""
        zero = next(iter(self._trained.values())).new_zeros(())
        given = [value.grad for value in self._trained.values() if value.grad is not None]
        norms = iter(torch._foreach_norm(given))
        seen = torch.stack([zero if value.grad is None else next(norms) for value in self._trained.values()]) != 0
        self._seen = seen if self._seen is None else self._seen | seen

    def missing(self) -> list[str]:
        """The parameters that had none but zeros at every step since the last call; "part.*" is all of a part."""
        seen = [True] * len(self._trained) if self._seen is None else self._seen.tolist()
        self._seen = None
        silent = {name for name, learned in zip(self._trained, seen, strict=True) if not learned}
        return list(dict.fromkeys(self._shortest(name, silent) for name in self._trained if name in silent))

    def _shortest(self, name: str, silent: set[str]) -> str:
        """The largest part around a silent parameter all of which is silent."""
        words = name.split(".")
        for count in range(1, len(words)):
            part = ".".join(words[:count]) + "."
            if all(other in silent for other in self._trained if other.startswith(part)):
                return f"{part}*"
        return name
