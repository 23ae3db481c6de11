"""Commands of the command line in this process."""

from click.testing import CliRunner, Result
from latticecodec.cli import main


def lcodec(*arguments: object, data: bytes | None = None) -> Result:
    """Run a command, with `data` as its standard input."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=data)


def fails_with(result: Result, *words: str) -> None:
    """The command printed one line on stderr with these words, nothing on stdout, and exited 1 without a traceback."""
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("Error: ")
    assert result.stdout == ""
    for word in words:
        assert word in result.stderr
