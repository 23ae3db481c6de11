"""Twelve drawn pages, of what people have besides photographs; each is the same for the same size."""

from collections.abc import Callable
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Draw = Callable[[Image.Image, ImageDraw.ImageDraw, Random], None]

INK, PAPER = (20, 20, 24), (255, 255, 255)
COLOURS = [(200, 30, 40), (20, 110, 200), (30, 140, 60), (230, 150, 20), (120, 50, 160)]


def page(name: str, width: int, height: int, photograph: Image.Image | None = None) -> Image.Image:
    """The page of that name; a photograph is pasted into "photograph" alone."""
    image = Image.new("RGB", (width, height), PAPER)
    PAGES[name](image, ImageDraw.Draw(image), Random(name))
    if name == "photograph":
        assert photograph is not None
        side = min(height // 2, width // 2) // 64 * 64
        image.paste(photograph.resize((side, side)), ((width - side) // 2 + 7, height // 4 + 5))
    return image


def _words(random: Random, letters: int) -> str:
    return "".join(random.choice("etaoinshrdlu  cmfwyp.,") for _ in range(letters))


def _line(draw: ImageDraw.ImageDraw, random: Random, at: tuple[int, int], size: int, letters: int) -> None:
    _write(draw, at, _words(random, letters), INK, size)


def _write(draw: ImageDraw.ImageDraw, at: tuple[int, int], words: str, fill: tuple[int, int, int], size: int) -> None:
    """Letters at whole pixels and equal distances, as screens have them: the same letter is the same pixels."""
    font = ImageFont.load_default(size)
    for number, letter in enumerate(words):
        draw.text((at[0] + number * -(-3 * size // 5), at[1]), letter, fill=fill, font=font)


def text(image: Image.Image, draw: ImageDraw.ImageDraw, random: Random) -> None:
    """Three sizes."""
    top = 6
    while top < image.height:
        size = random.choice((10, 14, 22))
        _line(draw, random, (8, top), size, 2 * image.width // size)
        top += size + 5


def code(image: Image.Image, draw: ImageDraw.ImageDraw, random: Random) -> None:
    """Words in colours on a dark ground."""
    image.paste((30, 32, 40), (0, 0, image.width, image.height))
    for top in range(6, image.height, 15):
        left = 8 + 16 * random.randrange(4)
        while left < image.width * 0.8:
            word = _words(random, random.randint(2, 9)).strip() or "x"
            _write(draw, (left, top), word, random.choice([*COLOURS, (220, 220, 220)]), 11)
            left += 7 * len(word) + 7


def table(image: Image.Image, draw: ImageDraw.ImageDraw, random: Random) -> None:
    """Numbers between lines."""
    for top in range(4, image.height, 20):
        draw.line((0, top, image.width, top), fill=(170, 170, 170))
        for left in range(4, image.width, 60):
            _write(draw, (left + 4, top + 4), f"{random.randrange(10**5)}", INK, 10)
    for left in range(4, image.width, 60):
        draw.line((left, 0, left, image.height), fill=(170, 170, 170))


def chart(image: Image.Image, draw: ImageDraw.ImageDraw, random: Random) -> None:
    """Bars and a curve."""
    for number, left in enumerate(range(12, image.width - 20, 24)):
        draw.rectangle((left, random.randrange(image.height), left + 14, image.height), fill=COLOURS[number % 5])
    points = [(x, image.height / 2 + image.height / 3 * np.sin(x / 37)) for x in range(0, image.width, 4)]
    draw.line(points, fill=INK, width=2)


def lines(image: Image.Image, draw: ImageDraw.ImageDraw, random: Random) -> None:
    """Line art."""
    for _ in range(image.width // 8):
        left, top = random.randrange(image.width), random.randrange(image.height)
        side = random.randint(20, 120)
        draw.arc((left, top, left + side, top + side), random.randrange(360), random.randrange(360), fill=INK)


def map_(image: Image.Image, draw: ImageDraw.ImageDraw, random: Random) -> None:
    """Areas of one colour, roads and names."""
    image.paste((205, 230, 200), (0, 0, image.width, image.height))
    for _ in range(12):
        x, y = random.randrange(image.width), random.randrange(image.height)
        corners = [(x + random.randint(-70, 70), y + random.randint(-70, 70)) for _ in range(6)]
        draw.polygon(corners, fill=random.choice([(170, 210, 240), (235, 225, 200), (190, 215, 180)]))
    for _ in range(8):
        ends = [random.randrange(image.width), 0, random.randrange(image.width), image.height]
        draw.line(ends, fill=(250, 210, 90), width=random.randint(1, 5))
    for _ in range(12):
        _line(draw, random, (random.randrange(image.width), random.randrange(image.height)), 10, 8)


def pixels(image: Image.Image, draw: ImageDraw.ImageDraw, random: Random) -> None:
    """Pixel art: large pixels of few colours."""
    for top in range(0, image.height, 4):
        for left in range(0, image.width, 4):
            draw.rectangle((left, top, left + 3, top + 3), fill=COLOURS[(left // 28 + random.randrange(2)) % 5])


def dither(image: Image.Image, draw: ImageDraw.ImageDraw, random: Random) -> None:
    """A slope in two colours."""
    y, x = np.mgrid[: image.height, : image.width]
    grey = (255 * (x + y) / (image.width + image.height)).astype(np.uint8)
    image.paste(Image.fromarray(grey).convert("1").convert("RGB"))


def screen(image: Image.Image, draw: ImageDraw.ImageDraw, random: Random) -> None:
    """A user interface."""
    image.paste((240, 240, 244), (0, 0, image.width, image.height))
    draw.rectangle((0, 0, image.width, 24), fill=(50, 90, 160))
    for top in range(34, image.height, 34):
        for left in range(10, image.width, 110):
            draw.rounded_rectangle((left, top, left + 96, top + 26), 6, fill=PAPER, outline=(160, 160, 170))
            _write(draw, (left + 10, top + 7), _words(random, 10), INK, 11)


def photograph(image: Image.Image, draw: ImageDraw.ImageDraw, random: Random) -> None:
    """Text around a photograph."""
    text(image, draw, random)


def formulas(image: Image.Image, draw: ImageDraw.ImageDraw, random: Random) -> None:
    """Letters in several sizes, fractions and roots."""
    for top in range(10, image.height, 44):
        for left in range(10, image.width, 90):
            _line(draw, random, (left, top), 16, 4)
            draw.line((left, top + 20, left + 60, top + 20), fill=INK)
            _line(draw, random, (left + 10, top + 22), 11, 5)


def squares(image: Image.Image, draw: ImageDraw.ImageDraw, random: Random) -> None:
    """A QR code, or what looks like one."""
    for top in range(0, image.height, 5):
        for left in range(0, image.width, 5):
            if random.random() < 0.5:
                draw.rectangle((left, top, left + 4, top + 4), fill=(0, 0, 0))


PAGES: dict[str, Draw] = {
    "text": text, "code": code, "table": table, "chart": chart, "lines": lines, "map": map_, "pixels": pixels,
    "dither": dither, "screen": screen, "photograph": photograph, "formulas": formulas, "squares": squares,
}  # fmt: skip
