"""The number formats that the float (training) and the integer (coding) prior share.

    activation     unsigned 8 bit, in units of 1/32: relu(x) clamped to 255/32
    symbol input   signed 8 bit, in units of 1/32: asinh(k) / 2 of a lattice coordinate k
    weight         signed 8 bit, in units of 2^-e, e chosen per output channel
    accumulator    |sum| < 2^24, in units of 2^-(5 + e), so float32 adds it exactly in any order
    mean output    in units of 1/64 of asinh(mean), -511..511
    scale output   index 0..63, sigma = exp(-2.25 + index / 8) lattice steps

Powers of two throughout, so that going from one layer to the next is an arithmetic shift. Integer networks for
entropy models: Ballé, Johnston and Minnen, ICLR 2019.
"""

ACTIVATION_BITS = 5  # units of 2^-5
ACTIVATION_MAX = 255
WEIGHT_MAX = 127
EXPONENT_MIN, EXPONENT_MAX = 3, 14  # of a weight's unit
MEAN_BITS = 6  # units of 2^-6 in asinh(mean)
MEAN_MAX = 511
SCALE_BITS = 3  # units of 2^-3 in log(sigma)
SCALE_COUNT = 64
LOG_SCALE_MIN = -2.25  # log of the smallest sigma, lattice steps
LEVELS = 64  # quality levels that the prior of z and the hyper-decoder's first bias know
KNOTS = 9  # values over the quality range between which training interpolates
FRACTION_BITS = 4  # means become sixteenths of a lattice step
TAIL_FROM = 0.375  # log(sigma) from which residuals have heavier tails than a Gaussian
TAIL_SHARE = 0.05  # share of a second Gaussian there; 0.001 below
TAIL_SHARE_NARROW = 0.001
TAIL_RATIO = 3.0  # its width over the first one's
COORDINATE_MAX = 32767  # |lattice coordinate| in a file
