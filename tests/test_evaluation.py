"""Evaluation: BD-rate and PSNR against numbers worked out by hand, PCHIP against SciPy, what `lcodec eval` prints."""

import dataclasses
import json
import math
import re
import shutil
import weakref
from pathlib import Path

import numpy as np
import pytest
from eval_runs import astronaut, lcodec_eval
from PIL import Image, features

from latticecodec import ImageError, LcqError, load
from latticecodec.codec import EncodeOptions
from latticecodec.lab.evaluation import (
    DEFAULT_PEERS,
    PEERS,
    QUALITIES,
    Asked,
    Curve,
    Point,
    bd_rate,
    compared,
    evaluate,
    measure,
    ms_ssim,
    psnr,
)
from latticecodec.lab.evaluation.contenders import Contender, contenders
from latticecodec.lab.evaluation.pchip import integrate, slopes

pytestmark = pytest.mark.usefixtures("one_thread", "one_process")
DEFAULTS = [peer for peer in PEERS if peer.name in DEFAULT_PEERS]
NOTHING = {"ssimulacra2": None, "butteraugli": None}  # BD-rates by what was not measured
CURVE = [(0.1, 27.0), (0.21, 29.5), (0.4, 31.7), (0.85, 34.0), (1.6, 37.2), (2.9, 40.1)]  # bpp, dB


@pytest.mark.parametrize("percent", [-90.0, -12.5, 0.0, 7.0, 300.0])
def test_bd_rate_of_a_shifted_curve_is_the_shift(percent: float) -> None:
    shifted = [(bpp * (1 + percent / 100), quality) for bpp, quality in CURVE]
    assert bd_rate(CURVE, shifted) == pytest.approx(percent, abs=1e-9)


def test_bd_rate_by_hand() -> None:
    # Straight lines in ln rate over PSNR: the reference needs 0.1 bpp at 30 dB and e times as much for 2 dB more; the
    # test needs as much at 30 dB and rises twice as fast. Over the 30 to 31 dB in common ln of the ratio is 0 to 1/2.
    reference = [(0.1, 30.0), (0.1 * math.e, 32.0)]
    test = [(0.1, 30.0), (0.1 * math.e, 31.0)]
    assert bd_rate(reference, test) == pytest.approx(100 * (math.exp(0.25) - 1))
    assert bd_rate(test, reference) == pytest.approx(100 * (math.exp(-0.25) - 1))


def test_bd_rate_takes_points_in_any_order_and_leaves_out_useless_ones() -> None:
    test = [(0.15, 28.0), (0.5, 33.0), (2.0, 39.0)]
    expected = bd_rate(CURVE, test)
    assert expected == bd_rate(CURVE[::-1], [test[1], test[0], test[2]])
    assert expected == bd_rate(CURVE + CURVE[:2], test)
    assert expected == bd_rate(CURVE, [*test, (0.6, 32.0), (0.5, 32.9), (3.0, 39.0)])


@pytest.mark.parametrize(
    ("curve", "message"),
    [
        ([], "the test curve has 0 usable points"),
        ([(0.5, 30.0)], "the test curve has 1 usable points"),
        ([(0.5, 30.0), (0.6, 30.0)], "the test curve has 1 usable points"),
        ([(0.5, 50.0), (0.6, 51.0)], "share no range of PSNR (27.00 to 40.10 dB and 50.00 to 51.00 dB)"),
        ([(0.0, 30.0), (0.6, 31.0)], "a rate that is not positive"),
        ([(0.5, 30.0), (0.6, math.inf)], "not finite"),
    ],
)
def test_bd_rate_refuses(curve: list[tuple[float, float]], message: str) -> None:
    with pytest.raises(LcqError) as caught:
        bd_rate(CURVE, curve)
    assert message in str(caught.value)


@pytest.mark.parametrize("count", [2, 3, 4, 9])
@pytest.mark.parametrize("rising", [True, False])
def test_pchip_equals_scipy(count: int, rising: bool) -> None:
    interpolate = pytest.importorskip("scipy.interpolate")
    generator = np.random.default_rng(count)
    for _ in range(20):
        x = np.cumsum(generator.uniform(0.1, 3, count))
        y = generator.standard_normal(count).round(1)  # rounded: flat pieces occur
        y = np.cumsum(np.abs(y)) if rising else y
        expected = interpolate.PchipInterpolator(x, y)
        np.testing.assert_allclose(slopes(x, y), expected.derivative()(x), atol=1e-12)
        for _ in range(5):
            low, high = np.sort(generator.uniform(x[0], x[-1], 2))
            assert integrate(x, y, low, high) == pytest.approx(float(expected.integrate(low, high)), abs=1e-11)


def test_psnr_by_hand() -> None:
    black = np.zeros((4, 5, 3), dtype=np.uint8)
    assert psnr(black, black + np.uint8(255)) == 0.0
    assert psnr(black, black + np.uint8(1)) == pytest.approx(48.1308, abs=1e-4)  # 20 log10(255)
    one = black.copy()
    one[0, 0, 0] = 60  # mean squared error 3600 / 60
    assert psnr(black, one) == psnr(one, black) == pytest.approx(10 * math.log10(65025 / 60))
    assert psnr(one, one) == 100.0
    with pytest.raises(ImageError, match="of one shape"):
        psnr(black, black[:1])


def test_lcodec_eval(pictures: Path, tiny_model: Path) -> None:
    result = lcodec_eval(pictures, "--model", tiny_model, "--json")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    (name,) = report["models"]
    available = [peer for peer in DEFAULTS if peer.available]
    assert report["images"] == 2
    expected = [(name, quality) for quality in QUALITIES]
    expected += [(peer.name, float(quality)) for peer in available for quality in peer.qualities]
    assert [(row["codec"], row["quality"]) for row in report["rows"]] == expected
    assert list(report["bd_rate"][name]) == [peer.name for peer in DEFAULTS]
    colour, grey = astronaut(64), astronaut(48).convert("L")
    codec = load(tiny_model, "cpu")
    files = [
        codec.encode_detailed(picture, EncodeOptions(quality=quality))
        for picture in (colour, grey)
        for quality in QUALITIES
    ]
    ratios = [len(file.data) / (1.01 * file.estimated_bits / 8 + 48) for file in files]
    assert report["worst_size_ratio"] == max(ratios)
    middle = next(row for row in report["rows"] if row["quality"] == 50)
    decoded = [np.asarray(codec.decode(files[i].data)) for i in (4, 13)]
    levels = [psnr(decoded[0], np.asarray(colour)), psnr(decoded[1], np.asarray(grey))]
    assert middle["psnr"] == pytest.approx(sum(levels) / 2)
    assert middle["bpp"] == pytest.approx(4 * len(files[4].data) / 64**2 + 4 * len(files[13].data) / 48**2)
    peer = available[0]
    means = [row["bpp"] for row in report["rows"] if row["codec"] == peer.name]
    for mean, quality in zip(means, peer.qualities, strict=True):
        assert mean == pytest.approx(
            (8 * len(peer.encode(colour, quality)) / 64**2 + 8 * len(peer.encode(grey, quality)) / 48**2) / 2
        )
    for peer in available:
        rates = report["bd_rate"][name][peer.name]["psnr"]
        curves = [
            [(row["bpp"], row["psnr"]) for row in report["rows"] if row["codec"] == codec]
            for codec in (peer.name, name)
        ]
        assert rates is None or rates == pytest.approx(bd_rate(*curves))


def test_lcodec_eval_prints_a_table(pictures: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    available = features.check
    monkeypatch.setattr(features, "check", lambda feature: feature != "webp" and available(feature))
    result = lcodec_eval(pictures, "--model", tiny_model)
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "2 images"
    assert lines[2].split() == ["codec", "quality", "bpp", "PSNR,", "dB", "MS-SSIM"]
    end = lines.index("")
    points = lines[2 : lines.index("", end + 1)]
    assert [line.split()[0] for line in points if line.startswith(("jpeg ", "webp "))] == ["jpeg"] * 9
    costs = lines[next(i for i, line in enumerate(lines) if line.startswith("s/megapixel")) + 1 :]
    assert re.fullmatch(r"jpeg +\d+\.\d{3} +1\.0 +\d+\.\d{3} +1\.0 +-", costs[1])
    assert f"jpeg: {PEERS[0].build}; 4:2:0, optimized, progressive" in lines
    assert "webp: left out, this build of Pillow cannot write it" in lines
    assert any(re.fullmatch(r"\S+ +jpeg +(none|[+-]\d+\.\d\d %) +-", line) for line in lines)
    assert re.fullmatch(r"worst of file size / \(1.01 x estimate \+ 48 bytes\): [01]\.\d{4}", lines[-1])


def test_evaluate_counts_every_file(pictures: Path, tiny_model: Path) -> None:
    seen: list[tuple[int, int]] = []
    (pictures / "below" / "grey.png").unlink()
    evaluation = evaluate(Asked(pictures, [tiny_model], "cpu"), lambda done, total: seen.append((done, total)))
    total = 9 * (1 + len(evaluation.peers))
    assert seen == [(done, total) for done in range(1, total + 1)]
    assert evaluation.images == 1
    assert list(evaluation.missing) == [peer.name for peer in DEFAULTS if not peer.available]


def test_seconds_are_for_a_million_pixels(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all pictures together, however large each is: 2 microseconds a pixel are 2 seconds."""
    decode = measure._decoded

    def timed(contender: Contender, picture: Image.Image, quality: float) -> object:
        area = picture.width * picture.height
        return dataclasses.replace(decode(contender, picture, quality), encode=2e-6 * area, decode=5e-7 * area)

    monkeypatch.setattr(measure, "_decoded", timed)
    (curve,) = evaluate(Asked(pictures, [], "cpu", peers=["jpeg"])).peers
    assert [point.encode_s_per_megapixel for point in curve.points] == pytest.approx(9 * [2.0])
    assert [point.decode_s_per_megapixel for point in curve.points] == pytest.approx(9 * [0.5])


def test_two_restored_pictures_are_in_memory(pictures: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many qualities there are: they are measured, and dropped, before the next are made."""
    decode = measure._decoded
    made: list[weakref.ref[object]] = []
    most = 0

    def watched(*arguments: object) -> object:
        nonlocal most
        one = decode(*arguments)
        made.append(weakref.ref(one.pixels))
        most = max(most, sum(pixels() is not None for pixels in made))
        return one

    monkeypatch.setattr(measure, "_decoded", watched)
    evaluation = evaluate(Asked(pictures, [tiny_model], "cpu", peers=["jpeg"]))
    assert [len(curve.points) for curve in (*evaluation.models, *evaluation.peers)] == [9, 9]
    assert most == 2


def test_models_beside_each_other(pictures: Path, tiny_model: Path, tmp_path: Path) -> None:
    """Two models, here of one name: rows and BD-rates are told apart by what was asked for."""
    twin = Path(shutil.copytree(tiny_model, tmp_path / "twin"))
    (pictures / "below" / "grey.png").unlink()
    report = json.loads(lcodec_eval(pictures, "--model", tiny_model, "--model", twin, "--json").stdout)
    first, second = report["models"]
    assert (first, second) == (str(tiny_model), str(twin))
    assert report["bd_rate"][second][first]["psnr"] == pytest.approx(0, abs=1e-9)
    assert report["bd_rate"][second][first]["ms_ssim"] is None  # pictures of 64 pixels
    assert first not in report["bd_rate"][first]


def test_models_are_called_by_what_finds_them(tiny_model: Path) -> None:
    """As `lcodec models` and every --model have it: `lattice` is the newest, `lattice-1` is not; a folder is itself."""
    asked = {"lattice": "lattice-2", "lattice-1": "lattice-1", "vq": "vq", tiny_model: str(tiny_model)}
    assert [codec.name for codec in contenders(list(asked), [], "cpu", [])] == list(asked.values())
    both = ["lattice", "lattice-2"]
    assert [codec.name for codec in contenders(both, [], "cpu", [])] == both


def test_ms_ssim() -> None:
    """1 for the same picture, falling with noise, none below 161 pixels; a BD-rate in its decibels."""
    picture = np.asarray(astronaut(161))
    assert ms_ssim(picture, picture) == pytest.approx(1)
    noise = np.random.default_rng(0).integers(-20, 21, picture.shape)
    noisy = (picture.astype(int) + noise).clip(0, 255).astype(np.uint8)
    assert 0.5 < ms_ssim(noisy, picture) < 0.99
    assert math.isnan(ms_ssim(picture[:160], picture[:160]))
    curve = Curve("a", "", tuple(Point(0, 2.0**i, 30.0 + i, 1 - 10 ** -(1 + i / 10)) for i in range(4)))
    double = Curve("b", "", tuple(Point(0, 2 * p.bpp, p.psnr, p.ms_ssim) for p in curve.points))
    assert compared(double, curve) == {"psnr": pytest.approx(100), "ms_ssim": pytest.approx(100)} | NOTHING


def test_lcodec_eval_names_what_it_cannot_use(tmp_path: Path, tiny_model: Path) -> None:
    empty = lcodec_eval(tmp_path, "--model", tiny_model)
    assert empty.exit_code == 1
    assert f"Error: {tmp_path}: holds no image files" in empty.stderr
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    broken = lcodec_eval(tmp_path, "--model", tiny_model)
    assert broken.exit_code == 1
    assert f"Error: {bad}: not an image of a format that is read" in broken.stderr
    astronaut(32).convert("CMYK").save(tmp_path / "bad.jpg")
    bad.unlink()
    refused = lcodec_eval(tmp_path, "--model", tiny_model, "--json")
    assert refused.exit_code == 1
    assert f"Error: {tmp_path / 'bad.jpg'}: the picture is CMYK" in refused.stderr
    assert refused.stdout == ""


def test_help_says_what_is_left_out(tmp_path: Path) -> None:
    assert "are broken, have alpha or more than 8 bits a sample, or that" in " ".join(
        lcodec_eval("--help").stdout.split()
    )
    Image.new("I;16", (8, 8)).save(tmp_path / "deep.png")
    Image.new("LA", (8, 8)).save(tmp_path / "clear.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    astronaut(8).save(tmp_path / "fine.png")
    assert list(evaluate(Asked(tmp_path, [], "cpu", peers=["jpeg"])).skipped) == ["broken.png", "clear.png", "deep.png"]


def test_help_keeps_its_lines() -> None:
    lines = lcodec_eval("--help").stdout.splitlines()
    assert "  bpp          bits per pixel of the file: smaller is better" in lines
    assert "  lcodec eval photos/" in lines
