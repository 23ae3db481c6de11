"""MS-SSIM and SSIMULACRA2 as published: their constants, and how much each counts beside the squared error."""

SIGMA, RADIUS = 1.5, 5  # of the Gaussian window of both, pixels

# MS-SSIM (Wang, Simoncelli, Bovik 2003), of values in 0..255
MS_SSIM_SIDE_MIN = 161  # pixels; five scales of an 11-pixel window need more than 160
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # by scale; the last is of structure and luminance
MS_SSIM_STABILITY = ((0.01 * 255) ** 2, (0.03 * 255) ** 2)  # added to squared means, and to variances

# SSIMULACRA2 (Sneyers 2022), github.com/cloudinary/ssimulacra2, where they were fitted to opinions of people
SSIMULACRA2_SIDE_MIN = 8  # pixels: what a scale must have
SCALES = 6  # of a picture from 225 pixels a side
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

# what an encoder goes down, where it aims at one of them
MS_SSIM_SHARE = 0.5  # of the bits that squared error costs at the same latents
PERCEPTUAL_SHARE = 0.25  # as MS_SSIM_SHARE: of SSIMULACRA2, and of the squared error beside it
LOST_MIN = 1e-6  # what is lost counts as this much at least, where a share of bits is divided by it
