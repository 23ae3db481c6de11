"""One batch forward and backward; on a GPU recorded once and replayed."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from .recording import Recording

Compute = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, ...]]


class Pass:
    """Fills the gradients of a model, and returns the values [] that `compute` does, the first of which is the loss.

    Args:
        model: whose parameters get gradients.
        compute: (pixels [B, 3, S, S] uint8, t [B], generator of noise), all on `device`, -> values []. To be recorded
            it must do the same every time, but for what it is given, and fetch nothing from the device.
        device: on CUDA the work is recorded where `record`.
        record: whether `compute` is such.
    """

    def __init__(self, model: nn.Module, compute: Compute, device: torch.device, record: bool) -> None:
        self.model, self.compute, self.device = model, compute, device
        self.record = record and device.type == "cuda"
        self.noise = torch.Generator(device)
        self._recording = Recording(self.noise)
        self._inputs: tuple[Tensor, ...] = ()
        self._values: tuple[Tensor, ...] = ()

    def __call__(self, pixels: Tensor, t: Tensor, seed: int) -> tuple[Tensor, ...]:
        """Of a batch pixels [B, 3, S, S] uint8 at rate coordinates t [B], with noise of `seed`."""
        self.noise.manual_seed(seed)
        if not self.record:
            self._inputs = pixels.to(self.device, non_blocking=True), t.to(self.device)
            self._run()
            return self._values
        if [x.shape for x in self._inputs] != [pixels.shape, t.shape]:
            self._inputs = torch.empty_like(pixels, device=self.device), torch.empty_like(t, device=self.device)
        for kept, given in zip(self._inputs, (pixels, t.pin_memory()), strict=True):
            kept.copy_(given, non_blocking=True)
        self._recording(tuple(x.data_ptr() for x in self._inputs), self._run)
        return self._values

    def _run(self) -> None:
        """`compute` of the inputs, and its gradients."""
        for parameter in self.model.parameters():
            parameter.grad = None
        pixels, t = self._inputs
        values = self.compute(pixels, t, self.noise)
        values[0].backward()  # type: ignore[no-untyped-call]
        self._values = tuple(value.detach() for value in values)
