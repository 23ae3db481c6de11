"""How good a model is: quality and size of what it writes, beside the image formats everyone has.

    evaluate(folder, model, device, report_progress) -> Evaluation    everything that `lcodec eval` prints

Also here: `bd_rate` of any two rate-distortion curves, `psnr` of two pictures, and the peers themselves.
"""

from ..image import psnr
from .bdrate import bd_rate
from .evaluate import Evaluation, evaluate
from .peers import PEERS

__all__ = ["PEERS", "Evaluation", "bd_rate", "evaluate", "psnr"]
