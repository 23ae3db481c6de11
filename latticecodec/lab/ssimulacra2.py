"""SSIMULACRA2 (Sneyers 2022) in torch, with gradients: what people would notice, for training and encoders to aim at.

    pixels ─► linear RGB ─► XYB, at six scales ─► windows of sigma 1.5 ─► lost structure, artefacts, lost detail
           ─► norms 1 and 4 over the picture ─► weighted sum: `weighted_error` ─► `score`

Weights and constants are those published with the metric (github.com/cloudinary/ssimulacra2), where they were fitted
to opinions of people. Agrees with the package `ssimulacra2`, which has no gradients.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .arithmetic import convolve

SIDE_MIN = 8  # pixels: what a scale must have
SCALES = 6  # of a picture from 225 pixels a side
SIGMA, RADIUS = 1.5, 5  # of the Gaussian window, pixels
STABILITY = 0.0009  # added to variances
TINY = 1e-32  # below the norm's fourth power, whose root has no gradient at 0
ABSORBANCE = (  # of red, green and blue light by the three kinds of cones
    (0.30, 0.622, 0.078),
    (0.23, 0.692, 0.078),
    (0.24342268924547819, 0.20476744424496821, 0.5518098665095536),
)
BIAS = 0.0037930732552754493
SLOPE = 0.9562382616834844
CURVE = (2.326765642916932, -0.020884521182843837, 6.248496625763138e-05)  # of the weighted sum, its square and cube
EXPONENT = 0.6276336467831387
WEIGHTS = (  # by channel and scale: of structure, artefacts and detail in norm 1, then in norm 4
    (  # X, red against green
        (0.0, 0.0007376606707, 0.0, 0.0, 0.0007793481683, 0.0),
        (0.0, 0.000437115573, 0.0, 1.104172643, 0.0006628483413, 0.0001523163278),
        (0.0, 0.001640643746, 0.0, 1.842245552, 11.4411726, 0.0),
        (0.0007989109436, 0.0001768164381, 0.0, 1.878759498, 10.94906991, 0.0),
        (0.0007289346992, 0.9677937081, 0.0, 0.0001400342429, 0.9981766978, 0.0003194975593),
        (0.0004550992114, 0.0, 0.0, 0.001364876616, 0.0, 0.0),
    ),
    (  # Y, luminance
        (0.0, 0.0, 0.0, 7.466890328, 0.0, 17.44583398),
        (0.0006235601634, 0.0, 0.0, 6.683678146, 0.0003772440798, 1.027889938),
        (225.205153, 0.0, 0.0, 19.21323819, 0.001140152459, 0.001237755636),
        (176.393176, 0.0, 0.0, 24.43301, 0.2852080261, 0.0004485436924),
        (0.0, 0.0, 0.0, 34.77906344, 44.83562533, 0.0),
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    ),
    (  # B - Y, blue against yellow
        (0.0, 0.0008680556573, 0.0, 0.0, 0.0, 0.0),
        (0.0, 0.0005313191874, 0.0, 0.0001653381416, 0.0, 0.0),
        (0.0, 0.0, 0.0, 0.0004179171803, 0.001729082823, 0.0),
        (0.002082700585, 0.0, 0.0, 8.826982765, 23.19243344, 0.0),
        (95.10804988, 0.9863978034, 0.9834382792, 0.001228640505, 171.2667256, 0.9807858872),
        (0.0, 0.0, 0.0, 0.0005130064589, 0.0, 0.0001085405786),
    ),
)


def weighted_error(x_hat: Tensor, x: Tensor) -> Tensor:
    """The weighted sum of errors [B], 0 for equal pictures, of x_hat and its original x [B, 3, H, W] in [0, 1].

    Values beyond 0 and 1 count as these. Both sides must have 8 pixels; where they are too short for all scales the
    weights are the first of the list, as in the published program.
    """
    light = [_linear(picture) for picture in (x_hat, x)]  # [B, 3, H, W]
    norms: list[Tensor] = []
    while len(norms) < SCALES and min(light[0].shape[2:]) >= SIDE_MIN:
        norms.append(_norms(*map(_xyb, light)))  # [B, 3, 6]
        light = [F.avg_pool2d(picture, 2, ceil_mode=True) for picture in light]  # [B, 3, ceil(H / 2), ceil(W / 2)]
    weights = torch.tensor(WEIGHTS, dtype=torch.float32, device=x.device).flatten()  # [3 SCALES 6]
    found = torch.stack(norms, 2).flatten(1)  # [B, 3 S 6] of S scales
    return (found * weights[: found.shape[1]]).sum(1)


def score(error: Tensor) -> Tensor:
    """SSIMULACRA2 [B], 100 for equal pictures, of `weighted_error` [B]."""
    linear = SLOPE * error
    bent = sum(factor * linear**power for power, factor in enumerate(CURVE, 1))  # [B]
    return 100 - 10 * torch.as_tensor(bent).clamp_min(0) ** EXPONENT


def _linear(x: Tensor) -> Tensor:
    """sRGB in [0, 1] to light, [B, 3, H, W]."""
    x = x.clamp(0, 1)
    return torch.where(x <= 0.04045, x / 12.92, ((x.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4)


def _xyb(light: Tensor) -> Tensor:
    """Linear RGB to XYB, moved and stretched so that all is positive: [B, 3, H, W]."""
    matrix = torch.tensor(ABSORBANCE, dtype=torch.float32, device=light.device)[:, :, None, None]  # [3, 3, 1, 1]
    cones = convolve(light, matrix, matrix.new_full((3,), BIAS)) ** (1 / 3) - BIAS ** (1 / 3)  # [B, 3, H, W]
    long, medium, short = cones.unbind(1)
    x, y = (long - medium) / 2, (long + medium) / 2
    return torch.stack([14 * x + 0.42, y + 0.01, short - y + 0.55], 1)


def _norms(x_hat: Tensor, x: Tensor) -> Tensor:
    """Structure, artefacts and detail in norm 1, then in norm 4, [B, 3, 6], of x_hat and x [B, 3, h, w]."""
    error = x_hat - x
    mean, square = _blurred(x, x.square())
    shift, square_error, square_hat = _blurred(error, error.square(), x_hat.square())
    mean_hat, shift = mean + shift, shift.square()
    variances = (square - mean.square()) + (square_hat - mean_hat.square()) + STABILITY
    noise = (square_error - shift) / variances  # 1 - 2 covariance / variances, without the loss of digits
    structure = (shift + (1 - shift) * noise).clamp_min(0)  # 1 - (1 - shift) (1 - noise)
    edges = (1 + (x_hat - mean_hat).abs()) / (1 + (x - mean).abs()) - 1
    maps = torch.stack([structure, edges.clamp_min(0), (-edges).clamp_min(0)], 2)  # [B, 3, 3, h, w]
    fourth = (maps.square().square().mean((3, 4)) + TINY) ** 0.25
    return torch.cat([maps.mean((3, 4)), fourth], 2)


def _blurred(*maps: Tensor) -> tuple[Tensor, ...]:
    """Each of maps [B, 3, h, w] seen through the window: 0 to the sides, mirrored above and below."""
    planes = torch.cat(maps).flatten(0, 1)[None]  # [1, N, h, w]
    count = planes.shape[1]
    planes = torch.cat([planes[:, :, :RADIUS].flip(2), planes, planes[:, :, -RADIUS:].flip(2)], 2)  # [1, N, h + 10, w]
    offsets = torch.arange(-RADIUS, RADIUS + 1, dtype=torch.float32, device=planes.device)
    window = torch.softmax(-offsets.square() / (2 * SIGMA**2), 0).expand(count, 1, 1, -1)  # [N, 1, 1, 11]
    nothing = window.new_zeros(count)
    planes = convolve(F.pad(planes, (RADIUS, RADIUS)), window, nothing, groups=count)  # [1, N, h + 10, w]
    planes = convolve(planes, window.transpose(2, 3), nothing, groups=count)  # [1, N, h, w]
    return torch.split(planes.view(-1, 3, *planes.shape[2:]), len(maps[0]))  # [B, 3, h, w] each
