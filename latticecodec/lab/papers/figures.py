"""Pictures of one training: reconstructions and the codebook's map at several times. They stay beside the results."""

import importlib
import importlib.util
import re
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from .datasets import Pictures
from .model import PaperModel
from .results import Result

SHOWN = 8  # test pictures
MAP_CODES = 2048  # codewords on a map
MAP_SIDE = 192  # pixels


def pictures_beside(results: Path) -> Path:
    """Where the pictures of the trainings of a results file are."""
    return results.with_name(f"{results.stem}-pictures")


def stem_of(result: Result) -> str:
    """What the file names of a training's pictures begin with."""
    name = "-".join(str(result[key]) for key in ("table", "label", "data", "budget", "seed"))
    return re.sub(r"[^\w.=-]+", "-", name).strip("-")


class Gallery:
    """Collects test pictures and their reconstructions, a row of the picture for each look, and maps of the codebook.

    Args:
        folder: where the pictures are written.
        stem: of their file names.
        pictures: the data set.
        device: of the model.
        tsne: whether the codebook is shown by t-SNE as well, where scikit-learn is installed.
    """

    def __init__(self, folder: Path, stem: str, pictures: Pictures, device: torch.device, tsne: bool = False) -> None:
        self.folder, self.stem, self.device, self.tsne = folder, stem, device, tsne
        self.test = pictures.test[:SHOWN]
        self.strips = [_strip(self.test.float() / 255)]
        self.maps: list[Tensor] = []

    @torch.no_grad()
    def look(self, step: int, model: PaperModel) -> None:
        """Add what the model makes of the test pictures now."""
        x_hat, _, _ = model(model.to_input(self.test.to(self.device)), 1.0)
        self.strips.append(_strip(model.to_unit(x_hat)))
        self.maps.append(model.bottleneck.codewords()[:MAP_CODES].cpu().clone())  # training goes on in place

    def write(self) -> None:
        """Write <stem>-reconstructions.png, originals on top and looks below, <stem>-codebook.png, <stem>-tsne.png."""
        self.folder.mkdir(parents=True, exist_ok=True)
        sheet = torch.cat(self.strips, 1).mul(255).round().to(torch.uint8)  # [C, rows H, SHOWN W]
        _image(sheet).save(self.folder / f"{self.stem}-reconstructions.png")
        if len(self.maps[-1]) > 2 and self.maps[-1].shape[1] > 1:
            _image(codebook_maps(self.maps)).save(self.folder / f"{self.stem}-codebook.png")
            if self.tsne and importlib.util.find_spec("sklearn"):
                times = [self.maps[at * (len(self.maps) - 1) // 2] for at in range(3)]  # beginning, middle, end
                _image(tsne_maps(times)).save(self.folder / f"{self.stem}-tsne.png")


def _strip(x: Tensor) -> Tensor:
    """Pictures [N, C, H, W] side by side, [C, H, N W]."""
    return torch.cat(list(x.cpu()), 2)


def _image(pixels: Tensor) -> Image.Image:
    """uint8 [C, H, W] -> picture."""
    array = pixels.movedim(0, -1).numpy()  # [H, W, C]
    return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)


def codebook_maps(codebooks: list[Tensor]) -> Tensor:
    """Codebooks [K, D] of one training, side by side on the two principal axes of the last one: uint8 [1, S, n S].

    A dot is a codeword; those outside three standard deviations of the last codebook sit on the border.
    """
    last = codebooks[-1].double()  # [K, D]
    centre = last.median(0).values  # [D]
    _, _, axes = torch.linalg.svd(last - last.mean(0), full_matrices=False)  # rows are axes
    spread = float(((last - centre) @ axes[:2].T).std()) or 1.0
    return _maps([(codebook.double() - centre) @ axes[:2].T / (3 * spread) for codebook in codebooks])


def tsne_maps(codebooks: list[Tensor]) -> Tensor:
    """Codebooks [K, D] of one training by t-SNE, each by itself, side by side: uint8 [1, S, n S].

    Perplexity 30 or less than a third of K, learning rate 200, 1,000 iterations, as "Rotational and rescaling VQ-VAE"
    shows them; needs scikit-learn.
    """
    manifold = importlib.import_module("sklearn.manifold")
    places = []
    for codebook in codebooks:
        near = min(30.0, (len(codebook) - 1) / 3)
        fitted = manifold.TSNE(perplexity=near, learning_rate=200.0, max_iter=1000, init="random", random_state=0)
        at = torch.from_numpy(fitted.fit_transform(codebook.double().numpy())).double()  # [K, 2]
        centred = at - at.mean(0)  # [K, 2]
        places.append(centred / (float(centred.abs().max()) or 1.0))
    return _maps(places)


def _maps(places: list[Tensor]) -> Tensor:
    """Dots at places [K, 2], on the border where they are not within -1 to 1: uint8 [1, S, n S]."""
    maps = []
    for place in places:
        at = ((place.clamp(-1, 1) + 1) / 2 * (MAP_SIDE - 3) + 1).long()  # [K, 2]
        page = torch.full((MAP_SIDE, MAP_SIDE), 255, dtype=torch.uint8)
        page[0] = page[:, -1] = 200
        for row in (0, 1):
            for column in (0, 1):
                page[at[:, 1] + row, at[:, 0] + column] = 0
        maps.append(page)
    return torch.cat(maps, 1)[None]  # [1, S, n S]
