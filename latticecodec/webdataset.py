"""Reading where people train: .lcq members of WebDataset tars and columns of `datasets`, as pictures or index tensors.

    import webdataset as wds
    from latticecodec.webdataset import Indices, Pictures

    wds.WebDataset("packed/{000000..000099}.tar").decode(Indices()).to_tuple("lcq", "cls")
    load_dataset("webdataset", data_files="packed/*.tar").with_transform(Pictures().column("lcq"))

Neither package is imported here. What is made can be sent to the processes of a DataLoader, each of which loads the
model that files name once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .codec import indices_of, pixels_of
from .container import PIXELS_MAX, reader_of
from .errors import FormatError
from .picture import to_array, to_pillow
from .zoo import find_by_digest, load

if TYPE_CHECKING:
    from .codec.model import Model
    from .container import Reader

SUFFIX = "lcq"
Example = TypeVar("Example", bound=dict[str, Any])


@dataclass(frozen=True)
class _Reader:
    """What decodes the files of one model or several.

    Attributes:
        model: the model that the files were written with, where it is not one of those installed.
        device: "auto" (CUDA where there is one), "cpu" or "cuda".
        max_pixels: of a picture; more are refused.
    """

    model: str | Path | None = None
    device: str = "auto"
    max_pixels: int = PIXELS_MAX

    def __call__(self, key: str, data: bytes) -> Any:
        """A handler for `decode` of WebDataset: what a member of this key holds, None for one that is not .lcq.

        Raises FormatError or its kin, and ModelError, which handlers of WebDataset can turn into a warning.
        """
        return self.read(data) if key.lower().rpartition(".")[2] == SUFFIX else None

    def column(self, name: str) -> Callable[[Example], Example]:
        """A function for `with_transform` and `map` of `datasets`: decodes one column, of one example or of a batch.

        Cells are bytes, or {"bytes": ..., "path": ...}.
        """
        return partial(_in_column, self, name)

    def read(self, data: bytes) -> Any:
        """What a file holds."""
        raise NotImplementedError

    def _opened(self, data: bytes) -> "tuple[Model | None, Reader]":
        """What a file decodes with, None for one that takes no model, and the file."""
        reader = reader_of(data, self.max_pixels)
        header = reader.header
        return _model(header.model, self.model, self.device) if header.names_model else None, reader


@dataclass(frozen=True)
class Pictures(_Reader):
    """PIL images; with `as_array` arrays [H, W] or [H, W, 2 to 4] of uint8 or uint16."""

    as_array: bool = False

    def read(self, data: bytes) -> Any:
        """The picture; raises FormatError or its kin."""
        pixels = pixels_of(*self._opened(data))
        return to_array(pixels) if self.as_array else to_pillow(pixels)


@dataclass(frozen=True)
class Indices(_Reader):
    """Index tensors, int32 [C, h, w] of NumPy, without drawing a picture; see `Codec.decode_indices`.

    C is 0 of a file that takes no model, since all of its picture is exact.
    """

    def read(self, data: bytes) -> Any:
        """The index tensor; raises FormatError or its kin."""
        return indices_of(*self._opened(data))  # [C, h, w]


@cache
def _model(digest: bytes, model: str | Path | None, device: str) -> "Model":
    """The model of a digest, looked for once: that reads the config.json of every model on the path."""
    return load(find_by_digest(digest, model).folder, device).model


def _in_column(reader: _Reader, name: str, example: Example) -> Example:
    cells = example[name]
    batch = isinstance(cells, list)
    read = [reader.read(_bytes(cell, name)) for cell in (cells if batch else [cells])]
    return {**example, name: read if batch else read[0]}  # type: ignore[return-value]


def _bytes(cell: Any, name: str) -> bytes:
    """The file in a cell."""
    data = cell.get("bytes") if isinstance(cell, dict) else cell
    if not isinstance(data, bytes):
        raise FormatError(f"column {name} holds {type(data).__name__} where the bytes of an .lcq file belong")
    return data
