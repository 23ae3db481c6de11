"""All tables that `lcodec reproduce` knows, by name."""

from ....errors import TrainingError
from ..experiment import Table
from . import balance, lattice, rotation

TABLES = {table.name: table for table in (*lattice.TABLES, *balance.TABLES, *rotation.TABLES)}


def find(names: tuple[str, ...]) -> list[Table]:
    """Tables by name, all of them for no name.

    Raises:
        TrainingError: there is no such table.
    """
    unknown = [name for name in names if name not in TABLES]
    if unknown:
        raise TrainingError(f"there is no table {unknown[0]!r}; choose from {', '.join(TABLES)}")
    return [TABLES[name] for name in names] if names else list(TABLES.values())
