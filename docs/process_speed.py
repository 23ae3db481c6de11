"""Seconds and peak memory of a program from its start to its end: JSON on standard output.

python docs/process_speed.py PROGRAM ARGUMENT..., called by `python docs/benchmark.py --against DIR`. A process of its
own, and a small one: the system counts what a program's parent held when it started it.
"""

import json
import os
import sys
import time


def main() -> None:
    program = sys.argv[1:]
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    began = time.perf_counter()
    child = os.posix_spawn(program[0], program, os.environ, file_actions=quiet)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - began
    if status:
        sys.exit(f"{' '.join(program)} fails")
    unit = 1 if sys.platform == "darwin" else 1024  # bytes
    print(json.dumps({"seconds": seconds, "bytes": usage.ru_maxrss * unit}))


if __name__ == "__main__":
    main()
