"""Parquet files with a column of pictures: their bytes, or bytes and path as data sets of Hugging Face have them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..errors import LcqError

OWN = "lcq_"  # before the names of columns that tell of a file
ROWS = 64  # that are read at once


def groups(file: IO[bytes], called: str) -> list[int]:
    """The rows of each row group; raises LcqError naming the file where it is no Parquet file."""
    metadata = _opened(file, called).metadata
    return [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]


@dataclass(frozen=True)
class Row:
    """A row: its number in the group, the picture or None, its path or "", and other columns but those of our own."""

    number: int
    data: bytes | None
    path: str
    others: dict[str, Any]


class Rows:
    """The rows of a group.

    Attributes:
        schema: of the file.
    """

    def __init__(self, file: IO[bytes], called: str, group: int, column: str) -> None:
        """Raises LcqError naming the file where it has no such column, or cannot be read."""
        self._file, self._called, self._group, self._column = _opened(file, called), called, group, column
        self.schema = self._file.schema_arrow
        if column not in self.schema.names:
            names = ", ".join(self.schema.names)
            raise LcqError(f"{called}: has no column {column}, but {names}; name one with --column")

    def __iter__(self) -> Iterator[Row]:
        number = 0
        for batch in _batches(self._file, self._called, self._group):
            for row in batch.to_pylist():
                cell = row.pop(self._column)
                data, path = (cell.get("bytes"), cell.get("path")) if isinstance(cell, dict) else (cell, None)
                others = {name: value for name, value in row.items() if not name.startswith(OWN)}
                yield Row(number, data if isinstance(data, bytes) else None, path or "", others)
                number += 1


def _batches(opened: Any, called: str, group: int) -> Iterator[Any]:
    import pyarrow as pa

    try:
        yield from opened.iter_batches(batch_size=ROWS, row_groups=[group])
    except (pa.ArrowException, OSError) as error:
        raise _damaged(called, error) from None


def _opened(file: IO[bytes], called: str) -> Any:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    try:
        return ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(called, error) from None


def _damaged(called: str, error: BaseException) -> LcqError:
    told = " ".join(str(error).split())[:100]
    return LcqError(f"{called}: is no Parquet file, damaged or cut short ({told}); take a whole copy of it")


class Writer:
    """A Parquet file, row by row."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[dict[str, Any]] = []
        self._like: Any = None
        self._writer: Any = None

    def add(self, row: dict[str, Any], like: Any) -> None:
        """One row more; columns that the schema `like` of the first one has keep their types."""
        self._like = like if self._like is None else self._like
        self._rows.append(row)
        if len(self._rows) >= ROWS:
            self._flush()

    def close(self) -> None:
        """Write what is waiting, and the end."""
        if self._rows or self._writer is None:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter

        if self._writer is None:
            self._writer = ParquetWriter(self._path, self._schema())
        self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._writer.schema))
        self._rows = []

    def _schema(self) -> Any:
        """The columns of the rows that wait, and what their file says of them."""
        import pyarrow as pa

        found = pa.Table.from_pylist(self._rows).schema
        if self._like is None:
            return found
        like = {field.name: field for field in self._like}
        kept = [like[field.name] if _fits(field.type, like.get(field.name)) else field for field in found]
        return pa.schema(kept, metadata=self._like.metadata)


def _fits(kind: Any, field: Any) -> bool:
    """Whether a column of pictures stays one of bytes and path, and any other what it was."""
    import pyarrow as pa

    return field is not None and (pa.types.is_struct(field.type) or not pa.types.is_struct(kind))
