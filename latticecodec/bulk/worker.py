"""What a worker does with a part, and what it tells of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from ..errors import LcqError, reason
from .parquet import COLUMN, ColumnError
from .record import Record, Records
from .sample import Sample, samples
from .source import Failure, Part, kind_of
from .store import HINT, NamingError, Store
from .target import Form, Made, target_of
from .task import Coded, Task


@dataclass(frozen=True)
class Order:
    """What every part is worked on by; can be sent to a worker.

    Attributes:
        task: what is done with a picture.
        source: the folder to read from.
        target: the folder to write to; None where nothing is written.
        form: what is written there.
        run: the run's number; what belongs to another one does not count.
        call: the number of this call, of which a run can take several.
        overwrite: what is there does not count.
        column: of Parquet files, with the pictures.
        keep_times: date outputs as their inputs.
    """

    task: Task
    source: Store
    target: Store | None
    form: Form = "files"
    run: str = ""
    call: str = ""
    overwrite: bool = False
    column: str = COLUMN
    keep_times: bool = False


TRIES = 3  # for a part at which workers end


def given_up(order: Order, part: Part) -> Record:
    """What is told of a part that no worker has survived."""
    told = "the worker that had it was ended each time, perhaps for want of memory; give fewer `workers`"
    return _failed(order, part, told)


def _failed(order: Order, part: Part, told: str) -> Record:
    """What is told of a part of which nothing came, and with which another try could end otherwise."""
    called = order.source.called
    return Record(part.name, failures=[Failure(name, f"{called(name)}: {told}", lasting=False) for name in part.files])


def unforeseen(error: Exception) -> str:
    """What is told of an error that is none of ours."""
    if isinstance(error, MemoryError):
        return "not enough memory for this; give fewer `workers`, or take machines with more"
    told = ": ".join(filter(None, [type(error).__name__, " ".join(str(error).split())[:HINT]]))
    return f"cannot be worked on ({told}); please report it, and leave it out until then"


@dataclass
class Worker:
    """One loaded model, and what it is used for.

    Attributes:
        order: what every part is worked on by.
        careful: whether a worker before it was ended, perhaps by the part that comes first; its tries are counted.
    """

    order: Order
    careful: bool = False
    _do: Callable[[str, bytes], Coded] = field(init=False)

    def __post_init__(self) -> None:
        """Raises LcqError where nothing could be done at all."""
        self._do = self.order.task.ready()

    def part(self, part: Part) -> Record:
        """Do a part, or find that it is done; whatever a library raises meanwhile is told of the part's files."""
        target = self.order.target
        try:
            return self._checked(part) if target is None else self._recorded(part, target)
        except ColumnError as error:
            return _failed(self.order, part, str(error))
        except NamingError as error:
            return _failed(self.order, part, f"{error}; rename it")
        except LcqError as error:
            return Record(part.name, stopped=str(error))
        except Exception as error:  # libraries have many
            return _failed(self.order, part, unforeseen(error))

    def _recorded(self, part: Part, target: Store) -> Record:
        """Do a part that has no record yet, and keep one of it."""
        records = Records(target, self.order.run, fixed=self.order.form != "files")
        before = records.find(part)
        if before is not None:
            return replace(before, before=True)
        if self.careful and records.tries(part, self.order.call) > TRIES:
            return given_up(self.order, part)
        self.careful = False
        record = self._worked(part, target)
        if not record.stopped:
            records.keep(part, record)
        return record

    def _worked(self, part: Part, store: Store) -> Record:
        order, record = self.order, Record(part.name)
        names: set[str] = set()
        try:
            with target_of(order.form, store, part, order.overwrite, order.column, order.keep_times) as target:
                for sample in self._samples(part):
                    if isinstance(sample, Failure):
                        record.failures.append(sample)
                        continue
                    made, failures = self._made(part, sample, record, names, target.has)
                    record.failures += failures
                    if not failures or order.form == "files":  # a sample of a tar is whole, or not there
                        refused = target.add(sample, made)
                        record.count([one for one in made if one[1].name not in refused])
                        record.failures += [
                            Failure(picture.name, f"{self._called(part, picture.name)}: {refused[coded.name]}")
                            for picture, coded in made
                            if coded.name in refused
                        ]
                    else:
                        record.left_out.update(kind_of(picture.name) for picture, _ in made)
                        record.left_out.update(map(kind_of, sample.beside))
                record.left_out.update(target.left_out)
        except OSError as error:  # of a tar or Parquet file in the making
            record.stopped = f"temporary files: cannot be written: {reason(error)}; set TMPDIR to a folder with room"
        return record

    def _checked(self, part: Part) -> Record:
        record = Record(part.name)
        for sample in self._samples(part):
            if isinstance(sample, Failure):
                record.failures.append(sample)
            else:
                made, failures = self._made(part, sample, record, set(), lambda name: False)
                record.failures += failures
                record.count(made)
        return record

    def _samples(self, part: Part) -> Iterator[Sample | Failure]:
        """What a part holds, under names that no other part has where outputs are files."""
        apart = self.order.target is not None and self.order.form == "files"
        return samples(self.order.source, part, self.order.task.suffixes, self.order.column, apart)

    def _made(
        self, part: Part, sample: Sample, record: Record, names: set[str], has: Callable[[str], bool]
    ) -> tuple[Made, list[Failure]]:
        """What becomes of the pictures of a sample, and which of them fail; `names` are those of outputs before."""
        made: Made = []
        failures = []
        for picture in sample.pictures:
            name = self.order.task.target(picture.name)
            if name in names:
                told = f"would become {name} as another one did; {self.order.task.advice}"
                failures.append(Failure(picture.name, f"{self._called(part, picture.name)}: {told}"))
                continue
            names.add(name)
            if has(name):
                record.skipped += 1
                continue
            try:
                made.append((picture, self._do(picture.name, picture.data)))
            except LcqError as error:
                line = " ".join(str(error).removeprefix(f"{picture.name}: ").split())
                failures.append(Failure(picture.name, f"{self._called(part, picture.name)}: {line}"))
            except Exception as error:  # libraries have many
                line = f"{self._called(part, picture.name)}: {unforeseen(error)}"
                failures.append(Failure(picture.name, line, lasting=False))
        return made, failures

    def _called(self, part: Part, name: str) -> str:
        """A picture as messages call it, behind the tar or Parquet file that it is in."""
        if part.kind == "files" or name.startswith(part.folder):
            return self.order.source.called(name)
        return f"{self.order.source.called(part.files[0])}: {name}"
