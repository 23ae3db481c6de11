"""How good a model is: quality and size of what it writes, beside the image formats everyone has.

    run(Asked(images, models, ...), Files(csv, report, resume)) -> Evaluation    all that `lcodec eval` does but print
    evaluate(asked, report_progress, state) -> Evaluation                        what is measured
    side_by_side(asked) -> list of Comparison                                    pictures at equal bytes, for the report
    write_report(folder, evaluation, comparisons)                                index.html, results.csv, ..., *.svg

Also here: `bd_rate` of any two rate-distortion curves and `compared` of two codecs', `published` curves, `psnr`,
`ms_ssim`, `ssimulacra2` and `butteraugli` of two pictures, the table of these, the peers themselves, `State` that lets
a run resume.
"""

from ...picture import psnr
from .bdrate import bd_rate
from .butteraugli import butteraugli
from .comparison import Comparison, side_by_side
from .contenders import DEFAULT_PEERS, QUALITIES
from .curve import Curve, Point, compared
from .evaluate import Evaluation, evaluate
from .files import Files
from .measures import MEASURES, Measure, optional_measures
from .msssim import ms_ssim
from .options import Asked
from .peers import PEERS
from .published import published
from .report import write_report
from .results import bd_rates, costs, rows, to_csv, to_json
from .run import run
from .ssimulacra2 import ssimulacra2
from .state import State
from .tally import ESTIMATE_BYTES, ESTIMATE_FACTOR

__all__ = [
    "DEFAULT_PEERS",
    "ESTIMATE_BYTES",
    "ESTIMATE_FACTOR",
    "MEASURES",
    "PEERS",
    "QUALITIES",
    "Asked",
    "Comparison",
    "Curve",
    "Evaluation",
    "Files",
    "Measure",
    "Point",
    "State",
    "bd_rate",
    "bd_rates",
    "butteraugli",
    "compared",
    "costs",
    "evaluate",
    "ms_ssim",
    "optional_measures",
    "psnr",
    "published",
    "rows",
    "run",
    "side_by_side",
    "ssimulacra2",
    "to_csv",
    "to_json",
    "write_report",
]
