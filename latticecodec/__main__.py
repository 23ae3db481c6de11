"""`python -m latticecodec` is `lcodec`."""

from latticecodec.cli import run

if __name__ == "__main__":
    run(prog_name="python -m latticecodec")
