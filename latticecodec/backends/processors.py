"""How many processors this process may use, which can be fewer than the machine has."""

import os
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a container on Linux: microseconds of processors, in so many of the clock


def processors() -> int:
    """Those that the process is bound to, at most what its container is granted and OMP_NUM_THREADS says; 1 or more."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(bound, _granted() or bound, int(asked) if asked.isdecimal() and int(asked) else bound))


def _granted() -> int | None:
    """The quota of the container, rounded up; None where there is none."""
    try:
        quota, period = QUOTA.read_text().split()
        return -(-int(quota) // int(period))
    except (OSError, ValueError):  # not on Linux; or "max", no limit
        return None
