"""Mutate the conformance files, or pictures, and read what comes out, for as many inputs as asked.

    cd tests; python -m fuzz.run --runs 1000000
    cd tests; python -m fuzz.run --target pictures --runs 20000

The inputs run in a process of their own, so that one which ends or stops it is found, kept and stepped over.
"""

import argparse
import importlib.util
import json
import mmap
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from .state import STATE, STATE_BYTES, SUFFIXES, keep

STUCK = 60  # seconds without an input begun or done; the process itself notices most of those that hang
LOOK = 0.2  # seconds between two looks at the process
TELL = 10  # seconds between two lines of progress


class Total:
    """What all processes together did."""

    def __init__(self, runs: int) -> None:
        self.runs, self.began, self.told = runs, time.monotonic(), time.monotonic()
        self.done = self.repaired = self.crashes = self.hangs = 0
        self.slowest = 0.0
        self.outcomes: Counter[str] = Counter()

    def add(self, output: str) -> None:
        """The facts that a process printed at its end."""
        facts = json.loads(output)
        self.repaired += facts["repaired"]
        self.crashes += facts["crashes"]
        self.hangs += facts["hangs"]
        self.slowest = max(self.slowest, facts["slowest"])
        self.outcomes.update(facts["outcomes"])

    def tell(self, done: int) -> None:
        """A line of progress, now and then; `done` are the inputs of the process that runs."""
        now = time.monotonic()
        if now - self.told >= TELL:
            self.told, all_done = now, self.done + done
            rate = all_done / (now - self.began)
            print(f"{all_done:,} of {self.runs:,} inputs, {rate:,.0f} a second", file=sys.stderr, flush=True)

    def summary(self) -> str:
        """What is printed at the end."""
        seconds = time.monotonic() - self.began
        told = sum(self.outcomes.values())
        lines = [
            f"{self.done:,} inputs in {seconds:,.0f} s, {self.done / seconds:,.0f} a second",
            f"{self.repaired:,} ({self.repaired / max(1, told):.1%}) with their checksums put right",
            f"{self.crashes} crashes, {self.hangs} hangs; the slowest input took {self.slowest:.2f} s",
        ]
        lines += [f"{count:12,}  {name}" for name, count in self.outcomes.most_common()]
        if told < self.done:
            lines.append(f"{self.done - told:12,}  in processes that died, not counted")
        return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Read mutated files; nothing but errors and pictures may come.")
    parser.add_argument("--target", choices=SUFFIXES, default="lcq", help="Kind of files. [lcq]")
    parser.add_argument("--runs", type=int, default=1_000_000, help="Inputs. [1,000,000]")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3)), help="Of all randomness. [any]")
    options = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed here (it has no wheel for every Python): the same mutations, not guided")
    print(f"seed {options.seed}", flush=True)
    total = Total(options.runs)
    with tempfile.TemporaryDirectory() as folder:
        seed = options.seed
        while total.done < total.runs:
            _process(total, options.target, seed, Path(folder))
            seed += 1
    print(total.summary())
    return 1 if total.crashes or total.hangs else 0


def _process(total: Total, target: str, seed: int, folder: Path) -> None:
    """Run what is left in a new process, until all is done or it dies."""
    path, output = folder / "state", folder / "output"
    path.write_bytes(bytes(STATE_BYTES))
    command = [sys.executable, "-m", "fuzz.worker", "--target", target, "--seed", str(seed)]
    command += ["--runs", str(total.runs - total.done)]
    with path.open("r+b") as file, output.open("wb") as out, mmap.mmap(file.fileno(), STATE_BYTES) as state:
        process = subprocess.Popen([*command, "--state", str(path)], stdout=out)
        last, since, stuck = (0, 0), time.monotonic(), False
        while process.poll() is None:
            time.sleep(LOOK)
            done, size = STATE.unpack_from(state)
            if (done, size) != last:
                last, since = (done, size), time.monotonic()
            elif time.monotonic() - since > STUCK:
                process.kill()
                process.wait()
                stuck = True
            total.tell(done)
        done, size = STATE.unpack_from(state)
        total.done += done
        if process.returncode == 0:
            total.add(output.read_text().splitlines()[-1])
            return
        if not size:
            raise SystemExit("the process that runs the inputs does not start")
        total.done += 1
        total.hangs += stuck
        total.crashes += not stuck  # the system's SIGKILL, for want of memory, among them
        told = "hang" if stuck else f"exit status {process.returncode}"
        keep(state[STATE.size : STATE.size + size], told, SUFFIXES[target])


if __name__ == "__main__":
    sys.exit(main())
