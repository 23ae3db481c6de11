"""A model, loaded: its kind, and who computes its networks."""

from functools import cached_property
from typing import TYPE_CHECKING

from ..config import ModelConfig
from ..errors import ModelError
from ..kinds import KINDS

if TYPE_CHECKING:
    from ..backends.backend import Backend, Refiner, Tensors
    from ..container import Header
    from ..kinds import Kind, Rate


class Model:
    """What encoder and decoder both hold.

    Attributes:
        config: of the model.
        device: where its networks are computed, "cpu" or "cuda".
        digest: what a file says of the model that it was written with.
        backend: who computes its networks.
        kind: what codes its latents.
    """

    def __init__(self, config: ModelConfig, tensors: "Tensors", device: str) -> None:
        """Raises ModelError where the tensors do not fit the configuration, or the prior fails its self-test."""
        self.config, self.device, self._tensors = config, device, tensors
        self.digest = config.digest
        if config.quantizer not in KINDS:
            known = ", ".join(KINDS)
            raise ModelError(f"model {config.name}: unknown quantizer {config.quantizer!r}; this version knows {known}")
        try:
            self.backend = backend_of(config, tensors, device)
            self.kind: Kind = KINDS[config.quantizer](config, tensors, self.backend)
            fingerprint = self.kind.fingerprint()
        except (KeyError, ValueError, RuntimeError) as error:
            raise ModelError(f"model {config.name}: its weights do not fit its config.json ({error})") from None
        if fingerprint != config.prior_sha256:
            told = "the self-test of its prior fails, and files would not decode"
            raise ModelError(f"model {config.name}: {told}; take an undamaged copy of the model")

    def rate_of(self, header: "Header") -> "Rate":
        """The rate of a file; raises ModelError where its header does not fit the model."""
        if (header.quantizer, header.family) != self.kind.format_id:
            told = f"the file has quantizer {header.quantizer}, family {header.family} where its model has another"
            raise ModelError(f"{told}: damaged")
        self.kind.check_basis(header.basis)
        return self.kind.rates.of_scale(header.scale)

    def check_effort(self, effort: int) -> None:
        """Raise LcqError where an effort takes PyTorch and it is not installed; nothing is imported."""
        if self._iterates(effort):
            from ..extras import require

            require("torch", f"effort {effort}")

    def refiner(self, effort: int) -> "Refiner | None":
        """Who iterates at an effort that `check_effort` passed; None where nobody does."""
        return self._refiner if self._iterates(effort) else None

    def _iterates(self, effort: int) -> bool:
        return self.kind.plain < effort <= self.kind.efforts

    @cached_property
    def _refiner(self) -> "Refiner":
        from ..backends.torch import TorchBackend

        if isinstance(self.backend, TorchBackend):
            return self.backend
        return TorchBackend(self.config, self._tensors, self.device)


def backend_of(config: ModelConfig, tensors: "Tensors", device: str) -> "Backend":
    """Who computes the networks of a model on a device."""
    if device == "cpu":
        from ..backends.onnx import OnnxBackend

        return OnnxBackend(config, tensors)
    from ..backends.torch import TorchBackend

    return TorchBackend(config, tensors, device)
