"""Peak memory of a codec: of a fresh process that encodes one picture, decodes it and does nothing else."""

import subprocess
import sys
from pathlib import Path

from .contenders import contenders
from .pictures import read

PROGRAM = "from latticecodec.lab.evaluation.memory import child; child()"
STATUS = Path("/proc/self/status")


def peak_memory(source: str, effort: int | None, quality: float, picture: Path, device: str) -> int | None:
    """Peak memory in bytes of encoding and decoding an image file once, interpreter and libraries included.

    `effort` is that of a model's encoder, None for a peer. Returns None where the process fails or the system does not
    tell (Windows). Memory of a GPU is not counted.
    """
    arguments = [str(effort), source, repr(quality), str(picture), device]
    path = [f"import sys; sys.path[:0] = {sys.path!r}", PROGRAM]
    command = [sys.executable, "-c", "; ".join(path), *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(finished.stdout) if finished.returncode == 0 and finished.stdout.strip() else None


def child() -> None:
    """What the fresh process runs; a peer's never imports torch."""
    effort, source, quality, picture, device = sys.argv[1:]
    models, peers, efforts = ([], [source], []) if effort == "None" else ([source], [], [int(effort)])
    (codec,) = contenders(models, peers, device, [float(quality)], efforts)
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
