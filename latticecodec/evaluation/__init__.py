"""How good a model is: quality and size of what it writes, beside the image formats everyone has.

    evaluate(folder, models, device, report_progress) -> Evaluation    everything that `lcodec eval` prints

Also here: `bd_rate` of any two rate-distortion curves and `compared` of two codecs', `psnr` and `ms_ssim` of two
pictures, and the peers themselves.
"""

from ..image import psnr
from .bdrate import bd_rate
from .evaluate import Curve, Evaluation, Point, compared, evaluate
from .msssim import ms_ssim
from .peers import PEERS

__all__ = ["PEERS", "Curve", "Evaluation", "Point", "bd_rate", "compared", "evaluate", "ms_ssim", "psnr"]
