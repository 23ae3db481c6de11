"""Codec: a picture to the bytes of an .lcq file and back, with one loaded model.

encode   pixels ─► analysis ─► y ─► lattice ─► k ─► integer prior ─► coder ─► container ─► bytes
decode   pixels ◄─ synthesis ◄─ y_hat ◄─ lattice ◄─ k ◄─ integer prior ◄─ coder ◄─ container ◄─ bytes
"""

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from . import container
from .arithmetic import exact_arithmetic
from .coder import Decoder, Encoder, Int32, estimate_bits
from .config import HYPER, PATCH, ModelConfig
from .container import BASIS_UNIT, Header, Tile
from .errors import ChecksumError, ImageError, ModelError, TargetError
from .image import GREY, RGB, from_tensor, psnr, to_pixels, to_tensor
from .networks import Analysis, HyperAnalysis, Synthesis
from .prior.integer import IntegerPrior
from .prior.network import compand
from .prior.numbers import COORDINATE_MAX, LEVELS
from .prior.points import Put
from .quantizers import QUANTIZERS
from .search import Target, bpp_target, psnr_target, search, size_target

if TYPE_CHECKING:
    from .image import Picture


@dataclass(frozen=True)
class Encoding:
    """What `Codec.encode_detailed` returns."""

    data: bytes  # the .lcq file
    indices: Int32  # [M, h, w] lattice coordinates
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
        self.span = round(config.octaves * BASIS_UNIT)  # fineness at rate coordinate 1, 1/1024 octave
        self.coarsest, self.finest = (round(t * self.span) for t in config.reach)  # fineness at quality 0 and 100
        try:
            self._analysis = self._network(Analysis(config), "analysis", tensors)
            self._synthesis = self._network(Synthesis(config), "synthesis", tensors)
            self._hyper_analysis = self._network(HyperAnalysis(config), "hyper_analysis", tensors)
            self._quantizer = self._network(QUANTIZERS[config.quantizer](config.latents), "quantizer", tensors)
            self._prior = IntegerPrior(config, _part("prior", tensors), self.device)
        except (KeyError, RuntimeError) as error:
            raise ModelError(f"model {config.name}: its weights do not fit its config.json ({error})") from None
        if self._prior.fingerprint() != config.prior_sha256:
            raise ModelError(f"model {config.name}: the prior's self-test fails on {device}; decoding would go wrong")

    def _network(self, network: nn.Module, name: str, tensors: dict[str, Tensor]) -> Any:
        network.load_state_dict({key: value.float() for key, value in _part(name, tensors).items()})
        return network.eval().requires_grad_(False).to(self.device)

    def encode(
        self,
        image: "Picture",
        quality: float = 50.0,
        bpp: float | None = None,
        size: int | None = None,
        psnr: float | None = None,
        embed_basis: bool = False,
    ) -> bytes:
        """Compress a picture.

        Args:
            image: PIL image, path, uint8 array [H, W] or [H, W, 3], or tensor [3, H, W] (uint8, or float in [0, 1]).
            quality: 0 (smallest) to 100, continuous; used when no target below is given.
            bpp: target in bits per pixel of the whole file, met within 2 %, or as near as the scale allows.
            size: target in bytes, never exceeded, at least 97 % used where the scale allows it.
            psnr: target in dB of the decoded 8-bit pixels, met within 0.1 dB.
            embed_basis: write the whole lattice basis into the file.

        Raises ImageError for pictures it cannot take, TargetError where a target is out of reach.
        """
        return self.encode_detailed(image, quality, bpp, size, psnr, embed_basis).data

    def encode_detailed(
        self,
        image: "Picture",
        quality: float = 50.0,
        bpp: float | None = None,
        size: int | None = None,
        psnr: float | None = None,
        embed_basis: bool = False,
    ) -> Encoding:
        """As `encode`, with the index tensor and the prior's estimate beside the bytes."""
        given = [value for value in (bpp, size, psnr) if value is not None]
        if len(given) > 1 or not all(value > 0 for value in given):
            raise TargetError("bpp, size and psnr are positive numbers and exclude each other; give one")
        pixels = to_pixels(image)  # [H, W, C]
        with exact_arithmetic(self.device):
            y = self._analyse(pixels)  # [M, h, w]

        def attempt(fineness: int) -> Encoding:
            return self._encode_latents(y, pixels, fineness, embed_basis)

        area = pixels.shape[0] * pixels.shape[1]
        if bpp is not None:
            return self._search(attempt, bpp_target(bpp, lambda trial: 8 * len(trial.data) / area))
        if size is not None:
            return self._search(attempt, size_target(size, lambda trial: len(trial.data)))
        if psnr is not None:
            return self._search(attempt, psnr_target(psnr, lambda trial: self._fidelity(trial, pixels)))
        return attempt(self._fineness(quality))

    def _search(self, attempt: Callable[[int], Encoding], target: Target[Encoding]) -> Encoding:
        return search(attempt, self.coarsest, self.finest, target)

    def decode(self, data: bytes) -> Image.Image:
        """Restore a picture from the bytes of an .lcq file written with this model.

        Returns a PIL image of the original size, mode RGB or L. Raises FormatError and its kin for damaged files,
        ModelError when the file belongs to another model.
        """
        header, k = self._decode_latents(data)  # [M, h, w]
        basis = self._basis(-header.scale, header.basis)  # [M]
        return self._synthesise(k, basis, -header.scale, header.width, header.height, header.channels)

    def decode_indices(self, data: bytes) -> Int32:
        """The index tensor of a file: int32 [M, h, w], lattice coordinates, h and w a 16th of the size, rounded up."""
        return self._decode_latents(data)[1]

    def to_indices(self, image: "Picture", quality: float = 50.0) -> Int32:
        """The index tensor that `encode` would code: int32 [M, h, w], lattice coordinates."""
        with exact_arithmetic(self.device):
            y = self._analyse(to_pixels(image))  # [M, h, w]
        fineness = self._fineness(quality)
        return self._quantize(y, self._basis(fineness), fineness, lambda residuals, ids: None)

    def from_indices(
        self,
        indices: Int32,
        quality: float = 50.0,
        width: int | None = None,
        height: int | None = None,
        grey: bool = False,
    ) -> Image.Image:
        """Draw an index tensor [M, h, w] of the given quality; `width` and `height` default to 16 w and 16 h."""
        indices = np.asarray(indices)
        if indices.ndim != 3 or indices.shape[0] != self.config.latents or not np.issubdtype(indices.dtype, np.integer):
            raise ImageError(
                f"indices of {indices.dtype} {indices.shape}; expected integers [{self.config.latents}, h, w]"
            )
        fineness = self._fineness(quality)
        rows, columns = indices.shape[1:]
        width, height = PATCH * columns if width is None else width, PATCH * rows if height is None else height
        if not (0 <= PATCH * columns - width < PATCH and 0 <= PATCH * rows - height < PATCH and width > 0 < height):
            raise ImageError(f"indices of {rows}x{columns} positions do not stand for {width}x{height} pixels")
        channels = GREY if grey else RGB
        return self._synthesise(indices.astype(np.int32), self._basis(fineness), fineness, width, height, channels)

    # ---- encode, from the top -----------------------------------------------------------------------------------

    def _analyse(self, pixels: Any) -> Tensor:
        """uint8 [H, W, C] -> latents y [M, h, w]."""
        x = to_tensor(pixels, PATCH).to(self.device)  # [1, 3, 16 h, 16 w]
        return self._analysis(x)[0]  # type: ignore[no-any-return]

    def _encode_latents(self, y: Tensor, pixels: Any, fineness: int, embed_basis: bool) -> Encoding:
        """Latents y [M, h, w] at one scale -> file."""
        entries = self._basis_entries(fineness) if embed_basis else None
        basis = self._basis(fineness, entries)  # [M]
        coder, tables = Encoder(), self._prior.tables
        bits = 0.0

        def put(residuals: Int32, ids: Int32) -> None:
            nonlocal bits
            coder.put(residuals, ids, tables)
            bits += estimate_bits(residuals, ids, tables)

        k = self._quantize(y, basis, fineness, put)  # [M, h, w]
        quality = 100 * (fineness - self.coarsest) / (self.finest - self.coarsest)
        height, width, channels = pixels.shape
        quantizer, family = self._quantizer.format_id
        header = Header(width, height, channels, self.digest, -fineness, quality, quantizer, family, entries)
        data = container.write(header, [Tile(coder.finish(), zlib.crc32(_index_bytes(k)))])
        return Encoding(data, k, bits, quality)

    def _quantize(self, y: Tensor, basis: Tensor, fineness: int, put: Put) -> Int32:
        """Latents y [M, h, w] to lattice coordinates [M, h, w], handing what is to be coded to `put`."""
        with exact_arithmetic(self.device):
            u = y / basis[:, None, None]  # [M, h, w]
            z = self._hyper_latents(u)  # [Z, h/4, w/4]
        return self._prior.encode(u.cpu().numpy(), z, self._level(fineness), put)

    def _hyper_latents(self, u: Tensor) -> Int32:
        """Lattice coordinates before rounding [M, h, w] -> z int32 [Z, h/4, w/4]."""
        bottom, right = -u.shape[1] % HYPER, -u.shape[2] % HYPER
        u = F.pad(compand(u)[None], (0, right, 0, bottom), mode="replicate")  # [1, M, h', w']
        z = self._hyper_analysis(u)[0].round().clamp(-COORDINATE_MAX, COORDINATE_MAX)
        return z.to(torch.int32).cpu().numpy()  # type: ignore[no-any-return]

    # ---- decode, its mirror image -------------------------------------------------------------------------------

    def _decode_latents(self, data: bytes) -> tuple[Header, Int32]:
        """File -> header and lattice coordinates [M, h, w], checked against the file's CRC of them."""
        header, tiles = container.read(data)
        if header.model != self.digest:
            raise ModelError(f"the file was written with model {header.model.hex()}, this is {self.digest.hex()}")
        if (header.quantizer, header.family) != self._quantizer.format_id:
            raise ModelError(f"the file has quantizer {header.quantizer}.{header.family}, its model another")
        if header.basis is not None and len(header.basis) != self.config.latents:
            raise ModelError(f"the file's basis has {len(header.basis)} entries, the model {self.config.latents}")
        shape = (self.config.latents, -(-header.height // PATCH), -(-header.width // PATCH))
        coder = Decoder(tiles[0].payload)
        k = self._prior.decode(lambda ids: coder.get(ids, self._prior.tables), shape, self._level(-header.scale))
        if zlib.crc32(_index_bytes(k)) != tiles[0].indices_crc:
            raise ChecksumError("the decoded indices do not match their checksum: the file is damaged")
        return header, k

    def _synthesise(
        self, k: Int32, basis: Tensor, fineness: int, width: int, height: int, channels: int
    ) -> Image.Image:
        """Lattice coordinates [M, h, w] -> picture."""
        with exact_arithmetic(self.device):
            y_hat = self._quantizer.dequantize(torch.from_numpy(k).to(self.device), basis)[None]  # [1, M, h, w]
            t = torch.tensor([self._coordinate(fineness)], device=self.device, dtype=torch.float32)
            x_hat = self._synthesis(y_hat.contiguous(memory_format=torch.channels_last), t)  # [1, 3, 16 h, 16 w]
            return from_tensor(x_hat, width, height, channels)

    def _fidelity(self, encoding: Encoding, pixels: Any) -> float:
        """PSNR in dB of what `encoding` decodes to, without decoding it."""
        header = container.read_header(encoding.data)
        basis = self._basis(-header.scale, header.basis)
        picture = self._synthesise(encoding.indices, basis, -header.scale, header.width, header.height, header.channels)
        return psnr(np.asarray(picture).reshape(pixels.shape), pixels)

    # ---- the scale of the lattice -------------------------------------------------------------------------------

    def _fineness(self, quality: float) -> int:
        """Quality 0..100 -> how much finer than the model's own lattice the basis is, 1/1024 octave."""
        if not 0 <= quality <= 100:
            raise TargetError(f"quality {quality:g} is not between 0 and 100")
        return round(self.coarsest + quality / 100 * (self.finest - self.coarsest))

    def _coordinate(self, fineness: int) -> float:
        """Fineness -> the rate coordinate t that the transforms know; they were trained with 0..1."""
        return fineness / self.span

    def _level(self, fineness: int) -> int:
        """Fineness -> the prior's quality level 0..63, in integers."""
        return min(max((2 * fineness * (LEVELS - 1) + self.span) // (2 * self.span), 0), LEVELS - 1)

    def _basis(self, fineness: int, entries: tuple[int, ...] | None = None) -> Tensor:
        """Basis diagonal [M]: the model's own at `fineness`, or the one a file carries."""
        if entries is not None:
            return torch.exp2(torch.tensor(entries, device=self.device, dtype=torch.float32) / BASIS_UNIT)
        octaves = torch.tensor([-fineness / BASIS_UNIT], device=self.device, dtype=torch.float32)
        return self._quantizer.basis(octaves)[0]  # type: ignore[no-any-return]

    def _basis_entries(self, fineness: int) -> tuple[int, ...]:
        """The basis as a file carries it: log2 in 1/1024 octave."""
        return tuple(int(v) for v in (torch.log2(self._basis(fineness)) * BASIS_UNIT).round().tolist())


def _part(name: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors named `name`.*, without that prefix."""
    return {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}
