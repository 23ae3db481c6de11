"""Codec: a picture to the bytes of an .lcq file and back, with one loaded model.

encode   pixels ─► analysis ─► y ─► bottleneck ─► index tensor, payload ─► container ─► bytes
decode   pixels ◄─ synthesis ◄─ y_hat ◄─ bottleneck ◄─ index tensor ◄─ payload ◄─ container ◄─ bytes
"""

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from . import container
from .arithmetic import exact_arithmetic
from .bottlenecks import BOTTLENECKS, Bottleneck, Effort
from .bottlenecks.tensors import network
from .coder import Int32
from .config import DEFAULT_EFFORT, EFFORTS, PATCH, ModelConfig
from .container import Header, Tile
from .distortion import DISTORTIONS
from .errors import ChecksumError, ImageError, ModelError, TargetError
from .image import GREY, RGB, from_tensor, psnr, to_pixels, to_tensor
from .networks import Analysis, Synthesis
from .search import Target, bpp_target, psnr_target, search, size_target

if TYPE_CHECKING:
    from .image import Picture

Report = Callable[[int, int], None]  # called with (iterations done, iterations in all)


@dataclass(frozen=True)
class Encoding:
    """What `Codec.encode_detailed` returns."""

    data: bytes  # the .lcq file
    indices: Int32  # [C, h, w] the index tensor
    estimated_bits: float  # the prior's information content of the coded symbols
    quality: float  # 0..100

    @property
    def indices_sha256(self) -> str:
        """SHA-256 of the index tensor, little-endian int32 in C order."""
        return indices_sha256(self.indices)


def indices_sha256(indices: Int32) -> str:
    """SHA-256 of an index tensor, over little-endian int32 in C order, in hex."""
    return hashlib.sha256(_index_bytes(indices)).hexdigest()


def _index_bytes(indices: Int32) -> bytes:
    return indices.astype("<i4").tobytes()


class Codec:
    """A model, ready to encode and decode. Make one with `latticecodec.load`."""

    def __init__(self, config: ModelConfig, tensors: dict[str, Tensor], device: str = "cpu") -> None:
        self.config = config
        self.device = torch.device(device)
        self.digest = bytes.fromhex(config.weights_sha256)[:8]
        if config.quantizer not in BOTTLENECKS:
            known = ", ".join(BOTTLENECKS)
            raise ModelError(f"model {config.name}: unknown quantizer {config.quantizer!r}; this version knows {known}")
        try:
            self._analysis = network(Analysis(config), "analysis", tensors, self.device)
            self._synthesis = network(Synthesis(config), "synthesis", tensors, self.device)
            self.bottleneck: Bottleneck = BOTTLENECKS[config.quantizer](config, tensors, self.device)
        except (KeyError, RuntimeError) as error:
            raise ModelError(f"model {config.name}: its weights do not fit its config.json ({error})") from None
        if self.bottleneck.fingerprint() != config.prior_sha256:
            raise ModelError(f"model {config.name}: the prior's self-test fails on {device}; decoding would go wrong")

    def encode(
        self,
        image: "Picture",
        quality: float = 50.0,
        bpp: float | None = None,
        size: int | None = None,
        psnr: float | None = None,
        embed_basis: bool = False,
        effort: int = DEFAULT_EFFORT,
        tune: str | None = None,
        report: Report = lambda done, total: None,
    ) -> bytes:
        """Compress a picture.

        Args:
            image: PIL image, path, uint8 array [H, W] or [H, W, 3], or tensor [3, H, W] (uint8, or float in [0, 1]).
            quality: 0 (smallest) to 100, continuous; used when no target below is given.
            bpp: target in bits per pixel of the whole file, met within 2 %, or as near as the rates allow.
            size: target in bytes, never exceeded, at least 97 % used where the rates allow it.
            psnr: target in dB of the decoded 8-bit pixels, met within 0.1 dB where the rates allow it.
            embed_basis: write the whole lattice basis into the file.
            effort: 0 to 9, time for bits; the decoder does not notice. 0: one pass and the nearest lattice points.
                1: one step towards what the decoder makes of them, and points chosen by distance and bits together,
                in about twice the time. 2 to 9: 3 to 16 steps on bits and distortion, through decoder and prior and
                back; with a target, in every trial of the search. Models with codebooks encode the same at every
                effort.
            tune: what to spend the bits for, "psnr" or "ms-ssim"; by default what the model was trained for. MS-SSIM is
                nearer to what eyes notice; it needs a lattice, 161 pixels a side, and an effort of 1 or more where
                the model was not trained for it. The header says which.
            report: called with (iterations done, iterations in all) during a refinement.

        Raises ImageError for pictures it cannot take, TargetError where a target is out of reach or the effort is none
        of 0 to 9, ModelError where the model has no lattice basis to embed.
        """
        return self.encode_detailed(image, quality, bpp, size, psnr, embed_basis, effort, tune, report).data

    def encode_detailed(
        self,
        image: "Picture",
        quality: float = 50.0,
        bpp: float | None = None,
        size: int | None = None,
        psnr: float | None = None,
        embed_basis: bool = False,
        effort: int = DEFAULT_EFFORT,
        tune: str | None = None,
        report: Report = lambda done, total: None,
    ) -> Encoding:
        """As `encode`, with the index tensor and the prior's estimate beside the bytes."""
        given = [value for value in (bpp, size, psnr) if value is not None]
        if len(given) > 1 or not all(value > 0 for value in given):
            raise TargetError("bpp, size and psnr are positive numbers and exclude each other; give one")
        if effort not in EFFORTS:
            raise TargetError(f"effort {effort} is not an integer from 0 to {EFFORTS[-1]}")
        tune = tune or self.config.tune
        self._check_tune(tune, effort)
        pixels = to_pixels(image)  # [H, W, C]
        with exact_arithmetic(self.device):
            x = to_tensor(pixels, PATCH).to(self.device)  # [1, 3, 16 h, 16 w]
            y = self._analysis(x)[0]  # [M, h, w]
        if not bool(y.isfinite().all()):
            raise ModelError(f"model {self.config.name}: its analysis gives values that are not numbers")

        shown = x[:, :, : pixels.shape[0], : pixels.shape[1]]  # [1, 3, H, W]

        def distortion(y_hat: Tensor, t: float, row: int, column: int) -> Tensor:
            x_hat = self._decoded(y_hat, t)  # [1, 3, 16 h, 16 w]
            part = shown[:, :, PATCH * row :, PATCH * column :][:, :, : x_hat.shape[2], : x_hat.shape[3]]
            return DISTORTIONS[tune](x_hat[:, :, : part.shape[2], : part.shape[3]], part, self.config.rate_weight(t))

        def attempt(rate: int) -> Encoding:
            basis = self.bottleneck.own_basis(rate) if embed_basis else None
            header = self._header(pixels.shape[1], pixels.shape[0], pixels.shape[2], rate, basis, tune)
            return self._encode_latents(y, header, Effort(effort, distortion, report))

        area = pixels.shape[0] * pixels.shape[1]
        if bpp is not None:
            return self._search(attempt, bpp_target(bpp, lambda trial: 8 * len(trial.data) / area))
        if size is not None:
            return self._search(attempt, size_target(size, lambda trial: len(trial.data)))
        if psnr is not None:
            return self._search(attempt, psnr_target(psnr, lambda trial: self._fidelity(trial, pixels)))
        return attempt(self._rate(quality))

    def _search(self, attempt: Callable[[int], Encoding], target: Target[Encoding]) -> Encoding:
        return search(attempt, self.bottleneck.lowest, self.bottleneck.highest, target)

    def decode(self, data: bytes) -> Image.Image:
        """Restore a picture from the bytes of an .lcq file written with this model.

        Returns a PIL image of the original size, mode RGB or L. Raises FormatError and its kin for damaged files,
        ModelError when the file belongs to another model.
        """
        header, indices = self._decode_indices(data)  # [C, h, w]
        return self._synthesise(header, indices)

    def decode_indices(self, data: bytes) -> Int32:
        """The index tensor of a file: int32 [C, h, w], h and w a 16th of the size, rounded up."""
        return self._decode_indices(data)[1]

    def to_indices(self, image: "Picture", quality: float = 50.0) -> Int32:
        """The index tensor that `encode` would code: int32 [C, h, w]."""
        return self.encode_detailed(image, quality).indices

    def from_indices(
        self,
        indices: Int32,
        quality: float = 50.0,
        width: int | None = None,
        height: int | None = None,
        grey: bool = False,
    ) -> Image.Image:
        """Draw an index tensor [C, h, w] of the given quality; `width` and `height` default to 16 w and 16 h."""
        indices = np.asarray(indices)
        if indices.ndim != 3 or not np.issubdtype(indices.dtype, np.integer):
            raise ImageError(f"indices of {indices.dtype} {indices.shape}; expected integers [C, h, w]")
        rate = self._rate(quality)
        self.bottleneck.check_indices(indices, rate)
        rows, columns = (side // self.bottleneck.positions for side in indices.shape[1:])
        width, height = PATCH * columns if width is None else width, PATCH * rows if height is None else height
        if not (0 <= PATCH * columns - width < PATCH and 0 <= PATCH * rows - height < PATCH and width > 0 < height):
            raise ImageError(f"indices of {rows}x{columns} latent positions do not stand for {width}x{height} pixels")
        header = self._header(width, height, GREY if grey else RGB, rate, None)
        return self._synthesise(header, indices.astype(np.int32))

    def _check_tune(self, tune: str, effort: int) -> None:
        """Raise where nothing would come of asking for `tune`."""
        if tune not in DISTORTIONS:
            raise TargetError(f"unknown tune {tune!r}; choose from {', '.join(DISTORTIONS)}")
        if tune != "psnr" and not self.bottleneck.efforts:
            raise ModelError(f"model {self.config.name} encodes for PSNR alone; lattice and lattice-e8 can be tuned")
        if tune != self.config.tune and not effort:
            raise TargetError(f"tune {tune} takes an effort of 1 or more")

    def _rate(self, quality: float) -> int:
        """The bottleneck's rate for a quality of 0..100."""
        if not 0 <= quality <= 100:
            raise TargetError(f"quality {quality:g} is not between 0 and 100")
        return self.bottleneck.rate(quality)

    def _header(
        self, width: int, height: int, channels: int, rate: int, basis: tuple[int, ...] | None, tune: str = "psnr"
    ) -> Header:
        """What a file of this model says about itself."""
        scale, quality = self.bottleneck.scale(rate), self.bottleneck.quality(rate)
        quantizer, family = self.bottleneck.format_id
        return Header(width, height, channels, self.digest, scale, quality, quantizer, family, basis, tune)

    # ---- encode, from the top -----------------------------------------------------------------------------------

    def _encode_latents(self, y: Tensor, header: Header, effort: Effort) -> Encoding:
        """Latents y [M, h, w] -> the file that `header` announces."""
        coded = self.bottleneck.encode(y, self.bottleneck.rate_of(header.scale), header.basis, effort)
        data = container.write(header, [Tile(coded.payload, zlib.crc32(_index_bytes(coded.indices)))])
        return Encoding(data, coded.indices, coded.bits, header.quality)

    # ---- decode, its mirror image -------------------------------------------------------------------------------

    def _decode_indices(self, data: bytes) -> tuple[Header, Int32]:
        """File -> header and index tensor [C, h, w], checked against the file's CRC of it."""
        header, tiles = container.read(data)
        if header.model != self.digest:
            raise ModelError(f"the file was written with model {header.model.hex()}, this is {self.digest.hex()}")
        if (header.quantizer, header.family) != self.bottleneck.format_id:
            raise ModelError(f"the file has quantizer {header.quantizer}.{header.family}, its model another")
        self.bottleneck.check_basis(header.basis)
        rate = self.bottleneck.rate_of(header.scale)
        rows, columns = -(-header.height // PATCH), -(-header.width // PATCH)
        indices = self.bottleneck.decode(tiles[0].payload, rate, rows, columns)  # [C, h, w]
        if zlib.crc32(_index_bytes(indices)) != tiles[0].indices_crc:
            raise ChecksumError("the decoded indices do not match their checksum: the file is damaged")
        return header, indices

    def _synthesise(self, header: Header, indices: Int32) -> Image.Image:
        """Index tensor [C, h, w] -> picture."""
        with exact_arithmetic(self.device):
            rate = self.bottleneck.rate_of(header.scale)
            y_hat, coordinate = self.bottleneck.values(indices, rate, header.basis)  # [1, M, h, w]
            x_hat = self._decoded(y_hat, coordinate)  # [1, 3, 16 h, 16 w]
            return from_tensor(x_hat, header.width, header.height, header.channels)

    def _decoded(self, y_hat: Tensor, t: float) -> Tensor:
        """Latents y_hat [1, M, h, w] at rate coordinate t -> x_hat [1, 3, 16 h, 16 w]."""
        at = torch.tensor([t], device=self.device, dtype=torch.float32)
        x_hat: Tensor = self._synthesis(y_hat.contiguous(memory_format=torch.channels_last), at)
        return x_hat

    def _fidelity(self, encoding: Encoding, pixels: Any) -> float:
        """PSNR in dB of what `encoding` decodes to, without decoding it."""
        picture = self._synthesise(container.read_header(encoding.data), encoding.indices)
        return psnr(np.asarray(picture).reshape(pixels.shape), pixels)
