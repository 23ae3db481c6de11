"""Numbers, bytes and EXIF blocks that readers trip over."""

import struct
from random import Random

INTERESTING = (0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 63, 64, 65, 127, 128, 255, 256, 4095, 4096, 32_767, 32_768, 65_535)
TAGS = (254, 256, 257, 258, 259, 262, 270, 273, 274, 277, 278, 279, 282, 296, 305, 330, 338, 700, 33432, 33723, 34377)
DIRECTORIES = (34665, 34853, 40965, 330)
MORE_TAGS = (34675, 36864, 37121, 37500, 37510, 40962, 0, 1, 2, 65_535)


def integer(now: int, low: int, high: int, random: Random) -> int:
    """Another number from `low` to `high`: near to what is there, at an end, a power of two, or any."""
    found = random.choice(
        [
            now + random.choice((-1, 1)),
            now ^ 1 << random.randrange(max(1, high.bit_length())),
            random.choice(INTERESTING),
            random.choice((low, high, high - 1)),
            1 << random.randrange(high.bit_length()),
            random.randint(low, high),
        ]
    )
    return min(max(found, low), high)


def scrambled(data: bytes, random: Random) -> bytes:
    """Bytes cut out, put in, doubled or replaced, at up to five places."""
    for _ in range(random.randint(1, 5)):
        at, cut = random.randrange(len(data) + 1), random.choice((0, 0, 1, 1, 2, 4, 12))
        put = random.choice(
            (
                b"",
                random.randbytes(random.randint(1, 4)),
                b"\xff" * cut,
                bytes(cut),
                data[at : at + random.randrange(20)],
            )
        )
        data = data[:at] + put + data[at + cut :]
    return data


def exif(random: Random) -> bytes:
    """A TIFF structure with directories that may loop, overlap, or point out of the block."""
    order = random.choice("<>")
    block = bytearray((b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8))
    for _ in range(random.randint(1, 3)):
        count = random.randint(0, 6)
        block += struct.pack(order + "H", count if random.random() < 0.9 else random.randrange(65_536))
        for _ in range(count):
            tag = random.choice(random.choice((TAGS, DIRECTORIES, MORE_TAGS)))
            kind, length = (
                random.choice((1, 2, 3, 4, 5, 7, 10, 11, 12, 13, 16, 0, 99)),
                random.choice((0, 1, 2, 4, 9, 70)),
            )
            if random.random() < 0.1:
                length = random.choice((65_535, (1 << 31) - 1, (1 << 32) - 1))
            value = random.choice((0, 1, 6, 8, 26, len(block), random.randrange(200), random.randrange(1 << 32)))
            block += struct.pack(order + "HHII", tag, kind, length, value)
        block += struct.pack(order + "I", random.choice((0, 0, 8, len(block) + 4, random.randrange(1 << 32))))
    block += random.randbytes(random.randint(0, 60))
    return bytes(block) if random.random() < 0.8 else scrambled(bytes(block), random)
