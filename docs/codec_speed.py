"""Seconds of warm encodes and decodes, of the latticecodec that is installed: JSON on standard output.

python docs/codec_speed.py MODEL PICTURE, called by `python docs/benchmark.py --against DIR` with the Python of each
checkout. It uses only what every version of the package has had.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from PIL import Image

import latticecodec

TIMES = 3  # of which the median is told


def main() -> None:
    model, path = sys.argv[1:]
    codec = latticecodec.load(model, device="cpu")
    with Image.open(path) as file:
        picture = np.asarray(file.convert("RGB"))  # [H, W, 3]
    data = codec.encode(picture, effort=0)
    runs = {
        "encode, effort 0, warm": lambda: codec.encode(picture, effort=0),
        "encode, effort 1, warm": lambda: codec.encode(picture, effort=1),
        "decode, warm": lambda: codec.decode(data),
    }
    print(json.dumps({name: {"seconds": median_seconds(run)} for name, run in runs.items()}))


def median_seconds(run: Callable[[], object]) -> float:
    run()  # what the first one costs beside, it costs once
    seconds = []
    for _ in range(TIMES):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
