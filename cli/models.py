"""lcodec models"""

import json

import click

from . import options


@click.command()
@options.as_json
def models(as_json: bool) -> None:
    """List the models that are installed."""
    from latticecodec import list_models

    rows = [
        {
            "name": model.name,
            "quantizer": model.config.quantizer,
            "latents": model.config.latents,
            "bytes": model.weight_bytes,
            "digest": model.digest.hex(),
            "folder": str(model.folder),
        }
        for model in list_models()
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['name']:12} {row['quantizer']:10} {row['bytes']:>12,} bytes  digest {row['digest']}")
