"""How good a model is: quality and size of what it writes, beside the image formats everyone has.

    evaluate(images, models, device, report_progress) -> Evaluation    everything that `lcodec eval` prints
    side_by_side(images, models, device) -> list of Comparison          pictures at equal bytes, for the report
    write_report(folder, evaluation, comparisons)                       index.html, results.csv, results.json, *.svg

Also here: `bd_rate` of any two rate-distortion curves and `compared` of two codecs', `published` curves, `psnr`,
`ms_ssim`, `ssimulacra2` and `butteraugli` of two pictures, the peers themselves, `State` that lets a run resume.
"""

from ...outputs import write_text
from ...picture import psnr
from .bdrate import bd_rate
from .butteraugli import butteraugli
from .comparison import Comparison, side_by_side
from .contenders import DEFAULT_PEERS, QUALITIES
from .curve import METRICS, Curve, Point, compared
from .evaluate import Evaluation, evaluate, prepared
from .msssim import ms_ssim
from .peers import PEERS
from .published import published
from .report import check_report, write_report
from .results import bd_rates, check_csv, costs, rows, to_csv, to_json
from .ssimulacra2 import ssimulacra2
from .state import State

__all__ = [
    "DEFAULT_PEERS",
    "METRICS",
    "PEERS",
    "QUALITIES",
    "Comparison",
    "Curve",
    "Evaluation",
    "Point",
    "State",
    "bd_rate",
    "bd_rates",
    "butteraugli",
    "check_csv",
    "check_report",
    "compared",
    "costs",
    "evaluate",
    "ms_ssim",
    "prepared",
    "psnr",
    "published",
    "rows",
    "side_by_side",
    "ssimulacra2",
    "to_csv",
    "to_json",
    "write_report",
    "write_text",
]
