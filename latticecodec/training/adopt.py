"""The start of a `vq` or `rotation` model from the transforms of a trained `lattice`.

In units of the lattice's basis every latent channel matters about equally to the picture. The principal axes of the
latents in these units, as many as the new model has channels, become its latents; its first and last layers take the
change of axes, everything between stays the base's and is not stored again.
"""

import torch
from torch import Tensor

from ..networks.transforms import principal_axes
from .model import TrainableModel
from .vector import VectorModel

ADOPTED = ("analysis.", "synthesis.")


@torch.no_grad()
def adopt(model: VectorModel, base: TrainableModel, pictures: Tensor) -> None:
    """Set the transforms of `model` to those of `base` on principal axes fitted to pictures [N, 3, S, S] in [0, 1]."""
    own, theirs = model.state_dict(), base.state_dict()
    for name, value in theirs.items():
        if name.startswith(ADOPTED) and own[name].shape == value.shape:
            own[name] = value
    basis = base.quantizer.log_basis.exp() * 2 ** (-base.config.octaves / 2)  # [M] at rate coordinate 1/2
    u = base.analysis(pictures) / basis[:, None, None]  # [N, M, s, s]
    axes = principal_axes(u.permute(0, 2, 3, 1).flatten(0, 2), model.config.latents)  # [L, M]
    into, back = axes / basis, (axes * basis).T  # [L, M], [M, L]
    for layer in ("leave", "shortcut"):
        own[f"analysis.{layer}.weight"] = into @ theirs[f"analysis.{layer}.weight"]
        own[f"analysis.{layer}.bias"] = into @ theirs[f"analysis.{layer}.bias"]
    for layer in ("enter", "shortcut"):
        own[f"synthesis.{layer}.weight"] = theirs[f"synthesis.{layer}.weight"] @ back
    for name in ("gain16.slope", "gain16.curve", "gain8.slope", "gain8.curve"):
        own[f"synthesis.{name}"] = torch.zeros_like(own[f"synthesis.{name}"])
    model.load_state_dict(own)
