"""lcodec page"""

import threading
import webbrowser
from contextlib import suppress
from pathlib import Path

import click

from latticecodec import LcqError

from .messages import note, say
from .server import Server
from .stop import Stopped

FOLDER = Path(__file__).parent.parent / "web" / "dist"  # of a checkout; `make web` fills it
PORT = 8421  # the same each time: a browser keeps models, and what it needs offline, by address


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=PORT,
    show_default=True,
    help="Port to listen on; 0 for one that is free.",
)
def page(port: int) -> None:
    """Open a page in the browser that shows .lcq files and compresses photographs, both on this machine.

    The page and its models are served on the loopback address, which other machines do not reach, until Ctrl-C. What
    is opened in it is sent nowhere. It is built by `make web` in a checkout of the source.
    """
    if not (FOLDER / "index.html").is_file():
        raise LcqError(f"{FOLDER}: the page is not built; run `make web` in a checkout of the source")
    with suppress(Stopped), Server(FOLDER, port) as server:
        say(f"{server.address} until Ctrl-C")
        threading.Thread(target=_show, args=(server.address,), daemon=True).start()  # a browser of a terminal waits
        server.serve_forever()


def _show(address: str) -> None:
    """Open an address in a browser, or say that there is none."""
    if not webbrowser.open(address):
        note(f"no browser is found; open {address} in one")
