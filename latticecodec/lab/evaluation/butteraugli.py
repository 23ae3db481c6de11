"""Butteraugli (Alakuijala et al. 2017, visible differences), by the program of libjxl, which is optional.

Its 3-norm over the picture: 0 for the same picture, about 1 where a difference is just visible, more for worse ones.
"""

import hashlib
import math
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...errors import LcqError, reason

PROGRAM = "butteraugli_main"
INSTALL = "libjxl-devtools of Debian and Ubuntu, or a build of libjxl with its tools"
REMEDY = "install another, or take it off the PATH to do without"  # also where nobody asked for it: in a report
SIDE_MIN = 8  # pixels; the program says 0 of smaller pictures


def butteraugli_is_installed() -> bool:
    """Whether `butteraugli` can be called."""
    return shutil.which(PROGRAM) is not None


def butteraugli_build() -> str:
    """The program that measures it, by its SHA-256, since it does not tell its version; values belong to that.

    Raises LcqError where it cannot be read.
    """
    try:
        program = Path(shutil.which(PROGRAM) or PROGRAM).read_bytes()
    except OSError as error:
        told = f"{PROGRAM} cannot be read ({reason(error)})"
        raise LcqError(f"{told}; {REMEDY}") from None
    return f"{PROGRAM} {hashlib.sha256(program).hexdigest()}"


def butteraugli(decoded: NDArray[np.uint8], original: NDArray[np.uint8]) -> float:
    """The 3-norm of Butteraugli of two pictures uint8 [H, W, 3], 0 or more; NaN where a side is below 8 pixels.

    A second for a picture of 768x512. Raises LcqError where the program fails.
    """
    if min(original.shape[:2]) < SIDE_MIN:
        return math.nan
    with tempfile.TemporaryDirectory(prefix="lcodec-") as folder:
        paths = [Path(folder) / name for name in ("original.ppm", "decoded.ppm")]
        for path, pixels in zip(paths, (original, decoded), strict=True):
            Image.fromarray(pixels).save(path)
        done = subprocess.run([PROGRAM, *paths], capture_output=True, text=True, errors="replace", check=False)
    found = re.search(r"^3-norm: ([0-9.]+(?:e[-+]?\d+)?)$", done.stdout, re.MULTILINE)
    if done.returncode or found is None:
        said = (done.stderr.strip() or "no 3-norm").splitlines()[-1]
        raise LcqError(f"{PROGRAM} cannot measure this picture ({said}); {REMEDY}")
    return float(found[1])


def likeness(norm: float) -> float:
    """The 3-norm on a scale where more is better and equal steps are equal ratios: its -ln; infinite of 0."""
    return -math.log(norm) if norm else math.inf
