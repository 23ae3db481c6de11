"""The process that runs the inputs: with atheris, guided by coverage, or without. Started by run.py.

What it is at stands in a mapped file, so that an input which ends the process, or never ends, is not lost.
"""

import argparse
import importlib.util
import io
import json
import logging
import mmap
import os
import resource
import signal
import sys
import time
import warnings
from collections import Counter
from contextlib import nullcontext, redirect_stderr
from pathlib import Path
from random import Random
from types import FrameType

HANG = 5  # seconds of processor time; run.py notices one that waits
MEMORY = 1 << 30  # bytes beyond what is there when all models are loaded

guided = importlib.util.find_spec("atheris") is not None
if guided:
    import atheris

with redirect_stderr(io.StringIO()), atheris.instrument_imports(include=["latticecodec"]) if guided else nullcontext():
    import torch

    from .state import STATE, STATE_BYTES, keep
    from .targets import TARGETS, Target


class HangError(BaseException):
    """An input took too long."""


class Run:
    """Counts what comes of the inputs."""

    def __init__(self, target: Target, state: mmap.mmap, runs: int, seed: int) -> None:
        self.target, self.state, self.runs, self.random = target, state, runs, Random(seed)
        self.done = self.crashes = self.hangs = 0
        self.kinds: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.slowest = 0.0

    def mutated(self, data: bytes) -> bytes:
        """Another input, and what kind it is is counted."""
        kind, changed = self.target.mutate(data, self.random)
        self.kinds[kind] += 1
        return changed[: STATE_BYTES - STATE.size]

    def one(self, data: bytes) -> None:
        """Run one input; what must not happen is kept as a file."""
        self.state[: STATE.size + len(data)] = STATE.pack(self.done, len(data)) + data
        began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, HANG)
        try:
            result = self.target.outcome(data)
        except KeyboardInterrupt:
            raise
        except HangError:
            self.hangs += 1
            result = "hang"
        except BaseException as error:
            self.crashes += 1
            result = f"crash: {type(error).__name__}: {error}"
        signal.setitimer(signal.ITIMER_PROF, 0)
        if result.startswith(("hang", "crash")):
            keep(data, result, self.target.suffix)
        self.slowest = max(self.slowest, time.process_time() - began)
        self.outcomes[result] += 1
        self.done += 1
        if self.kinds.total() == self.runs:
            self.finish()

    def finish(self) -> None:
        """Tell the parent, and end at once."""
        facts = {
            "repaired": sum(self.kinds[kind] for kind in self.target.repaired),
            "crashes": self.crashes,
            "hangs": self.hangs,
            "slowest": self.slowest,
            "outcomes": self.outcomes,
        }
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()
        self.state[: STATE.size] = STATE.pack(self.done, 0)
        os._exit(0)  # libFuzzer would not return


def _ring(number: int, frame: FrameType | None) -> None:
    raise HangError


def limit_memory(more: int) -> None:
    """So many bytes of address space beyond what is in use, where the system can say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return
    limit = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def silence_decoders() -> None:
    """What libraries in C print goes nowhere; what Python prints on stderr goes where it went."""
    sys.stderr = os.fdopen(os.dup(2), "w")
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)


def _fuzz_with_atheris(run: Run, corpus: Path) -> None:
    """Let libFuzzer choose what to mutate, and collect in folder `corpus` what reaches new code."""
    corpus.mkdir(exist_ok=True)
    for number, data in enumerate(run.target.seeds):
        (corpus / str(number)).write_bytes(data)

    def mutator(data: bytes, most: int, seed: int) -> bytes:
        return run.mutated(data or run.random.choice(run.target.seeds))[:most]

    def test(data: bytes) -> None:
        run.one(data)

    arguments = [sys.argv[0], f"-seed={run.random.randrange(1, 1 << 31)}", "-max_len=4096", "-rss_limit_mb=0"]
    arguments += ["-timeout=60", "-verbosity=0", "-print_final_stats=0", "-len_control=0"]
    arguments += [f"-artifact_prefix={corpus.parent}/", str(corpus)]
    atheris.Setup(arguments, test, custom_mutator=mutator)
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--target", choices=TARGETS, required=True)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    target = TARGETS[options.target]()
    silence_decoders()
    with options.state.open("r+b") as file:
        run = Run(target, mmap.mmap(file.fileno(), STATE_BYTES), options.runs, options.seed)
    signal.signal(signal.SIGPROF, _ring)
    limit_memory(MEMORY)
    if guided:
        _fuzz_with_atheris(run, options.state.parent / "corpus")
    while True:
        run.one(run.mutated(run.random.choice(run.target.seeds)))


if __name__ == "__main__":
    main()
