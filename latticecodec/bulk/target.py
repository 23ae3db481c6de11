"""Where outputs go: a file each, or one tar or Parquet file for a part, which gets its name when it is whole."""

import io
import json
import tarfile
import tempfile
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Protocol

from ..errors import LcqError
from . import parquet
from .sample import Picture, Sample, key_of
from .source import Part, kind_of
from .store import NamingError, Store
from .task import Coded

Form = Literal["files", "tars", "parquet"]
Made = list[tuple[Picture, Coded]]


class Target(Protocol):
    """What the outputs of a part are written to; used as a context, which leaves nothing where it is left by an error.

    Attributes:
        left_out: how many files or columns beside the pictures it has no place for, by kind.
    """

    left_out: Counter[str]

    def __enter__(self) -> "Target": ...

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None: ...

    def has(self, name: str) -> bool:
        """Whether the output of this name is there, and whole."""

    def add(self, sample: Sample, made: Made) -> dict[str, str]:
        """Take what was made of a sample's pictures; returns why outputs, by name, cannot have that name, and are not.

        Raises OutputError where nothing can be written, ColumnError where this part of the source cannot be written so.
        """


def target_of(form: Form, store: Store, part: Part, overwrite: bool, column: str, keep_times: bool) -> Target:
    """The target of a part; with `overwrite` nothing that is there counts."""
    if form == "files":
        return Files(store, overwrite, keep_times)
    return Tar(store, part, keep_times) if form == "tars" else Parquet(store, part, column)


class Files:
    """A file for each picture, where the picture lay."""

    def __init__(self, store: Store, overwrite: bool, keep_times: bool) -> None:
        self._store, self._overwrite, self._keep_times = store, overwrite, keep_times
        self.left_out: Counter[str] = Counter()

    def __enter__(self) -> "Files":
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        pass

    def has(self, name: str) -> bool:
        """Whether it is there."""
        return not self._overwrite and self._store.whole and self._store.exists(name)

    def add(self, sample: Sample, made: Made) -> dict[str, str]:
        """Write each."""
        refused = {}
        for picture, coded in made:
            try:
                self._store.write(coded.name, coded.data, picture.modified if self._keep_times else None)
            except NamingError as error:
                refused[coded.name] = f"{error}; rename it"
        _count_beside(self.left_out, sample)
        if sample.row is not None:
            self.left_out.update(f"column {name}" for name in sample.row.schema.names)
        return refused


class _OneFile:
    """A file for a part, made in a temporary one on the disk."""

    def __init__(self, store: Store, name: str) -> None:
        self._store, self._name = store, name
        self.left_out: Counter[str] = Counter()

    def __enter__(self) -> Any:
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="lcodec-")
        except OSError as error:
            raise LcqError(f"no folder for temporary files: {error.strerror}; set TMPDIR to one") from None
        self._path = Path(self._folder.name, "part")
        self._begin()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        with self._folder:
            self._end()
            if kind is None:
                self._store.put(self._name, self._path)

    def _begin(self) -> None:
        raise NotImplementedError

    def _end(self) -> None:
        raise NotImplementedError

    def has(self, name: str) -> bool:
        """Never: a file that is there was passed over as a whole."""
        return False


class Tar(_OneFile):
    """A tar as WebDataset reads it: what belongs to a sample lies side by side, called alike but for the suffix."""

    def __init__(self, store: Store, part: Part, keep_times: bool) -> None:
        super().__init__(store, f"{part.name}.tar")
        self._keep_times = keep_times
        self._names: set[str] = set()  # of all members, as `_read_as`

    def _begin(self) -> None:
        self._tar = tarfile.open(self._path, "w")  # noqa: SIM115 - closed at the end

    def _end(self) -> None:
        self._tar.close()

    def add(self, sample: Sample, made: Made) -> dict[str, str]:
        """Outputs first, then what was beside them; columns of a row become a JSON file.

        Of a sample with one that the tar would have twice, at which readers stop, nothing is taken.
        """
        members = {coded.name: coded.data for _, coded in made}
        if sample.row is not None and made:
            name = str(PurePosixPath(made[0][1].name).with_suffix(".json"))
            members[name] = json.dumps(parquet.values(sample.row), default=str).encode()
        named = Counter(map(_read_as, [*members, *sample.beside]))
        twice = [name for name in members if named[_read_as(name)] > 1 or _read_as(name) in self._names]
        if twice:
            return {coded.name: f"the tar would hold {twice[0]} twice; rename one" for _, coded in made}
        self._names |= named.keys()
        times = {coded.name: picture.modified for picture, coded in made} if self._keep_times else {}
        for name, data in {**members, **sample.beside}.items():
            self._add(name, data, times.get(name))
        return {}

    def _add(self, name: str, data: bytes, modified: int | None) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = len(data), 0o644, (modified or 0) // 10**9
        self._tar.addfile(member, io.BytesIO(data))


def _read_as(name: str) -> str:
    """A member's name as WebDataset takes it: what follows the key of its sample in small letters."""
    key = key_of(name)
    return key + name[len(key) :].lower()


class Parquet(_OneFile):
    """A Parquet file: pictures as data sets of Hugging Face have them, what their files tell, all other columns."""

    def __init__(self, store: Store, part: Part, column: str) -> None:
        super().__init__(store, f"{part.name}.parquet")
        self._column = column

    def _begin(self) -> None:
        self._writer = parquet.Writer(self._path)

    def _end(self) -> None:
        self._writer.close()

    def add(self, sample: Sample, made: Made) -> dict[str, str]:
        """A row for each picture."""
        refused = {}
        for _, coded in made:
            try:
                coded.name.encode()
            except UnicodeEncodeError:
                refused[coded.name] = "a name that is not UTF-8 cannot be in Parquet; rename it"
                continue
            told = {
                "bytes": len(coded.data),
                "width": coded.width,
                "height": coded.height,
                "bpp": 8 * len(coded.data) / (coded.width * coded.height),
                "quality": coded.quality,
                "model": coded.model,
            }
            named = {f"{parquet.OWN}{name}": value for name, value in told.items()}
            cell = {"bytes": coded.data, "path": coded.name}
            row = {self._column: cell} | (named if coded.name.endswith(".lcq") else {})
            self._writer.add(row, sample.row, sample.schema)
        _count_beside(self.left_out, sample)
        return refused


def _count_beside(left_out: Counter[str], sample: Sample) -> None:
    """Count files of a sample that are not taken along."""
    left_out.update(map(kind_of, sample.beside))
