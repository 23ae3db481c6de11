"""The `lcodec` command: parse, call one library function, print. One command a file."""

from .stop import end_on_signals


def run(prog_name: str | None = None) -> None:
    """The program `lcodec`, by that name in its help; that of its file without."""
    end_on_signals()  # from the first moment: what follows imports for a tenth of a second
    from .group import main

    main(prog_name=prog_name)


def __getattr__(name: str) -> object:
    if name == "main":
        from .group import main

        return main
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
