"""`lcodec eval` in this process, on small pictures, for the tests of what it prints and writes."""

from click.testing import Result
from command_line import lcodec
from PIL import Image


def astronaut(side: int = 96) -> Image.Image:
    """The face of scikit-image's astronaut."""
    from skimage.data import astronaut as picture

    return Image.fromarray(picture()[60 : 60 + side, 180 : 180 + side])


def lcodec_eval(*arguments: object) -> Result:
    """Run the command in this process, on the CPU."""
    return lcodec("eval", *arguments, "--device", "cpu")
