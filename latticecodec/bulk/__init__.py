"""Collections that outgrow a machine: on Ray Data, between folders, object storage, tars and Parquet files.

`compress` adds the files to a `ray.data.Dataset`; `Bulk` is what is behind `lcodec bulk`.
"""

from .dataset import compress
from .record import Record
from .run import Bulk
from .source import Failure, Part
from .summary import Summary
from .task import Task

__all__ = ["Bulk", "Failure", "Part", "Record", "Summary", "Task", "compress"]
