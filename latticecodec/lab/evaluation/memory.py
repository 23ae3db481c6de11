"""Peak memory of a codec: of a fresh process that encodes one picture, decodes it and does nothing else."""

import subprocess
import sys
from pathlib import Path

from ...zoo import load
from .contenders import Contender, ModelContender, contenders
from .pictures import read

PROGRAM = "from latticecodec.lab.evaluation.memory import child; child()"
STATUS = Path("/proc/self/status")


def peak_memory(codec: Contender, quality: float, picture: Path, device: str) -> int | None:
    """Peak memory in bytes of encoding and decoding an image file once, interpreter and libraries included.

    Returns None where the process fails or the system does not tell (Windows). Memory of a GPU is not counted.
    """
    arguments = [str(codec.effort), str(codec.tune), codec.source, repr(quality), str(picture), device]
    path = [f"import sys; sys.path[:0] = {sys.path!r}", PROGRAM]
    command = [sys.executable, "-c", "; ".join(path), *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(finished.stdout) if finished.returncode == 0 and finished.stdout.strip() else None


def child() -> None:
    """What the fresh process runs; a peer's never imports torch."""
    effort, tune, source, quality, picture, device = sys.argv[1:]
    codec: Contender
    if effort == "None":
        (codec,) = contenders([], [source], device, [])
    else:  # the very weights, not what would be chosen for the tune anew
        codec = ModelContender(source, load(Path(source), device), source, [float(quality)], int(effort), tune)
    codec.decode(codec.encode(read(Path(picture)), float(quality)).data)
    print(_own_peak() or "")  # noqa: T201 - the parent reads it


def _own_peak() -> int | None:
    """Peak resident memory of this process in bytes."""
    if STATUS.exists():  # Linux, where getrusage would count the parent too, which this process was forked from
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
