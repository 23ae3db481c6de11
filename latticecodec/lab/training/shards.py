"""Pictures packed many to a file, read as they are wanted: WebDataset's tars, and Parquet with a column of images.

A part is a tar or a row group of Parquet. A place in the batch stays with one part for STAY steps and then goes on to
another, in an order that follows from the seed, until all have had their turn. So what is read is near to what was read
before, and what a step reads follows from the seed, the step and the place alone.
"""

import tarfile
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ... import tars
from ...errors import TrainingError
from ...extras import require
from ...picture import search
from ...picture.formats import IMAGE_SUFFIXES

TAR, PARQUET = ".tar", ".parquet"
STAY = 128  # steps
OPEN_MAX = 8  # parts that the places of a batch are at
HOLD_OUT = 20  # every 20th picture of a part is for validation, where that has no folder of its own
HELD_OUT_MAX = 24  # of these


@dataclass(frozen=True)
class Part:
    """A tar, or row group `group` of a Parquet file, whose `column` has the images."""

    path: Path
    group: int = 0
    column: str = ""


@dataclass(frozen=True)
class Packed:
    """An image file in a part: its name and its bytes."""

    name: str
    data: bytes


class Shards:
    """Pictures in the tars and Parquet files given.

    Args:
        files: paths that end in .tar or .parquet.
        seed: of the order of parts.
        held_out: whether some are kept for validation.

    Raises TrainingError where a Parquet file cannot be read or has no column of images, LcqError without pyarrow.
    """

    def __init__(self, files: Sequence[Path], seed: int = 0, held_out: bool = False) -> None:
        self.files, self.seed = list(files), seed
        self.holds_out = held_out
        self._parts = [part for path in files for part in (_row_groups(path) if _is_parquet(path) else [Part(path)])]
        self._numbers = {part: number for number, part in enumerate(self._parts)}
        self._open: OrderedDict[Part, _Tar | _RowGroup] = OrderedDict()

    def part_of(self, step: int, place: float) -> Iterator[Part]:
        """The part that a place of the batch, from 0 to below 1, is at in a step; then those it can turn to instead."""
        at = step // STAY * OPEN_MAX + int(place * OPEN_MAX)
        for turn in range(at, at + 2 * len(self._parts)):
            epoch, index = divmod(turn, len(self._parts))
            yield self._parts[int(_order(self.seed, epoch, len(self._parts))[index])]

    def pick(self, part: Part, generator: torch.Generator) -> Packed | None:
        """A picture to train on; None where the part has none."""
        opened = self._opened(part)
        kept = self._kept(part, len(opened)) if self.holds_out else range(0)
        numbers = [number for number in range(len(opened)) if number not in kept]
        if not numbers:
            return None
        return opened.picture(numbers[int(torch.randint(len(numbers), (1,), generator=generator))])

    def held_out(self) -> list[Packed]:
        """The pictures for validation, of as many parts as it takes; they train as well where there are no others."""
        found: list[Packed] = []
        left = 0
        for part in self._parts:
            opened = self._opened(part)
            left += len(opened) - len(self._kept(part, len(opened)))
            found += [opened.picture(number) for number in self._kept(part, len(opened))]
            if len(found) >= HELD_OUT_MAX:
                break
        else:
            self.holds_out = left > 0
        return found[:HELD_OUT_MAX]

    def _kept(self, part: Part, count: int) -> range:
        """The numbers of a part's `count` pictures that are for validation; of parts of one picture each some parts."""
        if count == 1 and self._numbers[part] % HOLD_OUT:
            return range(0)
        return range(0, count, HOLD_OUT)

    def all(self) -> Iterator[Packed]:
        """Every picture, for validation with files of its own."""
        for part in self._parts:
            opened = self._opened(part)
            yield from (opened.picture(number) for number in range(len(opened)))

    def _opened(self, part: Part) -> "_Tar | _RowGroup":
        if part not in self._open:
            self._open[part] = _RowGroup(part) if _is_parquet(part.path) else _Tar(part.path)
            while len(self._open) > OPEN_MAX:
                self._open.popitem(last=False)
        self._open.move_to_end(part)
        return self._open[part]


class _Tar:
    """Where the images of a tar lie; a warning, and those before it, where it is damaged, or without a sparse one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: list[tuple[str, int, int]] = []  # name, offset, bytes
        try:
            end = path.stat().st_size
            with tarfile.open(path, "r:", tarinfo=tars.Member) as tar:
                for member in tars.files(tar):
                    if Path(member.name).suffix.lower() not in IMAGE_SUFFIXES:
                        continue
                    if member.issparse():
                        warnings.warn(f"{path}, {member.name}: left out, a sparse file", stacklevel=2)
                    elif member.offset_data + member.size <= end:
                        self._places.append((member.name, member.offset_data, member.size))
        except tars.DAMAGE as error:
            warnings.warn(f"{path}: not read to its end, {error}", stacklevel=2)

    def __len__(self) -> int:
        return len(self._places)

    def picture(self, number: int) -> Packed:
        name, offset, size = self._places[number]
        with self.path.open("rb") as file:
            file.seek(offset)
            return Packed(f"{self.path}, {name}", file.read(size))


class _RowGroup:
    """The images of a row group, in memory; a warning, and none, where it is damaged."""

    def __init__(self, part: Part) -> None:
        from pyarrow import ArrowException, array, compute, parquet

        self.part, self._before, self._images = part, 0, array([])
        try:
            with parquet.ParquetFile(part.path) as file:
                rows = file.read_row_group(part.group, [part.column], use_threads=False)
                self._before = sum(file.metadata.row_group(group).num_rows for group in range(part.group))
            images = rows.column(0).combine_chunks()
            place = _place_of_bytes(images.type)
            self._images = images if place is None else compute.struct_field(images, place)
        except (ArrowException, OSError, ValueError) as error:
            warnings.warn(f"{part.path}: row group {part.group} is left out, {error}", stacklevel=2)

    def __len__(self) -> int:
        return len(self._images)

    def picture(self, number: int) -> Packed:
        data: bytes | None = self._images[number].as_py()
        return Packed(f"{self.part.path}, row {self._before + number}", data or b"")


@lru_cache(maxsize=4)
def _order(seed: int, epoch: int, count: int) -> Tensor:
    """The order [count] in which parts have their turn."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))


def find_shards(place: Path) -> list[Path]:
    """The tars and Parquet files below a folder without image files, sorted; or the one file given."""
    found = search(place, {TAR, PARQUET})
    files = [place] if place.is_file() else found.wanted
    loose = any(path.suffix.lower() in IMAGE_SUFFIXES for path in found.others)
    return [] if loose else [path for path in files if path.suffix.lower() in (TAR, PARQUET)]


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() == PARQUET


def _row_groups(path: Path) -> list[Part]:
    """The parts of a Parquet file."""
    require("parquet", f"{path}:")
    from pyarrow import ArrowException, parquet

    try:
        with parquet.ParquetFile(path) as file:
            schema, groups = file.schema_arrow, file.metadata.num_row_groups
        columns = [field.name for field in schema if _has_images(field.type)]
    except (ArrowException, OSError, ValueError):  # also of a name that is no text
        raise TrainingError(f"{path}: not a Parquet file that can be read; leave it out") from None
    if not columns:
        raise TrainingError(f"{path}: has no column of images, as bytes; its columns are {', '.join(schema.names)}")
    return [Part(path, group, columns[0]) for group in range(groups)]


def _has_images(kind: Any) -> bool:
    """Whether a column holds bytes, or as those of Hugging Face a structure with "bytes" in it."""
    from pyarrow import types

    place = _place_of_bytes(kind)
    images = kind if place is None else kind.field(place).type
    return bool(types.is_binary(images) or types.is_large_binary(images))


def _place_of_bytes(kind: Any) -> int | None:
    """Where a structure has the one "bytes" in it; None for what is no such structure."""
    from pyarrow import types

    places = kind.get_all_field_indices("bytes") if types.is_struct(kind) else []
    return places[0] if len(places) == 1 else None
