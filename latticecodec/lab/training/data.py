"""Training crops from any folder of images; the one file that imports torchvision.

Crop i of step n is a function of (seed, n, i) alone, so that a resumed run sees what the uninterrupted one would, and
several processes may share the crops of a step.
"""

import hashlib
import multiprocessing
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as transforms

from ...errors import ImageError, TrainingError
from ...picture import plain, read
from ..ranks import on_this_machine
from .drawn import drawn_page, pasted
from .shards import Packed, Part, Shards

CACHE_BYTES = 2 << 30  # decoded pixels kept in memory; the rest is decoded again at each draw
STEPS_MAX = 1 << 40
PAGES = 300  # drawn pages in all, 0.8 MB each
FIRST_PAGE = 1000  # seed of the first; those below are for validation
TRIALS = 8  # pictures of a part, before another one is turned to
PASTED = 0.5  # of the crops with drawn pages: share that is pasted into a picture


def read_pixels(source: Path | Packed) -> Tensor | None:
    """Decode an image file to uint8 [3, H, W]; None, and a warning that names it, for what cannot be read."""
    name = source.name if isinstance(source, Packed) else str(source)
    try:
        pixels = plain(read(source.data if isinstance(source, Packed) else source))  # [H, W, C]
    except ImageError as error:
        reason = str(error).removeprefix(f"{name}: ").removeprefix("the bytes given: ")
        warnings.warn(f"{name}: skipped, {reason}", stacklevel=2)
        return None
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).expand(3, -1, -1)  # [3, H, W]


class Crops:
    """Random crops of a set of pictures: scale 0.5 to 1, flips, transposes; among them some of drawn pages.

    Args:
        images: paths, uint8 tensors [3, H, W] held in memory, or shards.
        size: side of a crop, pixels.
        batch: crops in a batch.
        seed: of all random choices.
        drawn: share of the crops that hold drawn pages, half of them pasted into a picture; 0 for pictures alone.
        processes: that make batches beside this one, for a GPU that takes them faster than one core makes them; they
            share what this one did to `prepare`. 0: a thread of this process. Linux alone.
    """

    def __init__(
        self,
        images: Sequence[Path | Tensor] | Shards,
        size: int,
        batch: int,
        seed: int = 0,
        drawn: float = 0.0,
        processes: int = 0,
    ) -> None:
        self.shards = images if isinstance(images, Shards) else None
        self.images = [] if isinstance(images, Shards) else list(images)
        self.size, self.size_batch, self.seed, self.drawn, self.processes = size, batch, seed, drawn, processes
        self._cache: dict[int, Tensor] = {}
        self._cached = 0
        self._pages: dict[int, Tensor] = {}  # drawn so far, by number
        self._bad: set[int] = set()
        self._pool = ThreadPoolExecutor(1)
        self._ahead: tuple[int, Future[Tensor]] | None = None
        self._stream: tuple[int, Iterator[Tensor]] | None = None
        self._own = range(batch)

    def share(self, own: slice) -> None:
        """From now on make no more than these crops of a batch: those of one of several processes."""
        self._own = range(self.size_batch)[own]
        self._ahead, self._stream = None, None

    def batch(self, step: int) -> Tensor:
        """The batch of step `step`: uint8 [batch, 3, size, size]. Draws the next ones in the background."""
        if self.processes:
            at, stream = self._stream or (-1, iter(()))
            if at != step:
                stream = self._begin(step)
            self._stream = step + 1, stream
            return next(stream)
        if self._ahead is None or self._ahead[0] != step:
            self._ahead = step, self._pool.submit(self.draw, step)
        result = self._ahead[1].result()
        self._ahead = step + 1, self._pool.submit(self.draw, step + 1)
        return result

    def first(self) -> Tensor:
        """Those of the first 16 batches: float32 [N, 3, S, S] in [0, 1]."""
        return torch.cat([self.batch(step) for step in range(16)]).cpu().float() / 255

    def prepare(self) -> None:
        """Decode every picture of `images` now, as far as memory is set aside; for processes, draw every page too.

        Raises TrainingError where none can be read.
        """
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(self._load, range(len(self.images))))
        if len(self._bad) == len(self.images) and self.shards is None:
            raise self._unreadable(self.images[0])
        if self.drawn and self.processes:
            fork = multiprocessing.get_context("fork")
            with ProcessPoolExecutor(mp_context=fork, initializer=torch.set_num_threads, initargs=(1,)) as pages:
                drawn = pages.map(_page_pixels, range(PAGES), chunksize=4)
                self._pages = {number: torch.from_numpy(page) for number, page in enumerate(drawn)}

    def _begin(self, step: int) -> Iterator[Tensor]:
        """Batches from `step` on, by processes that share the decoded pictures."""
        loader = DataLoader(
            _Batches(self),
            batch_size=None,
            sampler=range(step, STEPS_MAX),
            num_workers=self.processes,
            pin_memory=torch.cuda.is_available(),
            generator=torch.Generator(),
            multiprocessing_context="fork",
        )
        return iter(loader)

    def draw(self, step: int) -> Tensor:
        """The batch of step `step`, made here and now."""
        return torch.stack([self._crop(step, i) for i in self._own])

    def _crop(self, step: int, place: int) -> Tensor:
        generator = generator_of(self.seed, step, place)
        kind = float(torch.rand(1, generator=generator))
        if kind >= self.drawn:
            return self._photograph(step, place, generator)
        number = int(torch.randint(PAGES, (1,), generator=generator))
        page = self._cut(self._page(number), generator, self.size)
        if kind >= PASTED * self.drawn:
            return page
        return pasted(self._photograph(step, place, generator), page, generator)

    def _photograph(self, step: int, place: int, generator: torch.Generator) -> Tensor:
        if self.shards:
            pixels = self._pick_packed(self.shards, self.shards.part_of(step, place / self.size_batch), generator)
        else:
            pixels = self._pick(generator)
        zoom = float(torch.rand(1, generator=generator))
        return self._cut(pixels, generator, round(self.size / min(1.0, 0.5 + 0.7 * zoom)))  # 2 of 7 are not scaled

    def _cut(self, pixels: Tensor, generator: torch.Generator, side: int) -> Tensor:
        """A square of about `side` out of pixels [3, H, W], scaled, flipped, turned: [3, size, size]."""
        top, left, flip, turn = torch.rand(4, generator=generator).tolist()
        side = min(side, *pixels.shape[1:])
        top, left = round(top * (pixels.shape[1] - side)), round(left * (pixels.shape[2] - side))
        crop = pixels[:, top : top + side, left : left + side]  # [3, side, side]
        if side != self.size:
            crop = transforms.resize(crop, [self.size, self.size], InterpolationMode.BILINEAR, antialias=True)
        if flip < 0.5:
            crop = transforms.horizontal_flip(crop)
        return crop.transpose(1, 2) if turn < 0.5 else crop  # [3, size, size]

    def _page(self, number: int) -> Tensor:
        """A drawn page, drawn when it is first wanted."""
        if number not in self._pages:
            self._pages[number] = torch.from_numpy(_page_pixels(number))
        return self._pages[number]

    def _pick(self, generator: torch.Generator) -> Tensor:
        while len(self._bad) < len(self.images):
            index = int(torch.randint(len(self.images), (1,), generator=generator))
            pixels = self._load(index)
            if pixels is not None:
                return pixels
        raise self._unreadable(self.images[0])

    def _pick_packed(self, shards: Shards, parts: Iterator[Part], generator: torch.Generator) -> Tensor:
        """A picture of the first of `parts` that has one which can be read, as far as a few trials show."""
        for part in parts:
            for _ in range(TRIALS):
                packed = shards.pick(part, generator)
                pixels = read_pixels(packed) if packed else None
                if pixels is not None:
                    return pixels
        raise self._unreadable(shards.files[0])

    @staticmethod
    def _unreadable(example: Path | Tensor) -> TrainingError:
        return TrainingError(f"{example} and the rest: none of the pictures to train on can be read")

    def _load(self, index: int) -> Tensor | None:
        source = self.images[index]
        if isinstance(source, Tensor):
            return source
        if index in self._cache or index in self._bad:
            return self._cache.get(index)
        pixels = read_pixels(source)
        if pixels is None:
            self._bad.add(index)
            return None
        if self._cached + pixels.numel() <= CACHE_BYTES:
            self._cache[index] = pixels
            self._cached += pixels.numel()
        return pixels


def _page_pixels(number: int) -> npt.NDArray[np.uint8]:
    """A drawn page to train on: uint8 [3, H, W]."""
    pixels: npt.NDArray[np.uint8] = drawn_page(FIRST_PAGE + number).numpy()
    return pixels


def processes_for(device: torch.device) -> int:
    """How many processes are to make batches for a training on `device`, beside others on the same machine."""
    if device.type == "cpu" or sys.platform != "linux":
        return 0
    return max(1, len(os.sched_getaffinity(0)) // on_this_machine()[1] - 2)


class _Batches(Dataset[Tensor]):
    """The batches of `crops` by step."""

    def __init__(self, crops: Crops) -> None:
        self.crops = crops

    def __getitem__(self, step: int) -> Tensor:
        return self.crops.draw(step)


def as_input(pixels: Tensor, device: torch.device) -> Tensor:
    """uint8 [B, 3, S, S] -> float32 in [0, 1], channels last, on `device`."""
    return pixels.to(device, non_blocking=True).float().div(255).contiguous(memory_format=torch.channels_last)


def generator_of(seed: int, step: int, index: int) -> torch.Generator:
    """The randomness of crop `index` of step `step`: mixed, since generators take 32 bits of a seed and no more."""
    mixed = hashlib.blake2b(f"{seed} {step} {index}".encode(), digest_size=4).digest()
    return torch.Generator().manual_seed(int.from_bytes(mixed))


def centre_crops(images: Sequence[Path | Tensor | Packed], size: int) -> Tensor:
    """The middle of every picture, for validation: uint8 [N, 3, size, size]; smaller pictures are enlarged."""
    crops = []
    for source in images:
        pixels = source if isinstance(source, Tensor) else read_pixels(source)
        if pixels is None:
            continue
        if min(pixels.shape[1:]) < size:
            pixels = transforms.resize(pixels, [size], InterpolationMode.BILINEAR, antialias=True)
        crops.append(transforms.center_crop(pixels, [size, size]))
    if not images:
        raise TrainingError("there are no pictures for validation; name some with `val`, or more with `data`")
    if not crops:
        example = images[0].name if isinstance(images[0], Packed) else images[0]
        raise TrainingError(f"{example} and the rest: none of the validation pictures can be read")
    return torch.stack(crops)  # [N, 3, size, size]
