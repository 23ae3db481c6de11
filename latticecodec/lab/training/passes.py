"""One batch forward and backward; on a GPU recorded once and replayed.

A step launches thousands of small kernels, which takes a processor longer than a GPU needs to run them. A recorded one
is a single launch.
"""

import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn

RECORD_AT = 12  # batches before the recording: kernels are compiled and chosen, and caches filled, in the first ones

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
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: tuple[Tensor, ...] = ()
        self._values: tuple[Tensor, ...] = ()

    def __call__(self, pixels: Tensor, t: Tensor, seed: int) -> tuple[Tensor, ...]:
        """Of a batch pixels [B, 3, S, S] uint8 at rate coordinates t [B], with noise of `seed`."""
        self.noise.manual_seed(seed)
        self._calls += 1
        if self.record and self._calls > RECORD_AT and self._graph is None:
            self._graph = self._recorded(pixels, t)
        if self._graph is None:
            return self._run(pixels.to(self.device, non_blocking=True), t.to(self.device))
        for kept, given in zip(self._inputs, (pixels, t.pin_memory()), strict=True):
            kept.copy_(given, non_blocking=True)
        self._graph.replay()
        return self._values

    def _run(self, pixels: Tensor, t: Tensor) -> tuple[Tensor, ...]:
        for parameter in self.model.parameters():
            parameter.grad = None
        values = self.compute(pixels, t, self.noise)
        values[0].backward()  # type: ignore[no-untyped-call]
        return tuple(value.detach() for value in values)

    def _recorded(self, pixels: Tensor, t: Tensor) -> "torch.cuda.CUDAGraph | None":
        """A graph of the work on batches of this shape; None, and never again, where it cannot be recorded."""
        self._inputs = pixels.to(self.device), t.to(self.device)
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self.noise)
        try:
            torch.cuda.synchronize(self.device)
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                self._values = self._run(*self._inputs)
        except RuntimeError as error:
            self.record = False
            warnings.warn(f"training is not recorded, and slower: {error}", stacklevel=2)
            return None
        return graph
