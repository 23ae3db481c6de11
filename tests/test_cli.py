"""The command line as a user meets it: the two lines of the README, folders, pipes, JSON."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import fails_with, lcodec
from conftest import psnr
from latticecodec.cli import main
from PIL import Image

import latticecodec
from latticecodec.picture import read


def test_the_two_lines_of_the_readme(here: Path, photo: Image.Image) -> None:
    done = lcodec("compress", "photo.png", "-o", "photo.lcq")
    assert done.exit_code == 0
    assert done.stdout.startswith("photo.lcq  320x208  ")
    done = lcodec("decompress", "photo.lcq")  # photo.png exists and is not touched
    assert done.exit_code == 0
    assert psnr(photo, Image.open(here / "photo.decoded.png")) > 30
    assert sorted(path.name for path in here.iterdir()) == ["photo.decoded.png", "photo.lcq", "photo.png"]


def test_names_without_o(here: Path) -> None:
    assert lcodec("compress", "photo.png").exit_code == 0
    (here / "photo.png").unlink()
    assert lcodec("decompress", "photo.lcq").exit_code == 0
    assert (here / "photo.png").exists()


def test_json_reports(here: Path) -> None:
    codec = latticecodec.load(device="cpu")  # the default
    report = json.loads(lcodec("compress", "photo.png", "--json", "-q", "30").stdout)
    size = (here / "photo.lcq").stat().st_size
    assert report["bytes"] == size
    assert report["bpp"] == pytest.approx(8 * size / (320 * 208))
    assert report["model"] == codec.config.name
    assert report["estimated_bits"] / 8 < size <= 1.01 * report["estimated_bits"] / 8 + 48
    verified = json.loads(lcodec("verify", "photo.lcq", "--json").stdout)
    assert verified["indices_sha256"] == report["indices_sha256"]
    assert verified["indices_shape"] == [codec.config.latents, 13, 20]
    facts = json.loads(lcodec("info", "photo.lcq", "--json").stdout)
    assert (facts["width"], facts["height"], facts["colour"], facts["bit_depth"]) == (320, 208, "RGB", 8)
    assert (facts["quantizer"], facts["lattice"], facts["model"]) == ("lattice", "diagonal", codec.config.name)
    assert facts["quality"] == pytest.approx(30, abs=0.02)
    restored = json.loads(lcodec("decompress", "photo.lcq", "--json").stdout)
    assert restored["output"] == "photo.decoded.png"


def test_pipes(here: Path, photo: Image.Image) -> None:
    packed = lcodec("compress", "-", data=(here / "photo.png").read_bytes())
    assert packed.exit_code == 0
    assert packed.stdout_bytes[:4] == b"\x89LCQ"
    assert "320x208" in packed.stderr
    restored = lcodec("decompress", "-", "-o", "back.png", data=packed.stdout_bytes)
    assert restored.exit_code == 0
    assert psnr(photo, Image.open(here / "back.png")) > 30
    assert "RGB" in lcodec("info", "-", data=packed.stdout_bytes).stdout


def test_targets(here: Path) -> None:
    assert lcodec("compress", "photo.png", "--size", "8000").exit_code == 0
    assert 7760 <= (here / "photo.lcq").stat().st_size <= 8000
    fails_with(lcodec("compress", "photo.png", "-o", "a.lcq", "--size", "8000", "-q", "3"), "exclude each other")
    fails_with(lcodec("compress", "photo.png", "-o", "a.lcq", "--bpp", "0.0001"), "out of reach", "quality 100")
    beyond = lcodec("compress", "photo.png", "-o", "all.lcq", "--size", "9000000")
    assert beyond.exit_code == 0
    assert "9,000,000 bytes is more than this picture can use: quality 100 takes" in beyond.stdout
    assert not (here / "a.lcq").exists()


def test_effort(here: Path, tiny_model: Path) -> None:
    result = lcodec("compress", "photo.png", "--effort", "3", "--model", str(tiny_model), "--json")
    assert json.loads(result.stdout)["effort"] == 3
    assert "compressing" in result.stderr
    lcodec("decompress", "photo.lcq", "--model", str(tiny_model), "-o", "back.png")
    same = lcodec("compress", "photo.png", "--effort", "9", "--model", "vq", "--force", "--json")
    assert "photo.png: vq encodes the same at every effort" in same.stderr
    assert json.loads(same.stdout)["notes"] == ["vq encodes the same at every effort"]


def test_a_quality_that_a_model_does_not_offer_is_told(here: Path, tiny_model: Path) -> None:
    """Of one whose rates are a fifth of a quality apart."""
    coarse = Path(shutil.copytree(tiny_model, here / "coarse"))
    config = json.loads((coarse / "config.json").read_text())
    (coarse / "config.json").write_text(json.dumps(config | {"octaves": 0.5, "reach": [0.0, 1.0]}))
    codec = latticecodec.load(coarse, device="cpu")
    offered, next_one = (codec.kind.rates.at(number).quality for number in (200, 201))
    for share, told in ((0.4, True), (0.1, False)):
        asked = offered + share * (next_one - offered)
        done = lcodec("compress", "photo.png", "-q", asked, "--model", coarse, "--force", "--json")
        line = f"{codec.config.name} offers no quality {asked:g}; the nearest, {offered:.1f}, was used"
        assert json.loads(done.stdout)["notes"] == ([line] if told else [])
        assert (f"photo.png: {line}\n" in done.stderr) == told


def test_nothing_is_told_of_the_effort_that_nobody_asked_for(here: Path) -> None:
    frozen = Path(__file__).parent / "conformance" / "models" / "vq"
    assert json.loads(lcodec("compress", "photo.png", "--model", frozen, "--json").stdout)["notes"] == []


def test_what_a_search_ended_with_is_one_of_the_notes(here: Path, tiny_model: Path) -> None:
    done = lcodec("compress", "photo.png", "--effort", "0", "--model", tiny_model, "--size", "9000000", "--json")
    report = json.loads(done.stdout)
    assert report["notes"] == [report["note"]]
    assert report["note"].startswith("a size of 9,000,000 bytes is more than this picture can use: quality 100 takes")


def test_folders_are_mirrored_and_a_bad_file_does_not_stop_the_others(here: Path, tiny_model: Path) -> None:
    (here / "in" / "deep").mkdir(parents=True)
    Image.open("photo.png").save(here / "in" / "one.png")
    Image.open("photo.png").resize((40, 30)).save(here / "in" / "deep" / "two.jpg")
    (here / "in" / "bad.png").write_bytes(b"no image")
    done = lcodec("compress", "in", "-o", "out", "--model", tiny_model)
    assert done.exit_code == 1
    assert "bad.png: not an image" in done.stderr
    assert "1 of 3 files failed" in done.stderr
    assert sorted(str(p.relative_to(here / "out")) for p in (here / "out").rglob("*.lcq")) == [
        "deep/two.lcq",
        "one.lcq",
    ]
    done = lcodec("decompress", "out", "-o", "back", "--model", tiny_model, "--json")
    assert done.exit_code == 0
    assert [report["width"] for report in json.loads(done.stdout)] == [40, 320]
    assert Image.open(here / "back" / "deep" / "two.png").size == (40, 30)


def test_sixteen_bits_come_back(here: Path, tiny_model: Path) -> None:
    """Pillow opens 16-bit colour as 8-bit RGB without a word; we do not."""
    (here / "deep.ppm").write_bytes(b"P6 4 2 65535\n" + bytes(range(48)))
    assert lcodec("compress", "deep.ppm", "--model", tiny_model).exit_code == 0
    assert json.loads(lcodec("info", "deep.lcq", "--json").stdout)["bit_depth"] == 16
    assert lcodec("decompress", "deep.lcq", "-o", "back.ppm", "--model", tiny_model).exit_code == 0
    assert (here / "back.ppm").read_bytes().startswith(b"P6")
    assert read(here / "back.ppm").depth == 16
    told = lcodec("decompress", "deep.lcq", "-o", "back.jpg", "--model", tiny_model)
    assert told.exit_code == 0
    assert "16 bits rounded to 8" in told.stderr


def test_a_region_and_what_is_left_of_a_damaged_file(here: Path, tiny_model: Path) -> None:
    assert lcodec("compress", "photo.png", "--tile", "64", "--model", tiny_model).exit_code == 0
    own = ["--model", tiny_model]
    assert lcodec("decompress", "photo.lcq", "-o", "part.png", "--region", "60,50,100,90", *own).exit_code == 0
    assert Image.open("part.png").size == (100, 90)
    outside = lcodec("decompress", "photo.lcq", "-o", "no.png", "--region", "300,0,100,90", *own)
    fails_with(outside, "region (300, 0, 100, 90) is not inside of a picture of 320x208")
    assert lcodec("decompress", "photo.lcq", "-o", "no.png", "--region", "1,2,3", *own).exit_code == 2
    data = (here / "photo.lcq").read_bytes()
    (here / "photo.lcq").write_bytes(data[:-9] + b"?" + data[-8:])
    fails_with(lcodec("decompress", "photo.lcq", "-o", "back.png", *own), "tile 19", "damaged")
    assert not (here / "back.png").exists()
    saved = lcodec("decompress", "photo.lcq", "-o", "back.png", "--recover", "--json", *own)
    assert saved.exit_code == 3
    assert json.loads(saved.stdout)["damaged_tiles"] == [19]
    assert "64x16 pixels at 256,192 of the picture are grey" in saved.stderr
    assert "(tile 19: its checksum" in saved.stderr
    assert Image.open("back.png").getpixel((300, 200)) == (128, 128, 128)


def test_a_jpeg_with_a_preview_is_one_picture(here: Path, photo: Image.Image, tiny_model: Path) -> None:
    photo.save("two.jpg", "MPO", save_all=True, append_images=[photo.resize((80, 52))])
    assert lcodec("compress", "two.jpg", "--model", tiny_model).exit_code == 0
    photo.save("moving.gif", save_all=True, append_images=[photo.rotate(90)])
    fails_with(lcodec("compress", "moving.gif", "--model", tiny_model), "moving.gif: an animation of 2 frames")


def test_what_an_output_format_cannot_hold_is_said(here: Path, tiny_model: Path) -> None:
    Image.new("RGBA", (16, 16), (200, 0, 0, 0)).save("clear.png")
    own = ["--model", tiny_model]
    assert lcodec("compress", "clear.png", *own).exit_code == 0
    done = lcodec("decompress", "clear.lcq", "-o", "flat.jpg", *own)
    assert done.exit_code == 0
    assert done.stderr == "flat.jpg: JPEG holds no alpha; flattened onto white\n"
    assert Image.open("flat.jpg").getpixel((8, 8)) == (255, 255, 255)
    report = json.loads(lcodec("decompress", "clear.lcq", "-o", "flat.jpg", *own, "--force", "--json").stdout)
    assert report["notes"] == ["JPEG holds no alpha; flattened onto white"]
    assert lcodec("decompress", "clear.lcq", "-o", "whole.png", *own).stderr == ""
    assert Image.open("whole.png").getpixel((8, 8))[3] == 0


@pytest.mark.parametrize(("suffix", "lossless"), [("png", True), ("tiff", True), ("webp", True), ("jpg", False)])
def test_output_formats(packed: Path, here: Path, tiny_model: Path, suffix: str, lossless: bool) -> None:
    assert lcodec("decompress", "photo.lcq", "-o", f"back.{suffix}", "--model", tiny_model).exit_code == 0
    expected = latticecodec.decode(packed.read_bytes(), tiny_model, device="cpu")
    same = np.array_equal(np.asarray(Image.open(f"back.{suffix}")), np.asarray(expected))
    assert same == lossless


def test_models_lists_what_is_installed(lattice: latticecodec.Codec) -> None:
    rows = json.loads(lcodec("models", "--json").stdout)
    shipped = {row["name"]: row for row in rows}["lattice"]
    assert shipped["digest"] == lattice.digest.hex()
    assert 20 < shipped["decode_kmac_per_pixel"] < 45
    assert "lattice" in lcodec("models").stdout
    assert [model.name for model in latticecodec.list_models()] == [row["name"] for row in rows]


@pytest.mark.parametrize("command", [None, *sorted(main.commands)])
def test_every_command_has_help(command: str | None) -> None:
    result = lcodec(*([command] if command else []), "--help")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) > 5


def test_train_demonstration(here: Path) -> None:
    done = lcodec("train", "--steps", "2", "--batch", "2", "--crop", "64", "--device", "cpu")
    assert done.exit_code == 0
    assert "synthetic" in done.stdout
    assert (here / "runs" / "lattice-1" / "model" / "README.md").read_text().startswith("# lattice\n")
    assert lcodec("compress", "photo.png", "--model", "runs/lattice-1/model").exit_code == 0
    fails_with(lcodec("train", "--data", here / "runs" / "lattice-1"), "holds no image files")
    assert done.stdout.endswith("\nmodel written to runs/lattice-1/model; use it with --model runs/lattice-1/model\n")
    checkpoint, small = "runs/lattice-1/checkpoint.pt", ("--batch", "2", "--crop", "64", "--device", "cpu")
    done = lcodec("train", "--steps", "2", *small, "--resume", checkpoint, "--out", "again")
    assert done.exit_code == 0
    assert "\nnothing left to train; model written to again/model; use it with --model again/model\n" in done.stdout


def test_codebooks_on_the_command_line(here: Path) -> None:
    """--freeze is theirs alone; info tells their family and scale."""
    small = ["--data", here, "--preset", "lc-test", "--steps", "1", "--batch", "2", "--crop", "64", "--device", "cpu"]
    fails_with(lcodec("train", *small, "--freeze", "transforms"), "--freeze transforms: a lattice is trained as one")
    assert lcodec("train", *small, "--freeze", "transforms", "--quantizer", "vq", "--out", "vq").exit_code == 0
    assert lcodec("compress", "photo.png", "-q", "50", "--model", "vq/model").exit_code == 0
    facts = json.loads(lcodec("info", "photo.lcq", "--json").stdout)
    assert (facts["quantizer"], facts["codebooks"]) == ("vq", "product")
    assert facts["scale_octaves"] == pytest.approx(-1.66, abs=0.001)  # half of the model's 3.32
    assert "codebooks      product\n" in lcodec("info", "photo.lcq").stdout


def run_python(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    return result.stdout


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["models"], ["info", "FILE"], ["compress", "--help"], ["train", "--help"]]
)
def test_light_commands_do_not_import_torch(arguments: list[str], packed: Path) -> None:
    arguments = [str(packed) if argument == "FILE" else argument for argument in arguments]
    code = (
        f"import sys; from latticecodec.cli import main\n"
        f"try: main({arguments!r})\nexcept SystemExit as stop: assert not stop.code, stop.code\n"
        f"print('torch' in sys.modules)"
    )
    assert run_python(code).splitlines()[-1] == "False"


def test_module_and_console_script_are_one() -> None:
    module = subprocess.run(
        [sys.executable, "-m", "latticecodec", "--version"], capture_output=True, text=True, check=True
    )
    assert module.stdout == f"lcodec, version {latticecodec.__version__}\n"


def test_array_input_is_not_changed(lattice: latticecodec.Codec, photo: Image.Image) -> None:
    pixels = np.array(photo)
    before = pixels.copy()
    lattice.encode(pixels)
    np.testing.assert_array_equal(pixels, before)
