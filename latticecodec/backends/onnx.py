"""The networks of a model on ONNX Runtime, on processors: loaded in a moment, without torch."""

import threading
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..config import PATCH, ModelConfig
from ..entropy.coder import Float32
from ..errors import ModelError
from .shapes import Shapes, network_shapes

if TYPE_CHECKING:
    from .session import Session


class OnnxBackend:
    """See `backend.Backend`. A network becomes ready when it is first used; threads may share a backend."""

    def __init__(self, config: ModelConfig, tensors: Mapping[str, NDArray[Any]], threads: int | None = None) -> None:
        """The networks of a model.

        Args:
            config: of the model.
            tensors: by the names in model.safetensors, those of a base and low-rank additions merged.
            threads: that a network runs on; by default the processors that the process may use.

        Raises ModelError where a tensor of a network is missing, superfluous or of another shape.
        """
        self.config = config
        self._asked = threads
        shapes = network_shapes(config)
        parts = {key.split(".")[0] for key in shapes}
        self._tensors = {key: value for key, value in tensors.items() if key.split(".")[0] in parts}
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()
        _check_shapes(config, shapes, self._tensors)

    def analysis(self, x: Float32) -> Float32:
        """See `backend.Backend`."""
        return self._run("analysis", x=x[None])  # [M, h, w]

    def hyper_analysis(self, u: Float32) -> Float32:
        """See `backend.Backend`."""
        return self._run("hyper_analysis", u=u[None])  # [Z, h, w]

    def synthesis(self, y_hat: Float32, t: float) -> Float32:
        """See `backend.Backend`."""
        return self._run("synthesis", y_hat=y_hat[None], t=_scalar(t))  # [3, 16h, 16w]

    def distortion_step(self, y_hat: Float32, t: float, x: Float32, tune: str) -> Float32:
        """See `backend.Backend`; the squared error's is one graph from y_hat and back to it."""
        height, width = x.shape[1:]
        if tune != "psnr":
            from .perceptual import gradient

            x_hat = self.synthesis(y_hat, t)[:, :height, :width]  # [3, H, W]
            at_x_hat = gradient(tune, x_hat, x, self.config.rate_weight(t), self._threads)  # [3, H, W]
            return self._run(
                "synthesis_gradient", y_hat=y_hat[None], t=_scalar(t), gradient=_filled_up(at_x_hat, y_hat)
            )  # [M, h, w]
        slope = 255**2 * self.config.rate_weight(t) * 2 / 3  # of the squared error of a pixel
        weight = _filled_up(np.full((1, height, width), slope, np.float32), y_hat)
        inputs = {"y_hat": y_hat[None], "t": _scalar(t), "x": _filled_up(x, y_hat), "weight": weight}
        return self._run("squared_error_gradient", **inputs)  # [M, h, w]

    def _run(self, network: str, **inputs: Float32) -> Float32:
        """What a network makes of its inputs [1, C, h, w]: [C, h, w]."""
        (out,) = self._session(network)(**inputs)
        inner: Float32 = out[0]
        return inner

    @cached_property
    def _threads(self) -> int:
        """That a network runs on."""
        from .processors import processors

        return self._asked or processors()

    def _session(self, network: str) -> "Session":
        """A key of NETWORKS, made and tested once; what that takes is imported by the first one."""
        from .networks import NETWORKS
        from .session import Session

        with self._lock:
            if network not in self._sessions:
                part = "synthesis." if network.endswith("gradient") else f"{network}."
                own = {
                    key.removeprefix(part): value.astype(np.float32)
                    for key, value in self._tensors.items()
                    if key.startswith(part)
                }
                session = Session(NETWORKS[network](self.config, own), self._threads)
                if not session.works():
                    told = f"the self-test of its {network} fails on this processor, and pictures would be wrong"
                    raise ModelError(f"model {self.config.name}: {told}; install another version of onnxruntime")
                self._sessions[network] = session
            return self._sessions[network]


def _check_shapes(config: ModelConfig, wanted: Shapes, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Raise ModelError for the first tensor that the networks do not have so."""
    for key in sorted(wanted.keys() | tensors.keys()):
        there = tensors[key].shape if key in tensors else None
        if wanted.get(key) != there:
            told = f"tensor {key} should have shape {wanted.get(key)}, has {there}"
            raise ModelError(f"model {config.name}: its weights do not fit its config.json ({told})")


def _scalar(t: float) -> Float32:
    return np.full((1, 1, 1, 1), t, np.float32)


def _filled_up(x: Float32, y_hat: Float32) -> Float32:
    """x [C, H, W] with zeros below and on the right, [1, C, 16h, 16w] for y_hat [M, h, w]."""
    out = np.zeros((1, len(x), PATCH * y_hat.shape[1], PATCH * y_hat.shape[2]), np.float32)
    out[:, :, : x.shape[1], : x.shape[2]] = x
    return out
