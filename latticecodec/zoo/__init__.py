"""Find, verify and load models: those that come with the package, and one's own.

They lie in the folders of `models_path`, each in a folder of its own, whose name is that of the model. Of two models of
one name, and of two with the same weights, the first on the path counts; one that is hidden by its name is still found
by the files that it wrote, and by its folder.

A model that shipped is never changed. A better one is the next version of its family: `lattice-2` after `lattice`. The
plain name means the newest version, `lattice-1` the first.
"""

from ..config import CONFIG, WEIGHTS
from .finding import called, find, find_by_digest, installed, newest, tuned, written_with
from .info import ModelInfo, version_of
from .loading import DEFAULT_FAMILY, DEFAULT_TUNE, load, model_for, model_to_encode
from .path import VARIABLE, absent, list_models, models_path
from .weights import base_of, read_low_rank, read_weights

__all__ = [
    "CONFIG",
    "DEFAULT_FAMILY",
    "DEFAULT_TUNE",
    "VARIABLE",
    "WEIGHTS",
    "ModelInfo",
    "absent",
    "base_of",
    "called",
    "find",
    "find_by_digest",
    "installed",
    "list_models",
    "load",
    "model_for",
    "model_to_encode",
    "models_path",
    "newest",
    "read_low_rank",
    "read_weights",
    "tuned",
    "version_of",
    "written_with",
]
