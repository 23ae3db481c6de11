"""Weights that authors have released, in the networks here.

github.com/AGKhalil/ll-vq-vae has a checkpoint for each data set and method in experiments/pretrained. They are read
without running what a pickle could hold.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import TrainingError
from ...picture.failures import hint
from .experiment import Experiment

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .model import PaperModel

SOURCE = "github.com/AGKhalil/ll-vq-vae, its folder experiments/pretrained"


def missing(experiment: Experiment, folder: Path) -> str:
    """One line that says what is missing and where to get it; empty where the weights are there or none are asked."""
    if not experiment.weights or (folder / experiment.weights).is_file():
        return ""
    return f"released weights: not in {folder / Path(experiment.weights).parts[0]}; get {SOURCE}"


def load(experiment: Experiment, folder: Path, channels: int) -> "PaperModel":
    """The model of an experiment with the weights that it names, in eval mode.

    Raises:
        TrainingError: the file is not such a checkpoint.
    """
    import torch

    from .bottleneck import Codebook, Lattice
    from .model import PaperModel

    file = folder / experiment.weights
    model = PaperModel(experiment, channels, 1, 0)
    try:
        state: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)["state_dict"]
        for part, network in (("_encoder.", model.encoder), ("_decoder.", model.decoder)):
            _copy([value for name, value in state.items() if name.startswith(part)], network)
        codewords = state["_quantizer.embedding.weight"]  # [K, D], of a lattice [1, D]
        bottleneck = model.bottleneck
        if isinstance(bottleneck, Lattice):
            bottleneck.quantizer.b.data.copy_(codewords[0])
        elif isinstance(bottleneck, Codebook):
            bottleneck.quantizer.begin_at(codewords)
    except Exception as error:  # torch raises many types on damaged input
        raise TrainingError(f"{file}: is not a checkpoint of {experiment.quantizer}{hint(error)}") from None
    return model.eval()


def _copy(values: "list[Tensor]", network: "nn.Module") -> None:
    """Give a network's parameters the values of another implementation, which has them in the same order."""
    for parameter, value in zip(network.parameters(), values, strict=True):
        parameter.data.copy_(value)
