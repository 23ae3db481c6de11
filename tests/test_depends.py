"""Which files a piece of work is made of, by their imports."""

from pathlib import Path

import pytest

from latticecodec.lab import depends

FILES = {
    "__init__.py": "from .late import late",
    "shared.py": "import os",
    "typed.py": "",
    "late.py": "",
    "idle.py": "from .shared import x",
    "work/__init__.py": "from .tools import tool",
    "work/tools.py": "",
    "work/plain.py": "from ..shared import x\nif TYPE_CHECKING:\n    from ..typed import Y",
    "work/deep.py": "def f():\n    from . import plain\n    from .. import kinds",
    "kinds/__init__.py": "from importlib import import_module\nfrom .base import Base",
    "kinds/base.py": "",
    "kinds/one.py": "from ..late import late",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(depends, "PACKAGE", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("modules", "without", "files"),
    [
        (["idle"], [], "idle shared"),
        (["work.plain"], [], "shared work/plain"),  # no type, and no __init__ on the way
        (["work.deep"], [], "kinds/__init__ kinds/base kinds/one late shared work/deep work/plain"),
        (["work.deep"], ["kinds"], "shared work/deep work/plain"),  # late is there for kinds alone
        (["work"], ["kinds"], "shared work/__init__ work/deep work/plain work/tools"),
        (["work.tools", "idle"], ["shared"], "idle work/tools"),
    ],
)
def test_sources_are_modules_with_what_they_import(
    package: Path, modules: list[str], without: list[str], files: str
) -> None:
    found = [str(file.relative_to(package).with_suffix("")) for file in depends.sources(*modules, without=without)]
    assert found == files.split()


def test_a_module_that_is_not_there_is_no_source() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"no module lab\.papers\.lop in "):
        depends.sources("lab.papers.lop")
