"""Parquet files with a column of pictures: their bytes, or bytes and path as data sets of Hugging Face have them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..errors import LcqError

COLUMN = "image"  # with the pictures, as data sets of Hugging Face have it
OWN = "lcq_"  # before the names of columns that tell of a file
ROWS = 64  # that are read at once


class ColumnError(LcqError):
    """A column that the output cannot have; the message names it, not the file."""


def groups(file: IO[bytes], called: str) -> list[int]:
    """The rows of each row group; raises LcqError naming the file where it is no Parquet file."""
    from pyarrow.parquet import ParquetFile

    with _whole(called):
        metadata = ParquetFile(file).metadata
        return [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]


@dataclass(frozen=True)
class Row:
    """A row.

    Attributes:
        number: in the group.
        data: of the picture, or None.
        path: of the picture, or "".
        others: columns but those of our own, as a record batch of pyarrow with this one row; None where there are none.
    """

    number: int
    data: bytes | None
    path: str
    others: Any


class Rows:
    """The rows of a group.

    Attributes:
        schema: of the file.
    """

    def __init__(self, file: IO[bytes], called: str, group: int, column: str) -> None:
        """Raises LcqError naming the file where it has no such column, or cannot be read."""
        from pyarrow.parquet import ParquetFile

        self._called, self._group = called, group
        with _whole(called):
            self._file = ParquetFile(file)
            self.schema = self._file.schema_arrow
            names = self.schema.names
            if names.count(column) > 1:
                raise ValueError(f"{names.count(column)} columns are called {column}")
        if column not in names:
            raise LcqError(f"{called}: has no column {column}, but {', '.join(names)}; name one with `column`")
        self._at = names.index(column)
        self._others = [index for index, name in enumerate(names) if name != column and not name.startswith(OWN)]

    def __iter__(self) -> Iterator[Row]:
        number = 0
        with _whole(self._called):
            for batch in self._file.iter_batches(batch_size=ROWS, row_groups=[self._group]):
                beside = batch.select(self._others) if self._others else None
                pictures, paths = (_cells(batch.column(self._at), name) for name in ("bytes", "path"))
                for index in range(len(batch)):
                    data, path = _value(pictures, index), _value(paths, index)
                    yield Row(
                        number,
                        data if isinstance(data, bytes) else None,
                        path if isinstance(path, str) else "",
                        None if beside is None else beside.slice(index, 1),
                    )
                    number += 1


def _cells(column: Any, name: str) -> Any:
    """A field of a column of structures, None where that has none; of another column its cells are the `bytes`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_struct(column.type):
        return column if name == "bytes" else None
    places = column.type.get_all_field_indices(name)
    if len(places) > 1:
        raise ValueError(f"{len(places)} fields of a picture are called {name}")
    return pc.struct_field(column, places) if places else None


def _value(cells: Any, index: int) -> Any:
    """What a cell holds; None where there is none, or text that is not UTF-8."""
    try:
        return None if cells is None else cells[index].as_py()
    except UnicodeDecodeError:
        return None


@contextmanager
def _whole(called: str) -> Iterator[None]:
    """Within, what pyarrow raises of a damaged file becomes LcqError naming it; a name that is no text is damage."""
    import pyarrow as pa

    try:
        yield
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        told = f"{called}: is no Parquet file, damaged or cut short ({_words(error)}); take a whole copy of it"
        raise LcqError(told) from None


def values(others: Any) -> dict[str, Any]:
    """Other columns of a row as Python has them, by name; raises ColumnError for one that it cannot have."""
    import pyarrow as pa

    found = {}
    for name, column in zip(others.schema.names, others.columns, strict=True):
        try:
            found[name] = column[0].as_py()
        except (pa.ArrowException, ValueError, OverflowError) as error:  # as of a time beyond the year 9999
            told = f"cannot be written as JSON ({_words(error)}); leave it out, or write Parquet"
            raise ColumnError(f"column {name} {told}") from None
    return found


class Writer:
    """A Parquet file, row by row: columns of the source, which stay what they are, then those that are made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[dict[str, Any]] = []
        self._others: list[Any] = []
        self._made: Any = None
        self._writer: Any = None

    def add(self, row: dict[str, Any], others: Any, like: Any) -> None:
        """One row more; raises ColumnError where the source has its pictures in a column that does not take ours.

        Args:
            row: what is made, by the names of columns.
            others: see `Row`; the same columns in every row.
            like: the source's schema, whose column of pictures stays one of bytes and path where it was; or None.
        """
        self._rows.append(row)
        if others is not None:
            self._others.append(others)
        self._made = _schema(row, like) if self._made is None else self._made
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

        rows, others, self._rows, self._others = self._rows, self._others, [], []
        made = pa.schema([]) if self._made is None else self._made
        fields, columns = list(made), [_column(field, rows) for field in made]
        if others:
            beside = pa.Table.from_batches(others).combine_chunks()
            fields, columns = [*beside.schema, *fields], [*beside.columns, *columns]
        table = pa.table(columns, schema=pa.schema(fields, metadata=made.metadata))
        if self._writer is None:
            self._writer = ParquetWriter(self._path, table.schema)
        self._writer.write_table(table)


def _schema(row: dict[str, Any], like: Any) -> Any:
    """The columns that are made, and what the source says of its own."""
    import pyarrow as pa

    found = pa.Table.from_pylist([row]).schema
    if like is None:
        return found
    before = {field.name: field for field in like if pa.types.is_struct(field.type)}
    kept = [before.get(field.name, field) if pa.types.is_struct(field.type) else field for field in found]
    return pa.schema(kept, metadata=like.metadata)


def _column(field: Any, rows: list[dict[str, Any]]) -> Any:
    """One column that is made."""
    import pyarrow as pa

    try:
        return pa.array([row[field.name] for row in rows], field.type)
    except pa.ArrowException as error:
        told = f"of {field.type} does not take bytes and path ({_words(error)}); make it one that does"
        raise ColumnError(f"column {field.name} {told}") from None


def _words(error: BaseException) -> str:
    """What a library says, on one short line."""
    return " ".join(str(error).split())[:100]
