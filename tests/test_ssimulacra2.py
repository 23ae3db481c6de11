"""SSIMULACRA2 through its package: its ends, its order, and what happens without it."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from eval_runs import astronaut, lcodec_eval
from PIL import Image, ImageFilter

from latticecodec.lab.evaluation import MEASURES, ssimulacra2

pytestmark = pytest.mark.usefixtures("one_thread", "one_process")


def test_scale() -> None:
    """100 for the same picture; less the more it is blurred; far below zero for another picture."""
    pytest.importorskip("ssimulacra2")
    picture = astronaut(128)
    original = np.asarray(picture)
    assert ssimulacra2(original, original) == 100
    blurred = [np.asarray(picture.filter(ImageFilter.GaussianBlur(radius))) for radius in (0.5, 1, 2, 4)]
    scores = [ssimulacra2(one, original) for one in blurred]
    assert scores == sorted(scores, reverse=True)
    assert 70 < scores[0] < 95
    assert scores[-1] < 20
    noise = np.random.default_rng(0).integers(0, 256, original.shape, dtype=np.uint8)
    assert ssimulacra2(noise, original) < -100
    assert math.isnan(ssimulacra2(original[:7], original[:7]))


def test_it_is_not_symmetric_in_what_is_lost() -> None:
    """The original comes second, as in `psnr` and `ms_ssim`: lost detail and added detail are weighed differently."""
    pytest.importorskip("ssimulacra2")
    sharp = np.asarray(astronaut(96))
    soft = np.asarray(Image.fromarray(sharp).filter(ImageFilter.GaussianBlur(1)))
    assert ssimulacra2(soft, sharp) != ssimulacra2(sharp, soft)


def test_without_the_package_it_is_left_out_by_name(
    pictures: Path,
    tiny_model: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(MEASURES, "ssimulacra2", replace(MEASURES["ssimulacra2"], is_installed=lambda: False))
    arguments = (pictures, "--model", tiny_model, "--quality", 50, "--peer", "jpeg", "--ssimulacra2")
    result = lcodec_eval(*arguments)
    assert result.exit_code == 0, result.stderr
    line = "SSIMULACRA2: left out, its package is not installed (pip install 'latticecodec[eval]')"
    assert line in result.stdout.splitlines()
    report = json.loads(lcodec_eval(*arguments, "--json").stdout)
    assert report["notes"][0] == line
    assert {row["ssimulacra2"] for row in report["rows"]} == {None}
