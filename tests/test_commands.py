"""Every command line that the documents and the help print is run, with small pictures and few steps.

Those in UNRUN, which need hours or what is not here, have their options parsed alone; so have trainings that differ
from one before them in folders and numbers only.
"""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from latticecodec.cli import main
from PIL import Image
from short_runs import HASTY_E8

from latticecodec.config import PRESETS
from latticecodec.lab.training.kinds import TWINS
from latticecodec.lab.training.synthetic import synthetic_picture

pytestmark = pytest.mark.usefixtures("one_thread", "one_process")

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/*.md", "models/*/README.md")
MENTION = r"\w+ --[\w-]+"  # a command and an option without more, in a sentence that speaks of them
UNRUN = {  # by the beginning of the line: why it is not run
    "reproduce ll-5 ": "trains for minutes or hours; tests/test_paper_training.py trains a row",
    "reproduce render": "rewrites a page of this project; tests/test_reproduce.py renders one",
    "compress photo.png -o small.lcq --size": "the picture of the tests is too small; tests/test_cli.py meets sizes",
    "eval kodak/": "loads five models for Kodak, which is not here; the other lines with --model are run",
    "bulk ": "starts Ray, which takes ten seconds; tests/test_bulk.py and test_bulk_cluster.py run it",
    "decompress large.lcq": "needs a picture of seven megapixels; tests/test_tiles.py decodes regions",
}
FOLDERS = ("photos", "photos-val", "PHOTOS", "HELD_OUT", "kodak", "holiday", "data")  # that the lines speak of
SMALL = ["--steps", "1", "--batch", "1", "--crop", "64", "--optimiser", "adamw", "--device", "cpu"]
MORE = {"compress": ["--force"], "eval": ["--quality", "50"]}  # for several in one folder, of small pictures
MS_SSIM_SIDE = 192  # pixels that MS-SSIM asks for, in multiples of 64
ASIDE = ("--steps", "--batch", "--lr", "--seed", "--data", "--val", "--out", "--name")  # what makes no other training


def of_pages() -> list[str]:
    """Command lines that have a line of a page to themselves, continued ones joined, and those with options in text."""
    found = []
    for pattern in PAGES:
        for page in sorted(ROOT.glob(pattern)):
            text = re.sub(r"\\\n\s*", "", page.read_text(encoding="utf-8"))
            found += re.findall(r"^(?:    |\$ )lcodec (.+)$", text, re.MULTILINE)
            found += [line for line in re.findall(r"`lcodec ([^`]* --[^`]*)`", text) if "..." not in line]
    return found


def of_help() -> list[str]:
    """Command lines in help texts; two spaces begin a comment."""
    texts = [main.help or "", *(command.help or "" for command in main.commands.values())]
    return [
        re.split("  | > ", line)[0] for text in texts for line in re.findall(r"^ *lcodec (.+)$", text, re.MULTILINE)
    ]


FOUND = list(dict.fromkeys(of_pages() + of_help()))
MENTIONS = [line for line in FOUND if re.fullmatch(MENTION, line)]
LINES = [line for line in FOUND if line not in MENTIONS]
TRAININGS = [line for line in LINES if line.startswith("train ")]
OTHERS = [line for line in LINES if not line.startswith(("train ", *UNRUN))]


def recipe(line: str) -> str:
    """What a training does, whatever its pictures and numbers are."""
    kept = [word for word in re.split(r" (?=--)", line) if not word.startswith(ASIDE)]
    return re.sub(r"runs/(\w+)[^/]*/model", r"\1 of one's own", " ".join(kept))


def lcodec(*arguments: str) -> str:
    """Run a command in this process; its output."""
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, f"lcodec {' '.join(arguments)}: {result.output}{result.exception!r}"
    return result.output


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The process in a folder with photo.png and folders of one small picture each."""
    folder = tmp_path_factory.mktemp("here")
    picture = Image.fromarray(synthetic_picture(0, 64, 64).permute(1, 2, 0).numpy())
    for name in FOLDERS:
        (folder / name).mkdir()
        picture.save(folder / name / "0.png")
    picture.save(folder / "photo.png")
    (folder / "large.lcq").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("latticecodec.lab.training.kinds.fit.ITERATIONS", 2)
        patch.setattr("latticecodec.lab.training.validation.VALIDATION_POINTS", (1.0,))
        for preset in ("lc-s", "lc-m"):  # tests/test_every_training.py trains them at their size
            patch.setitem(PRESETS, preset, PRESETS["lc-test"])
        patch.setattr("latticecodec.lab.training.run.TWIN_CROP", 64)
        patch.setattr("latticecodec.lab.training.run.synthetic_picture", lambda seed: synthetic_picture(seed, 64, 64))
        patch.setitem(TWINS, "lattice-e8", HASTY_E8)
        yield folder


def _shortened(arguments: list[str], side: int) -> list[str]:
    """A training of a moment: one step, also where the line asks for minutes; what trains nothing as it is."""
    if set(arguments) & set(TWINS):
        return arguments
    if "--minutes" not in arguments:
        return [*arguments, *SMALL, "--crop", str(side)]
    return [*arguments, "--minutes", "0.0001", *SMALL[2:], "--crop", str(side)]


@pytest.fixture(scope="module")
def trained(here: Path) -> dict[str, Path]:
    """The folders of all recipes, trained in the order of the documents; who repeats one gets a copy of its model."""
    done: dict[str, Path] = {}
    for line in TRAININGS:
        side = MS_SSIM_SIDE if "ms-ssim" in line else 64
        given = re.search(r"--out (\S+)", line)
        if recipe(line) in done:
            if given and not Path(given[1]).exists():
                shutil.copytree(done[recipe(line)] / "model", Path(given[1]) / "model")
            continue
        if "checkpoint.pt" in line:
            shutil.rmtree(here / "runs" / "mine" / "model")  # as if it had been interrupted
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("latticecodec.lab.training.validation.VALIDATION_SIZE", side)
            if "runs/mine" not in line:  # which others resume
                patch.setattr("latticecodec.lab.training.loop.save_checkpoint", lambda *_: None)
                patch.setattr("latticecodec.lab.training.loop.save_stable", lambda *_: None)
            told = lcodec(*_shortened(shlex.split(line), side))
        done[recipe(line)] = Path(told.splitlines()[-1].rsplit(" ", 1)[1]).parent
    return done


def test_exceptions_are_few_and_have_their_lines() -> None:
    assert len(UNRUN) <= 6
    assert all(any(line.startswith(beginning) for line in LINES) for beginning in UNRUN)
    assert len(TRAININGS) > 10
    assert len(OTHERS) > 10


@pytest.mark.parametrize("line", MENTIONS)
def test_mentioned_options_exist(line: str) -> None:
    name, option = line.split()
    command = main.commands[name]
    assert option in {word for parameter in command.get_params(click.Context(command)) for word in parameter.opts}


@pytest.mark.parametrize("line", [line for line in LINES if line not in OTHERS])
def test_options_parse(here: Path, line: str) -> None:
    name, *arguments = shlex.split(line)
    main.commands[name].make_context(name, arguments).close()


def test_every_training_runs(trained: dict[str, Path]) -> None:
    assert {recipe(line) for line in TRAININGS} == set(trained)
    assert len(trained) >= 9
    assert all((folder / "model" / "model.safetensors").exists() for folder in trained.values())


@pytest.mark.parametrize("line", OTHERS)
def test_every_other_command_runs(trained: dict[str, Path], line: str) -> None:
    if line.startswith("decompress"):
        lcodec("compress", "photo.png", "--force")  # with the model that is installed
    assert lcodec(*shlex.split(line), *MORE.get(line.split()[0], [])) or line.startswith("decompress")
