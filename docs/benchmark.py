"""Speed of the entropy coder and of decoding, as ratios to a yardstick measured in the same run.

    python docs/benchmark.py [IMAGE] [--model NAME|DIR] [--repeats N]
    python docs/benchmark.py --against DIR [--model NAME] [--repeats N] [--json]
    python docs/benchmark.py --training [--preset NAME] [--against DIR] [--repeats N]

Coder: symbols per second with the model's tables and the table ids of the image, over those of constriction coding as
many independent symbols with one table, the one whose entropy is nearest to the image's bits a symbol. Decode: seconds
of a warm decode over those of Pillow's AVIF encode of the image. Each pair is timed back to back and the median of the
pairs' ratios is printed, so that a busy machine slows both. Training: pixels a second of training steps on the
processor and the seconds of their parts, beside those of another checkout in DIR, in alternation. Against: what people
wait for, in this checkout and in another one in DIR, each as installed in its own .venv-light or .venv: whole processes
of lcodec with their peak memory, for pictures of 768 x 512 and 4000 x 3000, and warm encodes and decodes.
"""

import argparse
import io
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import constriction
import numpy as np
import processes
import torch
from PIL import Image

from latticecodec import Codec, LcqError, load
from latticecodec.config import PATCH, PRESETS
from latticecodec.entropy.coder import PRECISION, Decoder, Encoder, Int32, symbol_bits
from latticecodec.kinds import Lattice
from latticecodec.kinds.hyper import hyper_latents
from latticecodec.lab.training.synthetic import synthetic_picture
from latticecodec.picture import plain, read, to_pillow, to_planes

AVIF = {"quality": 60, "speed": 6, "subsampling": "4:4:4"}
QUALITY = 50.0  # of the model


def main() -> None:
    parser = argparse.ArgumentParser(description="Ratios of speed, measured in one run.")
    parser.add_argument("image", nargs="?", help="picture to use; by default one of 512 x 768 drawn by latticecodec")
    parser.add_argument(
        "--model", default="lattice-1", help="name or folder (default: lattice-1, which every version has)"
    )
    parser.add_argument("--repeats", type=positive, help="timed pairs of each ratio (default: 9; 5 with --against)")
    parser.add_argument("--training", action="store_true", help="time training steps instead")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="lc-s", help="network to train (default: lc-s)")
    parser.add_argument("--against", metavar="DIR", help="another checkout, which is timed beside this one")
    parser.add_argument("--json", action="store_true", help="print what --against finds as JSON")
    arguments = parser.parse_args()
    if arguments.training:
        compare_training(arguments.preset, arguments.against, arguments.repeats or 9)
        return
    if arguments.against:
        processes.compare(Path(arguments.against), arguments.model, arguments.repeats or 5, arguments.json)
        return
    picture = to_pillow(read(arguments.image)) if arguments.image else _drawn()
    codec = load(arguments.model, "cpu")
    print(f"{picture.width} x {picture.height}, model {arguments.model}, {torch.get_num_threads()} threads")
    compare_coder(codec, picture, arguments.repeats or 9)
    compare_decode(codec, picture, arguments.repeats or 9)


def positive(words: str) -> int:
    """A number from 1 on; raises ValueError for others."""
    number = int(words)
    if number < 1:
        raise ValueError
    return number


def _drawn() -> Image.Image:
    return Image.fromarray(synthetic_picture(1, height=512, width=768).permute(1, 2, 0).numpy())


def compare_coder(codec: Codec, picture: Image.Image, repeats: int) -> None:
    """Symbols per second of Encoder.put and Decoder.get over those of constriction's own iid coding."""
    walk, tables = coding_walk(codec, picture), codec.kind.prior.tables
    counts = np.bincount(np.concatenate([ids for _, ids in walk]))
    total = int(counts.sum())
    bits = sum(float(symbol_bits(residuals, ids, tables).sum()) for residuals, ids in walk) / total  # a symbol, mean
    chances = tables.frequencies / (1 << PRECISION)
    entropies = np.add.reduceat(chances * tables.costs, tables.offsets[:-1])  # bits a symbol, of each table
    typical = int(np.abs(entropies - bits).argmin())
    row = chances[tables.offsets[typical] : tables.offsets[typical + 1]]
    symbols = np.random.default_rng(1).choice(len(row), total, p=row).astype(np.int32)
    model = tables.model(typical)

    def encode() -> bytes:
        encoder = Encoder()
        for residuals, ids in walk:
            encoder.put(residuals, ids, tables)
        return encoder.finish()

    def decode() -> list[Int32]:
        decoder = Decoder(data)
        return [decoder.get(ids, tables) for _, ids in walk]

    def encode_iid() -> Any:
        encoder = constriction.stream.queue.RangeEncoder()
        encoder.encode(symbols, model)
        return encoder.get_compressed()

    def decode_iid() -> Int32:
        return constriction.stream.queue.RangeDecoder(words).decode(model, total)

    data, words = encode(), encode_iid()
    assert all(np.array_equal(a, b) for a, (b, _) in zip(decode(), walk, strict=True))
    assert np.array_equal(decode_iid(), symbols)
    print(f"coder: {total:,} symbols of {bits:.2f} bits, {np.count_nonzero(counts)} tables")
    for name, ours, iid in (("encode", encode, encode_iid), ("decode", decode, decode_iid)):
        ratio, seconds, iid_seconds = time_pairs(ours, iid, repeats)
        speed, iid_speed = total / seconds / 1e6, total / iid_seconds / 1e6
        print(f"  {name}: {1 / ratio:.3f} of constriction's iid speed ({speed:.1f} of {iid_speed:.1f} M symbols/s)")


def coding_walk(codec: Codec, picture: Image.Image) -> list[tuple[Int32, Int32]]:
    """(residuals [N], table ids [N]) of the picture in coding order, as `Codec.encode` makes them at effort 0."""
    inside, backend = codec.kind, codec.model.backend
    if not isinstance(inside, Lattice):
        raise SystemExit(f"model {codec.config.name} has codebooks; this measures lattices")
    rate, points, walk = inside.rates.of_quality(QUALITY), inside.prior.points, Walk()
    u = inside.prepare(backend.analysis(to_planes(plain(read(picture)), PATCH)), rate, None)  # [M, h, w]
    z = hyper_latents(backend, u)  # [Z, h/4, w/4]
    inside.prior.hyper.write(z, rate.level, walk)
    view = inside.prior.view(z, u.shape, rate.level)
    for step in view.steps:
        mean, scale = view.predict(step)
        k = points.choose(u[view.own(step)], mean, scale)
        points.write(k, mean, scale, walk)
        view.know(step, k)
    return walk.symbols


class Walk:
    """A sink that keeps what it gets: (residuals [N], table ids [N]) in coding order."""

    def __init__(self) -> None:
        self.symbols: list[tuple[Int32, Int32]] = []

    def put(self, residuals: Int32, ids: Int32) -> None:
        """See `entropy.stream.Sink`."""
        self.symbols.append((residuals, ids))


def compare_decode(codec: Codec, picture: Image.Image, repeats: int) -> None:
    """Seconds of Codec.decode over those of Pillow's AVIF encode."""
    data = codec.encode(picture, QUALITY)
    codec.decode(data)  # warm
    ratio, seconds, avif_seconds = time_pairs(
        lambda: codec.decode(data), lambda: picture.save(io.BytesIO(), "AVIF", **AVIF), repeats
    )
    print(f"decode: {ratio:.3f} of the time of Pillow's AVIF encode ({seconds:.3f} s, {avif_seconds:.3f} s)")


def compare_training(preset: str, against: str | None, repeats: int) -> None:
    """Pixels a second of training steps of 8 crops of 256 x 256, in processes of their own."""
    folders = [str(Path(__file__).parent.parent)] + ([against] if against else [])
    runs: list[list[dict[str, float]]] = [[] for _ in folders]
    for _ in range(repeats):
        for folder, found in zip(folders, runs, strict=True):
            command = [sys.executable, str(Path(__file__).parent / "training_speed.py"), folder, preset, "8", "256"]
            found.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
    print(f"training {preset}, 8 crops of 256 x 256, {torch.get_num_threads()} threads, median of {repeats}")
    for folder, found in zip(folders, runs, strict=True):
        parts = {part: statistics.median(run[part] for run in found) for part in found[0]}
        total = statistics.median(sum(run.values()) for run in found)
        shares = ", ".join(f"{part} {seconds:.3f} s" for part, seconds in parts.items())
        print(f"  {folder}: {8 * 256**2 / total / 1e6:.2f} Mpx/s, {total:.3f} s a step: {shares}")
    if against:
        ratio = statistics.median(sum(b.values()) / sum(a.values()) for a, b in zip(*runs, strict=True))
        print(f"  {ratio:.2f} times as many pixels a second as {against}")


def time_pairs(ours: Callable[[], Any], yardstick: Callable[[], Any], repeats: int) -> tuple[float, float, float]:
    """Median ratio of seconds of `ours` to `yardstick`, timed in alternation; and the median seconds of each."""
    times = [(_seconds(ours), _seconds(yardstick)) for _ in range(repeats)]
    own, other = zip(*times, strict=True)
    return statistics.median(a / b for a, b in times), statistics.median(own), statistics.median(other)


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    try:
        main()
    except LcqError as error:
        sys.exit(f"Error: {error}")
