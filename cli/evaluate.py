"""lcodec eval"""

import click


@click.command("eval")
@click.argument("images", type=click.Path(exists=True, file_okay=False))
def evaluate(images: str) -> None:
    """Evaluate."""
