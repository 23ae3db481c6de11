"""What several kinds ask of the fields of a configuration, which ModelConfig has seen to be of the right types."""

from ..arguments import shown
from ..config import ModelConfig
from ..errors import ModelError

WIDTH_MIN = 6  # of the context network, before codebooks


def check_no_books(config: ModelConfig) -> None:
    """Raise ModelError where there are sizes of codebooks."""
    if config.books:
        raise ModelError(f"config field books is {shown(list(config.books))}; of a {config.quantizer} it must be []")


def check_no_codes(config: ModelConfig) -> None:
    """Raise ModelError where there are groups or codes."""
    if config.groups or config.codes:
        raise ModelError(f"config: a {config.quantizer} has no groups and no codes; the fields must be [] and 0")


def check_groups(config: ModelConfig) -> None:
    """Raise ModelError where the groups are not cut out of all latents, or the networks too narrow for codes."""
    if sum(config.groups) != config.latents or config.codes < 2:
        told = f"config field groups covers {sum(config.groups)} latents, and codes is {config.codes}"
        raise ModelError(f"{told}; groups must cover {config.latents} latents, with 2 codes or more")
    if config.context_width < WIDTH_MIN:
        told = f"config field context_width is {config.context_width}"
        raise ModelError(f"{told}; codebooks need {WIDTH_MIN} or more")
