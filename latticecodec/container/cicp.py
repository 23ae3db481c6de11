"""What colours mean, as code points of ITU-T H.273 (CICP): the four bytes of the cICP chunk of PNG files."""

from typing import NamedTuple

UNSPECIFIED = 2  # of primaries and of transfer functions
RGB = 0  # matrix coefficients of samples that are red, green and blue: all that there are here
PRIMARIES = {
    1: "BT.709", 4: "BT.470 M", 5: "BT.470 BG", 6: "SMPTE 170M", 7: "SMPTE 240M", 8: "film", 9: "BT.2020", 10: "XYZ",
    11: "DCI P3", 12: "Display P3", 22: "EBU 3213",
}  # fmt: skip
TRANSFERS = {
    1: "BT.709", 4: "gamma 2.2", 5: "gamma 2.8", 6: "BT.601", 7: "SMPTE 240M", 8: "linear", 9: "logarithmic",
    10: "logarithmic", 11: "xvYCC", 12: "BT.1361", 13: "sRGB", 14: "BT.2020", 15: "BT.2020", 16: "PQ", 17: "SMPTE 428",
    18: "HLG",
}  # fmt: skip


class Cicp(NamedTuple):
    """Code points of a picture of RGB, or of grey.

    Attributes:
        primaries: colours of red, green, blue and white, H.273 section 8.1.
        transfer: from light to samples, section 8.2.
        matrix: coefficients, section 8.3; always RGB.
        full_range: 1 where black is 0 and white the highest value, 0 where there is room beyond both.
    """

    primaries: int
    transfer: int
    matrix: int = RGB
    full_range: int = 1

    @property
    def name(self) -> str:
        """As people call it: `sRGB`, `BT.2020 primaries, PQ transfer`."""
        if self == SRGB:
            return "sRGB"
        primaries = PRIMARIES.get(self.primaries, f"unknown ({self.primaries})")
        transfer = TRANSFERS.get(self.transfer, f"unknown ({self.transfer})")
        return f"{primaries} primaries, {transfer} transfer" + ", narrow range" * (not self.full_range)


SRGB = Cicp(1, 13)  # what colours mean where nothing is said


def code_points(body: bytes) -> Cicp | None:
    """The code points of a record or chunk; None where its bytes are no such, or leave all unspecified."""
    if len(body) != len(SRGB):
        return None
    found = Cicp(*body)
    told = (found.primaries, found.transfer) != (UNSPECIFIED, UNSPECIFIED)
    return found if told and found.matrix == RGB and found.full_range <= 1 else None
