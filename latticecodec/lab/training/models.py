"""The trainable model of each quantizer."""

from .model import TrainableModel
from .vector import VectorModel

PhotoModel = TrainableModel | VectorModel

MODELS: dict[str, type[TrainableModel] | type[VectorModel]] = {  # by config.quantizer
    "lattice": TrainableModel,
    "vq": VectorModel,
    "adaptive": VectorModel,
    "rotation": VectorModel,
}
