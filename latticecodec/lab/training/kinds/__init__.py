"""How each kind of model trains: one module a kind, named as the kind is.

A module that has a trainable model names it MODEL; one whose models are not trained but made of others names a TWIN.
MODELS and TWINS, the tables of these, and `check` are all that the rest of the training knows of kinds.
"""

import math
import pkgutil
from importlib import import_module

from ....arguments import choice
from ....errors import TrainingError
from ....kinds import KINDS
from ..model import PhotoModel
from ..options import TrainOptions
from ..quantizer_options import CHOICES, RANGES, QuantizerOptions
from ..twin import Twin

_MODULES = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
_BY_KIND = {module.MODEL.kind: module.MODEL for module in _MODULES if hasattr(module, "MODEL")}
MODELS: dict[str, type[PhotoModel]] = {kind: _BY_KIND[kind] for kind in KINDS if kind in _BY_KIND}  # in that order
TWINS: dict[str, Twin] = {module.TWIN.kind: module.TWIN for module in _MODULES if hasattr(module, "TWIN")}


def check(quantizer: str, options: TrainOptions, from_scratch: bool) -> None:
    """Raise TrainingError where a kind is not trained, or options do not suit it, its start or each other.

    Also TargetError, as `check_belongs`.
    """
    check_belongs(quantizer, options.quantizer)
    if quantizer not in MODELS:
        raise TrainingError(f"no training for quantizer {quantizer!r}; choose one of {', '.join(MODELS)}")
    model = MODELS[quantizer]
    if options.freeze not in model.freezable:
        told = f"a {quantizer} is trained as one with its transforms; leave it out"
        if len(model.freezable) > 1:
            told = f"choose one of {', '.join(model.freezable)}"
        raise TrainingError(f"`freeze` {options.freeze}: {told}")
    if not model.tuned and (options.rank or options.tune != TrainOptions.tune):
        owners = either([name for name, owner in MODELS.items() if owner.tuned])
        raise TrainingError(f"`rank` and `tune` are for `quantizer` {owners}, not for {quantizer}")
    model.check(options, from_scratch)


def check_belongs(quantizer: str, options: QuantizerOptions) -> None:
    """Raise TrainingError where an option is not for the kind `quantizer`, or a number outside its RANGES.

    TargetError where it is a word, and none of its CHOICES.
    """
    for name, value in options.given().items():
        owners = [owner for owner, model in MODELS.items() if name in model.options]
        if quantizer not in owners:
            raise TrainingError(f"`{name}` is for `quantizer` {either(owners)}, not for {quantizer}")
        if not isinstance(value, str):
            if not math.isfinite(value):
                raise TrainingError(f"`{name}` is {value}; it must be a finite number")
            low, high = RANGES[name]
            if not low <= value <= high:
                raise TrainingError(f"`{name}` is {value}; it must be from {low:g} to {high:g}")
        if name in CHOICES:
            choice(name, value, CHOICES[name])


def either(names: list[str]) -> str:
    """Names as "a, b or c"."""
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
