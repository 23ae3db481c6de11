"""lcodec models"""

import os
from dataclasses import asdict

import click

from . import options
from .messages import note, say, say_json


@click.command()
@options.as_json
def models(as_json: bool) -> None:
    """List the models that are installed.

    A plain name means the newest version of a model, `lattice-1` the first one.

    The environment variable LCODEC_MODELS names folders with models of your own, separated as in PATH. Where two models
    have one name, it means the first: those that come with the package, then folder by folder.

    With --json also what each costs: thousands of multiply-accumulates for each pixel to encode (at effort 0) and to
    decode, and how many learned numbers it has.
    """
    from latticecodec import list_models
    from latticecodec.config import WEIGHTS
    from latticecodec.zoo import VARIABLE, absent, newest

    for folder in absent():
        note(f"Warning: {folder}: no such folder; correct {VARIABLE}, which names it")
    whole = []
    for model in list_models():
        if os.path.isfile(model.folder / WEIGHTS):
            whole.append(model)
        else:
            note(f"Warning: {model.folder}: holds no {WEIGHTS}; it is left out")
    rows = [
        {
            "name": model.name,
            "family": model.family,
            "version": model.version,
            "newest": model == newest(model.family),
            "quantizer": model.config.quantizer,
            "latents": model.config.latents,
            "bytes": model.weight_bytes,
            "digest": model.digest.hex(),
            "folder": str(model.folder),
        }
        for model in whole
    ]
    if as_json:
        from latticecodec.complexity import complexity

        costs = [asdict(complexity(model.config)) for model in whole]
        say_json([row | cost for row, cost in zip(rows, costs, strict=True)], indent=2)
        return
    names: set[str] = set()
    width = max((len(str(row["name"])) for row in rows), default=0)
    for row in rows:
        called = row["family"] if row["newest"] else f"{row['family']}-{row['version']}"
        told = "" if called == row["name"] else f"  this is what {called} means"
        if row["name"] in names:
            told = f"  {row['name']} means another one; this is found by its folder {row['folder']}, and by its files"
        names.add(str(row["name"]))
        say(f"{row['name']:{width}} {row['quantizer']:10} {row['bytes']:>12,} bytes  digest {row['digest']}{told}")
