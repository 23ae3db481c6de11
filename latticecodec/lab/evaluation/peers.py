"""The image formats that a model is compared with, written by Pillow.

Settings are the ones that a careful user would choose for small files: JPEG 4:2:0 progressive with optimised Huffman
tables, WebP with its most thorough method, AVIF 4:4:4 at libavif's default speed, as it is and as aom tunes it for
SSIMULACRA2, JPEG 2000 of a given size with the irreversible transforms of colour and space, JPEG XL at libjxl's default
effort. A grey picture is coded as one channel, but in WebP, which has no such files. JPEG 2000 alone spends equal bits
on every picture, as is usual in comparisons with it, which is kind to it in means over pictures.
"""

import importlib
import importlib.metadata
import importlib.util
import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import PIL
from PIL import Image, features

TRIAL, TRIED = 64, 50  # pixels a side and quality of the picture that options are tried on
PLUGIN, PLUGIN_PACKAGE = "pillow_jxl", "pillow-jxl-plugin"


def _quality(value: int, bands: int) -> dict[str, Any]:
    return {"quality": value}


def _avif(value: int, bands: int) -> dict[str, Any]:
    """Pillow codes grey as colour unless it is told otherwise."""
    return {"quality": value, "subsampling": "4:0:0" if bands == 1 else "4:4:4"}


def _rate(value: int, bands: int) -> dict[str, Any]:
    """OpenJPEG is steered by the ratio of sizes; `value` is in hundredths of a bit per pixel."""
    return {"quality_layers": [800 * bands / value]}


@dataclass(frozen=True)
class Peer:
    """A format and how it is used.

    Attributes:
        name: in tables and reports.
        format: Pillow's name of it.
        feature: what `PIL.features` calls the support for it; "" for that of a plugin.
        library: name of the library that does the work, as printed.
        version_of: what `PIL.features` calls that library, or the plugin's package.
        qualities: values of the format's own scale, rising; about 0.1 to 3 bpp and 26 to 42 dB on photographs.
        lowest: the least value of that scale.
        options: for `Image.save`.
        recent: more of them, which libraries that are too old refuse or pass over.
        needs: what is recent enough for those.
        settings: how it is used, in words, for reports.
        setting: what `Image.save` takes for a value of the scale and a number of channels.
        media_type: that a browser shows, or "".
    """

    name: str
    format: str
    feature: str
    library: str
    version_of: str
    qualities: tuple[int, ...]
    lowest: int
    options: dict[str, Any] = field(hash=False)
    settings: str
    setting: Callable[[int, int], dict[str, Any]] = _quality
    media_type: str = ""
    recent: dict[str, Any] = field(default_factory=dict, hash=False)
    needs: str = ""

    @property
    def available(self) -> bool:
        """Whether this build of Pillow, or the plugin, can write it."""
        if not self.feature:
            return importlib.util.find_spec(PLUGIN) is not None
        return bool(features.check(self.feature)) and (not self.recent or self._takes_recent())

    def _takes_recent(self) -> bool:
        """Whether the recent options change the file, which only trying tells."""
        picture = Image.linear_gradient("L").resize((TRIAL, TRIAL)).convert("RGB")
        try:
            return self.encode(picture, TRIED) != replace(self, recent={}).encode(picture, TRIED)
        except (OSError, ValueError):
            return False

    @property
    def reason_missing(self) -> str:
        """Why it is not available, where it is not."""
        if not self.feature:
            return f"{PLUGIN_PACKAGE} is not installed (pip install 'latticecodec[eval]')"
        if self.recent and features.check(self.feature):
            return f"this build of Pillow cannot write it, which takes {self.needs}"
        return "this build of Pillow cannot write it"

    @property
    def build(self) -> str:
        """Versions of Pillow and of the library; results belong to them."""
        if not self.feature:
            return f"Pillow {PIL.__version__}, {self.library} of {PLUGIN_PACKAGE} {self._plugin_version()}"
        version = features.version(self.version_of) or features.version(self.feature) or "of unknown version"
        return f"Pillow {PIL.__version__}, {self.library} {version}"

    @property
    def every_option(self) -> dict[str, Any]:
        """What `Image.save` takes at every value of the scale."""
        return self.options | self.recent

    @staticmethod
    def _plugin_version() -> str:
        return importlib.metadata.version(PLUGIN_PACKAGE)

    def encode(self, image: Image.Image, quality: int) -> bytes:
        """The file of a picture (mode L or RGB) at a value of the format's scale; without metadata."""
        self._register()
        buffer = io.BytesIO()
        image.save(buffer, self.format, **self.setting(quality, len(image.getbands())), **self.every_option)
        return buffer.getvalue()

    def decode(self, data: bytes) -> Image.Image:
        """The picture in a file, mode RGB."""
        self._register()
        return Image.open(io.BytesIO(data)).convert("RGB")

    def _register(self) -> None:
        if not self.feature:
            importlib.import_module(PLUGIN)  # tells Pillow of the format


AVIF = Peer(
    name="avif",
    format="AVIF",
    feature="avif",
    library="libavif",
    version_of="avif",
    qualities=(10, 20, 30, 40, 50, 60, 70, 80, 90),
    lowest=0,
    options={"speed": 6},
    settings="4:4:4, grey as 4:0:0, speed 6",
    setting=_avif,
    media_type="image/avif",
)
PEERS = (
    Peer(
        name="jpeg",
        format="JPEG",
        feature="jpg",
        library="libjpeg-turbo",
        version_of="libjpeg_turbo",
        qualities=(8, 15, 25, 40, 55, 70, 82, 90, 95),
        lowest=1,
        options={"subsampling": "4:2:0", "optimize": True, "progressive": True},
        settings="4:2:0, optimized, progressive",
        media_type="image/jpeg",
    ),
    Peer(
        name="webp",
        format="WEBP",
        feature="webp",
        library="libwebp",
        version_of="webp",
        qualities=(0, 5, 15, 35, 60, 78, 88, 93, 97),
        lowest=0,
        options={"method": 6},
        settings="method 6",
        media_type="image/webp",
    ),
    AVIF,
    replace(
        AVIF,
        name="avif-ssimulacra2",
        settings=f"{AVIF.settings}, aom tuned for SSIMULACRA2",
        recent={"codec": "aom", "advanced": {"tune": "ssimulacra2"}},
        needs="aom 3.13 or newer as its encoder",
    ),
    Peer(
        name="jpeg2000",
        format="JPEG2000",
        feature="jpg_2000",
        library="OpenJPEG",
        version_of="jpg_2000",
        qualities=(10, 15, 25, 40, 60, 100, 150, 200, 300),  # hundredths of a bit per pixel
        lowest=1,
        options={"irreversible": True, "mct": 1, "quality_mode": "rates"},
        settings="irreversible, by size",
        setting=_rate,
    ),
    Peer(
        name="jpegxl",
        format="JXL",
        feature="",
        library="libjxl",
        version_of=PLUGIN_PACKAGE,
        qualities=(0, 10, 25, 40, 55, 70, 82, 90, 95),
        lowest=0,
        options={"effort": 7},
        settings="effort 7",
    ),
)
