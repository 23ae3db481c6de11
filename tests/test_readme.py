"""README is true: its Python runs as printed, its commands and links exist."""

import re
from pathlib import Path

import pytest
from latticecodec.cli import main
from PIL import Image

from latticecodec.zoo import base_of, find

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_python_examples(tmp_path: Path, photo: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    photo.save("photo.png")
    examples = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(examples) == 2
    names: dict[str, object] = {}
    for example in examples:
        exec(example, names)
    assert names["picture"].size == photo.size  # type: ignore[attr-defined]
    assert names["indices"].shape == (320, 13, 20)  # type: ignore[attr-defined]


def test_every_command_is_documented() -> None:
    documented = set(re.findall(r"`lcodec (\w+)", README))
    assert documented >= set(main.commands)


PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/README.md")
CARDS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "models").glob("*/README.md"))


@pytest.mark.parametrize("page", [*PAGES, *CARDS])
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text(encoding="utf-8")):
        assert (ROOT / page).parent.joinpath(target).exists(), target


def test_every_file_of_docs_is_told_there() -> None:
    """In a row of its own, or as a part of another one."""
    text = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    names = [f"{path.name}{'/' * path.is_dir()}" for path in (ROOT / "docs").iterdir()]
    names = [name for name in names if not name.startswith((".", "__"))]
    rows = "\n".join(line for line in text.splitlines() if line.startswith("| "))
    assert [name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}", rows)] == ["README.md"]


@pytest.mark.parametrize("page", CARDS)
def test_cards_start_from_the_very_model_that_is_the_base(page: str) -> None:
    """Not from what a plain name means since; other weights that they start from come from a command before."""
    info = find((ROOT / page).parent)
    lines = re.sub(r"\\\n\s*", "", (ROOT / page).read_text(encoding="utf-8")).splitlines()
    written: set[str] = set()
    for line in (line for line in lines if line.startswith("    lcodec train")):
        given = re.search(r"--init-from (\S+)", line)
        if given and given[1] not in written:
            assert find(given[1]) == base_of(info)
        written |= {f"{out}/model" for out in re.findall(r"--out (\S+)", line)}
    assert written or info.config.base or "docs/rented_gpu.py" in "".join(lines)


def test_documents_are_finished() -> None:
    """No gap is left in them, and no conflict of a merge."""
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / card for card in CARDS)):
        told = page.read_text(encoding="utf-8")
        assert not re.search(r"RESULT_|MEMORY_|TODO|XXX|not measured yet|^(<|=|>){7}( |$)", told, re.MULTILINE), page


def test_rows_of_tables_fit_on_two_lines_of_a_screen() -> None:
    assert [line for line in README.splitlines() if line.startswith("|") and len(line) > 200] == []
