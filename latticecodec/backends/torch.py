"""The networks by PyTorch: on CUDA, and on processors for what iterates through the prior in floating point."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from ..config import ModelConfig
from ..entropy.coder import Float32
from ..lab.arithmetic import exact_arithmetic, undisturbed
from ..lab.distortion import DISTORTIONS
from ..lab.nets import Analysis, HyperAnalysis, Synthesis
from ..lab.nets.prior import FloatPrior
from ..lab.nets.prior_state import float_tensors, scale_offsets
from ..lab.refine import refine
from ..weights import part
from .backend import Refinement, Report, Tensors

Network = TypeVar("Network", bound=nn.Module)


class TorchBackend:
    """See `backend.Backend` and `backend.Refiner`.

    Args:
        config: of the model.
        tensors: of the model, merged.
        device: where to compute, "cpu" or "cuda".

    Raises RuntimeError that names the first tensor that is missing, superfluous or of another shape.
    """

    def __init__(self, config: ModelConfig, tensors: Tensors, device: str = "cpu") -> None:
        self._config, self._device = config, torch.device(device)
        self._prior_tensors = part("prior", tensors)
        with undisturbed(self._device):
            self._analysis = network(lambda: Analysis(config), "analysis", tensors, self._device)
            self._synthesis = network(lambda: Synthesis(config), "synthesis", tensors, self._device)
            self._hyper_analysis = network(lambda: HyperAnalysis(config), "hyper_analysis", tensors, self._device)

    def analysis(self, x: Float32) -> Float32:
        """See `backend.Backend`."""
        with self._computing():
            return _array(self._analysis(_channels_last(self._tensor(x))))  # [M, h, w]

    def hyper_analysis(self, u: Float32) -> Float32:
        """See `backend.Backend`."""
        with self._computing():
            return _array(self._hyper_analysis(self._tensor(u)))  # [Z, h, w]

    def synthesis(self, y_hat: Float32, t: float) -> Float32:
        """See `backend.Backend`."""
        with self._computing():
            return _array(self._decoded(self._tensor(y_hat), t))  # [3, 16 h, 16 w]

    def distortion_step(self, y_hat: Float32, t: float, x: Float32, tune: str) -> Float32:
        """See `backend.Backend`."""
        with self._computing(gradients=True):
            at = self._tensor(y_hat).requires_grad_(True)  # [1, M, h, w]
            (gradient,) = torch.autograd.grad(self._distortion(at, t, self._tensor(x), tune), at)
            return _array(gradient)  # [M, h, w]

    def refine(self, u: Float32, x: Float32, refinement: Refinement, report: Report) -> Float32:
        """See `backend.Refiner`."""
        with self._computing(gradients=True):
            basis = torch.from_numpy(refinement.steps).to(self._device)[:, None, None]  # [M, 1, 1]
            shown = self._tensor(x)  # [1, 3, H, W]
            refined = refine(
                self._tensor(u),
                refinement,
                prior=self._float_prior,
                hyper_analysis=self._hyper_analysis,
                distortion=lambda soft: self._distortion(soft * basis, refinement.t, shown, refinement.tune),
                report=report,
            )
            return _array(refined)  # [M, h, w]

    @contextmanager
    def _computing(self, gradients: bool = False) -> Iterator[None]:
        """What every method computes in, whatever modes of torch surround it."""
        with undisturbed(self._device), exact_arithmetic(self._device, gradients):
            yield

    def _tensor(self, values: Float32) -> Tensor:
        """An array [C, h, w] as a batch of one [1, C, h, w], a copy."""
        return torch.tensor(values[None], device=self._device, dtype=torch.float32)

    def _decoded(self, y_hat: Tensor, t: float) -> Tensor:
        """Latents y_hat [1, M, h, w] -> x_hat [1, 3, 16 h, 16 w]."""
        at = torch.tensor([t], device=self._device, dtype=torch.float32)
        x_hat: Tensor = self._synthesis(_channels_last(y_hat), at)
        return x_hat

    def _distortion(self, y_hat: Tensor, t: float, x: Tensor, tune: str) -> Tensor:
        """What latents y_hat [1, M, h, w] of a picture x [1, 3, H, W] cost in bits: a scalar with gradients."""
        height, width = x.shape[2:]
        x_hat = self._decoded(y_hat, t)[:, :, :height, :width]  # [1, 3, H, W]
        return DISTORTIONS[tune](x_hat, x, self._config.rate_weight(t))

    @cached_property
    def _float_prior(self) -> FloatPrior:
        """The prior of lattice coordinates in floating point."""
        with undisturbed(self._device):
            with torch.device("meta"):
                prior = FloatPrior(self._config)
            integers = {name: torch.tensor(value) for name, value in self._prior_tensors.items()}
            state = float_tensors(prior, integers, scale_offsets(self._config.latents))
            prior.load_state_dict(state, assign=True)
            return prior.eval().requires_grad_(False).to(self._device)


def network(make: Callable[[], Network], name: str, tensors: Tensors, device: torch.device) -> Network:
    """The module that `make` gives, with the weights named `name`.*, in float32, for inference on `device`.

    Raises RuntimeError that names the first tensor that is missing, superfluous or of another shape.
    """
    with torch.device("meta"):  # its first weights are not wanted, nor the random numbers they would take
        module = make()
    own, given = module.state_dict(), part(name, tensors)
    for key in sorted(own.keys() | given.keys()):
        shapes = [tuple(side[key].shape) if key in side else None for side in (own, given)]
        if shapes[0] != shapes[1]:
            raise RuntimeError(f"tensor {name}.{key} should have shape {shapes[0]}, has {shapes[1]}")
    weights = {key: torch.from_numpy(value.astype(np.float32)) for key, value in given.items()}  # copies
    module.load_state_dict(weights, assign=True)
    return module.eval().requires_grad_(False).to(device)


def _channels_last(x: Tensor) -> Tensor:
    """x [1, C, h, w] in the order in memory that the networks are fastest with."""
    return x.contiguous(memory_format=torch.channels_last)


def _array(x: Tensor) -> Float32:
    """A batch of one [1, C, h, w] as an array [C, h, w]."""
    values: Float32 = x[0].detach().contiguous().cpu().numpy()
    return values
