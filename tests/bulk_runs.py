"""What the tests of `latticecodec.bulk` share: collections, what is expected of them, runs without a cluster."""

import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from latticecodec import Codec
from latticecodec.bulk import Bulk, Part, Record, Summary, cluster
from latticecodec.bulk.worker import Order, Worker

BROKEN = b"not a picture"


def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs use one worker in this process, and no Ray."""

    def spread(order: Order, parts: Iterator[Part], workers: int, graphics: bool) -> Iterator[Record]:
        worker = Worker(order)
        yield from map(worker.part, parts)

    monkeypatch.setattr(cluster, "joined", lambda *_: nullcontext())
    monkeypatch.setattr(cluster, "capacity", lambda device: (1, False))
    monkeypatch.setattr(cluster, "spread", spread)


def run(asked: Bulk) -> Summary:
    """What a run did."""
    summary = Summary()
    for _ in asked.results(summary):
        pass
    return summary


def draw(number: int, seed: int = 0, width: int = 40, height: int = 24) -> list[bytes]:
    """So many small pictures as PNG, in colour and grey."""
    rng, files = np.random.default_rng(seed), []
    for index in range(number):
        channels = 1 if index % 5 == 4 else 3
        coarse = rng.integers(0, 256, (4, 5, channels), np.uint8).squeeze()
        file = io.BytesIO()
        Image.fromarray(coarse).resize((width + index % 7, height), Image.Resampling.BICUBIC).save(file, "PNG")
        files.append(file.getvalue())
    return files


FILES = draw(7)


def loose(folder: Path, files: list[bytes]) -> None:
    """A folder of pictures, every third in one below."""
    for index, data in enumerate(files):
        path = folder / ("below" if index % 3 == 2 else ".") / f"p{index:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def tar(path: Path, files: list[bytes], first: int = 0, times: Sequence[float | str] = ()) -> None:
    """A tar as WebDataset has it: a picture and its class in each sample; with times of last change, also odd ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as file:
        for index, data in enumerate(files, first):
            for suffix, content in (("png", data), ("cls", str(index % 10).encode())):
                member = tarfile.TarInfo(f"p{index:05d}.{suffix}")
                member.size = len(content)
                if times:
                    member.pax_headers["mtime"] = str(times[index - first])
                file.addfile(member, io.BytesIO(content))


def parquet(path: Path, files: list[bytes], group: int, first: int = 0) -> None:
    """A Parquet file as data sets of Hugging Face have it, with a column of labels and what they say of columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = range(first, first + len(files))
    cells = [{"bytes": data, "path": f"p{index:05d}.png"} for index, data in zip(numbers, files, strict=True)]
    features = {"image": {"_type": "Image"}, "label": {"dtype": "int32", "_type": "Value"}}
    table = pa.table(
        {"image": pa.array(cells), "label": pa.array([index % 10 for index in numbers], pa.int32())},
    ).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, path, row_group_size=group)


def outputs(folder: Path) -> dict[str, bytes]:
    """Every picture that a run wrote in files, tars or Parquet, by its name; each must be there once."""
    found: list[tuple[str, bytes]] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not _own(path)):
        if path.suffix == ".tar":
            with tarfile.open(path) as file:
                members = [member for member in file if member.name.endswith((".lcq", ".png"))]
                found += [(member.name, file.extractfile(member).read()) for member in members]  # type: ignore[union-attr]
        elif path.suffix == ".parquet":
            cells = pq.read_table(path).column("image").to_pylist()
            found += [(cell["path"], cell["bytes"]) for cell in cells]
        elif path.name != "errors.jsonl":
            found.append((str(path.relative_to(folder)), path.read_bytes()))
    assert len(dict(found)) == len(found)
    return dict(found)


def expected(files: list[bytes], codec: Codec, **options: Any) -> list[bytes]:
    """What `lcodec compress` writes of each."""
    return [codec.encode(data, **options) for data in files]


def _own(path: Path) -> bool:
    """Whether a file is a run's record, or what a process left that was ended while it wrote: .lcodec-*.part."""
    return ".lcodec-bulk" in path.parts or path.name.startswith(".lcodec-")
