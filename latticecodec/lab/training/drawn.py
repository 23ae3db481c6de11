"""Pages that the package draws itself: text, user interfaces, charts, line art and dither, as on screens and paper.

Photographs hold little of it, and networks trained on them alone fall apart there. Everything is drawn with Pillow and
its built-in font, smooth or not, and is the same for the same seed.
"""

import math
from collections.abc import Callable
from random import Random

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]  # left, top, right, bottom
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

LETTERS = "etaoinshrdlcumwfgypbvkjxqz"  # roughly as often as in texts when drawn by `_word`
FONT_SIZES = (8, 9, 10, 11, 12, 13, 14, 16, 18, 22, 28, 40, 64)
PAGE_SIDE = 512  # pixels


def drawn_page(seed: int, height: int = PAGE_SIDE, width: int = PAGE_SIDE) -> Tensor:
    """A page of one to four parts, each of one kind: uint8 [3, height, width]."""
    random = Random(seed)
    page = Image.new("RGB", (width, height), _paper(random))
    for box in _cut(random, (0, 0, width, height), depth=random.choice((0, 1, 2))):
        random.choice(KINDS)(random, page, box)
    return _to_tensor(page)


def pasted(picture: Tensor, page: Tensor, generator: torch.Generator) -> Tensor:
    """A picture uint8 [3, S, S] with a rectangle of a page [3, S, S] on it: all of it, or its ink alone."""
    wide, high, left, top, kind = torch.rand(5, generator=generator).tolist()
    side = picture.shape[1]
    width, height = (max(1, round(side * (0.25 + 0.75 * share))) for share in (wide, high))
    left, top = round(left * (side - width)), round(top * (side - height))
    at = (slice(None), slice(top, top + height), slice(left, left + width))
    out = picture.clone()
    paper = page[:, :1, :1] if kind < 0.5 else page.new_full((3, 1, 1), 1)  # a colour that is next to nowhere
    ink = (page[at] != paper).any(0)  # [height, width]
    out[at] = torch.where(ink, page[at], out[at])
    return out


def _to_tensor(page: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(page)).permute(2, 0, 1)  # [3, H, W]


def _cut(random: Random, box: Box, depth: int) -> list[Box]:
    """A box cut in two, `depth` times."""
    left, top, right, bottom = box
    if depth == 0 or min(right - left, bottom - top) < 48:
        return [box]
    share = random.uniform(0.3, 0.7)
    if random.random() < 0.5:
        at = round(left + share * (right - left))
        halves = [(left, top, at, bottom), (at, top, right, bottom)]
    else:
        at = round(top + share * (bottom - top))
        halves = [(left, top, right, at), (left, at, right, bottom)]
    return [part for half in halves for part in _cut(random, half, depth - 1)]


def _paper(random: Random) -> Colour:
    """A background: mostly white or light, sometimes dark, sometimes of any colour."""
    kind = random.random()
    if kind < 0.35:
        return 255, 255, 255
    if kind < 0.6:
        level = random.randint(225, 250)
        return level, level, random.choice((level, level - 12))
    if kind < 0.85:
        level = random.randint(0, 48)
        return level, level, min(255, level + random.choice((0, 6, 16)))
    return _any_colour(random)


def _any_colour(random: Random) -> Colour:
    return random.randint(0, 255), random.randint(0, 255), random.randint(0, 255)


def _ink(random: Random, paper: Colour) -> Colour:
    """A colour that can be read on `paper`."""
    dark = sum(paper) > 3 * 128
    if random.random() < 0.6:
        level = random.randint(0, 60) if dark else random.randint(195, 255)
        return level, level, level
    colour = _any_colour(random)
    return (colour[0] // 2, colour[1] // 2, colour[2] // 2) if dark else _lighter(colour)


def _lighter(colour: Colour) -> Colour:
    return 128 + colour[0] // 2, 128 + colour[1] // 2, 128 + colour[2] // 2


def _pen(random: Random, page: Image.Image) -> ImageDraw.ImageDraw:
    """Draws text smoothly, or, on a third of the parts, in whole pixels."""
    pen = ImageDraw.Draw(page)
    pen.fontmode = "1" if random.random() < 0.33 else "L"
    return pen


def _word(random: Random) -> str:
    letters = "".join(LETTERS[int(len(LETTERS) * random.random() ** 2)] for _ in range(random.randint(1, 9)))
    kind = random.random()
    if kind < 0.15:
        return letters.capitalize()
    if kind < 0.2:
        return letters.upper()
    return str(random.randint(0, 10 ** random.randint(1, 5))) if kind < 0.3 else letters + ("," if kind > 0.95 else "")


def _words(random: Random, count: int) -> str:
    return " ".join(_word(random) for _ in range(count))


def _text(random: Random, page: Image.Image, box: Box) -> None:
    """Lines of text, left to right, with a heading now and then."""
    pen, (left, top, right, bottom) = _pen(random, page), box
    ink = _ink(random, _under(page, box))
    size = random.choice(FONT_SIZES)
    y = top + random.randint(0, size)
    while y < bottom:
        heading = random.random() < 0.06
        font = ImageFont.load_default(size * 1.6 if heading else size)
        x = left + random.randint(0, size) * (random.random() < 0.3)
        line = _words(random, max(1, round(2 * (right - x) / (size * 5)) + 1))
        _write(pen, (x, y, right, bottom), line, ink, font)
        y += round(size * (2.2 if heading else random.choice((1.2, 1.2, 1.2, 1.5, 2.4))))


def _write(pen: ImageDraw.ImageDraw, box: Box, text: str, ink: Colour, font: Font) -> None:
    """Text at the left top of a box, as much of it as fits in the width."""
    left, top, right, _ = box
    while text and pen.textlength(text, font) > right - left:
        text = text[: len(text) * 3 // 4]
    pen.text((left, top), text, fill=ink, font=font)


def _under(page: Image.Image, box: Box) -> Colour:
    """The mean colour of a part of the page."""
    mean = page.crop(box).resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(mean, tuple)
    return int(mean[0]), int(mean[1]), int(mean[2])


def _interface(random: Random, page: Image.Image, box: Box) -> None:
    """A window: title bar, rows of buttons, fields, check marks and labels."""
    pen, (left, top, right, bottom) = _pen(random, page), box
    accent, paper = _any_colour(random), _paper(random)
    ink, size = _ink(random, paper), random.choice((10, 11, 12, 13, 14, 16))
    font, row = ImageFont.load_default(size), 2 * size
    pen.rectangle((left, top, right - 1, bottom - 1), fill=paper, outline=ink if random.random() < 0.5 else None)
    pen.rectangle((left, top, right - 1, top + row), fill=accent)
    _write(pen, (left + size, top + size // 3, right, bottom), _words(random, 3), _ink(random, accent), font)
    radius = random.choice((0, 0, 3, size // 2))
    for y in range(top + row + size, bottom - row, row + size // 2):
        x = left + size
        while x < right - 4 * size:
            wide = min(random.randint(3, 14) * size, right - x - size)
            shape = (x, y, x + wide, y + row - 4)
            kind = random.random()
            if kind < 0.3:
                pen.rounded_rectangle(shape, radius, fill=accent)
                _write(pen, (x + 6, y + size // 3, x + wide - 4, bottom), _word(random), _ink(random, accent), font)
            elif kind < 0.55:
                pen.rounded_rectangle(shape, radius, outline=ink)
                _write(pen, (x + 6, y + size // 3, x + wide - 4, bottom), _words(random, 2), ink, font)
            elif kind < 0.7:
                pen.ellipse((x, y, x + size, y + size), outline=ink, fill=accent if random.random() < 0.5 else None)
                _write(pen, (x + 2 * size, y, x + wide, bottom), _words(random, 2), ink, font)
            else:
                _write(pen, (x, y + size // 3, x + wide, bottom), _words(random, 3), ink, font)
            x += wide + size
        if random.random() < 0.2:
            pen.line((left, y - size // 4, right, y - size // 4), fill=accent)


def _chart(random: Random, page: Image.Image, box: Box) -> None:
    """Axes with ticks and labels; bars, lines or points in them."""
    pen, (left, top, right, bottom) = _pen(random, page), box
    ink, font = _ink(random, _under(page, box)), ImageFont.load_default(random.choice((8, 9, 10, 12)))
    x0, y0, x1, y1 = left + 28, top + 8, right - 8, bottom - 20
    if x1 - x0 < 24 or y1 - y0 < 24:
        return
    for tick in range(5):
        y = y1 - tick * (y1 - y0) // 5
        if random.random() < 0.6:
            pen.line((x0, y, x1, y), fill=(160, 160, 160))
        pen.text((left + 2, y - 6), str(random.randint(0, 999)), fill=ink, font=font)
    count, kind = random.randint(3, 24), random.choice(("bars", "lines", "points"))
    for _ in range(1 if kind == "bars" else random.randint(1, 4)):
        colour, values = _any_colour(random), _wander(random, count)
        points = [(x0 + (i + 0.5) * (x1 - x0) / count, y1 - value * (y1 - y0)) for i, value in enumerate(values)]
        if kind == "bars":
            half = (x1 - x0) / count * random.uniform(0.2, 0.48)
            for x, high in points:
                pen.rectangle((x - half, min(high, y1), x + half, y1), fill=colour, outline=random.choice((None, ink)))
        elif kind == "lines":
            pen.line(points, fill=colour, width=random.choice((1, 1, 2, 3)))
        else:
            for x, high in points:
                pen.ellipse((x - 2, high - 2, x + 2, high + 2), fill=colour)
    pen.line((x0, y0, x0, y1, x1, y1), fill=ink)


def _wander(random: Random, count: int) -> list[float]:
    """Values between 0 and 1, each near the one before."""
    value, values = random.random(), []
    for _ in range(count):
        value = min(1.0, max(0.02, value + random.uniform(-0.25, 0.25)))
        values.append(value)
    return values


def _line_art(random: Random, page: Image.Image, box: Box) -> None:
    """Strokes, curves, polygons and rings."""
    pen, (left, top, right, bottom) = _pen(random, page), box
    ink = _ink(random, _under(page, box))
    width, height = right - left, bottom - top
    for _ in range(random.randint(4, 40)):
        x, y = random.uniform(left, right), random.uniform(top, bottom)
        reach = random.uniform(0.05, 0.5) * min(width, height)
        colour = ink if random.random() < 0.7 else _any_colour(random)
        kind, thick = random.random(), random.choice((1, 1, 1, 2, 3))
        if kind < 0.4:
            turn = random.uniform(-0.3, 0.3)
            angle, points = random.uniform(0, 2 * math.pi), [(x, y)]
            for _ in range(24):
                angle += turn
                x, y = x + reach / 12 * math.cos(angle), y + reach / 12 * math.sin(angle)
                points.append((x, y))
            pen.line(points, fill=colour, width=thick)
        elif kind < 0.65:
            corners = [
                (x + reach * random.uniform(-1, 1), y + reach * random.uniform(-1, 1))
                for _ in range(random.randint(3, 6))
            ]
            pen.polygon(corners, outline=colour, fill=_any_colour(random) if random.random() < 0.3 else None)
        elif kind < 0.85:
            pen.ellipse((x - reach / 2, y - reach / 3, x + reach / 2, y + reach / 3), outline=colour, width=thick)
        else:
            pen.line((x, top, x, bottom) if random.random() < 0.5 else (left, y, right, y), fill=colour, width=thick)


def _dither(random: Random, page: Image.Image, box: Box) -> None:
    """A slope of grey in two inks, by error diffusion or an ordered pattern; or a fine pattern alone."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    row, column = np.mgrid[:height, :width].astype(np.float32)
    angle = random.uniform(0, 2 * math.pi)
    slope = (math.cos(angle) * column + math.sin(angle) * row) / random.uniform(60, 400)
    grey = 0.5 + 0.5 * np.sin(slope)  # [height, width]
    kind = random.random()
    if kind < 0.4:
        bits = np.asarray(Image.fromarray((255 * grey).astype(np.uint8)).convert("1"))
    elif kind < 0.8:
        bits = grey > _bayer(height, width)
    else:
        period = random.choice((1, 1, 2, 4))
        bits = ((column // period + (row // period) * random.choice((0, 1))) % 2).astype(bool)
    inks = np.array([_paper(random), _any_colour(random)], np.uint8)
    page.paste(Image.fromarray(inks[bits.astype(int)]), (left, top))


def _bayer(height: int, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Thresholds [height, width] of an ordered dither of 8 x 8."""
    pattern = np.zeros((1, 1))
    for _ in range(3):
        pattern = np.block([[4 * pattern, 4 * pattern + 2], [4 * pattern + 3, 4 * pattern + 1]])
    tiled = np.tile(pattern, (height // 8 + 1, width // 8 + 1))[:height, :width]
    return (tiled + 0.5) / 64


KINDS: tuple[Callable[[Random, Image.Image, Box], None], ...] = (
    _text,
    _text,
    _text,
    _interface,
    _interface,
    _chart,
    _line_art,
    _dither,
)
