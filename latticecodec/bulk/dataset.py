"""Datasets of Ray with a column of pictures, and one more with their .lcq files."""

from typing import TYPE_CHECKING, Any

from ..codec import EncodeOptions
from ..errors import ImageError, LcqError
from ..extras import require
from ..picture import read, stripped
from . import cluster
from .task import Task
from .worker import unforeseen

if TYPE_CHECKING:
    import ray.data

FILES, ERROR = "lcq", "error"  # the columns that are added


def compress(
    dataset: "ray.data.Dataset",
    options: EncodeOptions | None = None,
    column: str = "bytes",
    model: str | None = None,
    device: str = "auto",
    strip: str | None = None,
    workers: int | None = None,
) -> "ray.data.Dataset":
    """A dataset with two columns more: `lcq`, the bytes of a file or None, and `error`, why there are none.

    Args:
        dataset: of pictures; not computed before somebody asks for rows.
        options: quality or target, effort, tune, tile and max_pixels; what they are by default without.
        column: image files as bytes, as `ray.data.read_binary_files` gives them, or as {"bytes": ..., "path": ...} of
            data sets of Hugging Face; or arrays [H, W, C] of uint8 or uint16, as `ray.data.read_images` has them.
        model: a name from `list_models`, or a model folder, which lies on every machine; None as of `encode`.
        device: "auto" (a GPU for each worker where the cluster has some), "cpu" or "cuda".
        strip: "all" leaves out EXIF and XMP, "gps" the place of the picture in both.
        workers: actors with a model each; by default as many as the cluster has room for.

    Raises LcqError where no picture could be encoded so, or a package is missing.
    """
    require("bulk", "latticecodec.bulk")
    task = Task("compress", options or EncodeOptions(), model, strip=strip, device=device).sent()
    room, graphics = cluster.capacity(device)
    added: ray.data.Dataset = cluster.pool(dataset, _Encoder, (task, column), workers or room, graphics)
    return added


class _Encoder:
    """Adds the columns to a table."""

    def __init__(self, task: Task, column: str) -> None:
        self._task, self._column = task, column
        self._encode = task.encoder()

    def __call__(self, table: Any) -> Any:
        import pyarrow as pa

        files: list[bytes | None] = []
        errors: list[str | None] = []
        for cell in table.column(self._column).to_pylist():
            data, told = self._encoded(cell)
            files.append(data)
            errors.append(told)
        added = table.append_column(FILES, pa.array(files, pa.large_binary()))
        return added.append_column(ERROR, pa.array(errors, pa.string()))

    def _encoded(self, cell: Any) -> tuple[bytes | None, str | None]:
        """The file of a cell and None, or None and why there is none."""
        picture = cell.get("bytes") if isinstance(cell, dict) else cell
        try:
            if picture is None:
                raise ImageError("there is no picture in this row")
            pixels = stripped(read(picture, self._task.max_pixels), self._task.strip)
            return self._encode(pixels).data, None
        except LcqError as error:
            return None, str(error)
        except Exception as error:  # libraries have many
            return None, unforeseen(error)
