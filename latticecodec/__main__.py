"""`python -m latticecodec` is `lcodec`."""

from latticecodec.cli import main

if __name__ == "__main__":
    main(prog_name="python -m latticecodec")
