"""What a run did, in all."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .record import Record


@dataclass
class Summary:
    """Counts of a run; rates are of what this call did.

    Attributes:
        done: pictures.
        before: pictures that an earlier call did, or whose output was there.
        failed: pictures, or files with pictures.
        pixels, bytes_in, bytes_out: of those that this call did.
        left_out: what was not taken along, by kind.
        seconds: that it took.
        workers: that worked side by side.
    """

    done: int = 0
    before: int = 0
    failed: int = 0
    pixels: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    workers: int = 0

    def add(self, record: Record) -> None:
        """Count what came of a part."""
        self.failed += len(record.failures)
        self.left_out += record.left_out
        if record.before:
            self.before += record.done + record.skipped
            return
        self.done += record.done
        self.before += record.skipped
        self.pixels += record.pixels
        self.bytes_in += record.bytes_in
        self.bytes_out += record.bytes_out

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        seconds = max(self.seconds, 1e-9)
        return {
            "done": self.done,
            "before": self.before,
            "failed": self.failed,
            "left_out": dict(self.left_out),
            "pixels": self.pixels,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "workers": self.workers,
            "seconds": self.seconds,
            "files_per_second": self.done / seconds,
            "megapixels_per_second": self.pixels / 1e6 / seconds,
        }
