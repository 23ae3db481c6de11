"""The bar of a library function."""

from typing import Any

import pytest
from latticecodec.cli import progress


def test_a_bar_is_as_far_as_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    bars: list[Any] = []
    counted = progress.counted
    monkeypatch.setattr(progress, "counted", lambda *given: bars.append(counted(*given)) or bars[-1])
    seen = []
    with progress.bar("compressing") as advance:
        for done in range(1, 5):
            advance(done, 4)
            seen.append(bars[0].pos / progress.PARTS)
    assert seen == [0.25, 0.5, 0.75, 1.0]
