"""Pictures for the demo shop, each drawn from a few shapes.

A shape is written as its kind, its coordinates on a board of 100 by 100, and its shade: ``r`` a
rectangle with round corners (left, top, right, bottom, radius), ``e`` an ellipse (left, top, right,
bottom), ``p`` a polygon, ``l`` a line (points, then its width), ``a`` an arc (its ellipse, start
and end in degrees, then its width).
"""

from __future__ import annotations

import io
import textwrap
from functools import cache

from PIL import Image, ImageDraw, ImageFont

_SIDE = 640
#: Drawn this many times larger and scaled down, for smooth edges.
_FINE = 2

#: The two ends of each category's background.
_COLOURS = {
    "electronics": ("#0f4c81", "#4fa3d1"),
    "furniture": ("#6b4226", "#c98b4e"),
    "fashions": ("#8e2464", "#ef7aa0"),
    "computing": ("#243b55", "#5f86b3"),
    "gaming": ("#3b1f6b", "#9a63d9"),
    "kitchen": ("#a63a1e", "#f2a24a"),
    "phones": ("#0b6b5d", "#4cc3a5"),
    "sports": ("#1f6b2c", "#8fcb4e"),
}
_SHADES = {"w": "#ffffff", "l": "#dfe7ee", "m": "#aebbc8", "d": "#22303d", "y": "#ffd166"}

_ICONS = {
    "tv": "r 6 16 94 72 5 d;r 11 21 89 67 2 l;p 11 67 50 21 11 21 w;r 44 72 56 80 0 d;"
    "r 28 80 72 85 2 d",
    "speaker": "r 6 30 28 84 4 d;e 10 52 24 66 m;r 72 30 94 84 4 d;e 76 52 90 66 m;"
    "r 32 14 68 86 5 w;e 37 44 63 70 d;e 44 51 56 63 m;e 44 22 56 34 d",
    "radio": "l 30 34 70 8 3 l;r 8 32 92 80 7 w;e 16 42 46 72 d;e 24 50 38 64 m;"
    "r 54 42 84 54 2 y;e 56 60 66 70 d;e 72 60 82 70 d",
    "bulb": "e 26 8 74 56 y;p 34 48 66 48 60 66 40 66 y;r 39 66 61 74 2 m;r 41 76 59 83 3 d;"
    "l 12 30 4 27 3 w;l 88 30 96 27 3 w;l 50 4 50 0 3 w",
    "fan": "e 18 4 82 68 w;e 22 8 78 64 d;e 44 10 62 34 l;e 44 38 62 62 l;e 26 26 48 46 l;"
    "e 52 26 74 46 l;e 44 30 56 42 y;r 48 68 52 88 0 w;r 32 88 68 94 3 w",
    "iron": "p 8 76 30 44 80 44 92 76 w;r 6 76 94 84 3 d;a 34 18 82 62 180 360 8 w;"
    "e 60 54 70 64 y",
    "plug": "r 6 40 94 66 8 w;e 12 46 26 60 d;e 32 46 46 60 d;e 52 46 66 60 d;r 74 46 86 60 3 y;"
    "l 94 53 99 53 4 d",
    "sofa": "r 14 26 86 60 9 l;r 18 46 49 66 5 w;r 51 46 82 66 5 w;r 4 40 18 76 6 l;"
    "r 82 40 96 76 6 l;r 14 64 86 76 3 m;r 12 76 18 84 1 d;r 82 76 88 84 1 d",
    "table": "p 14 40 86 40 96 52 4 52 w;r 4 52 96 57 0 m;r 12 57 18 86 1 l;r 82 57 88 86 1 l;"
    "r 18 70 82 74 0 m",
    "bed": "r 8 20 92 58 6 m;r 16 40 46 54 5 w;r 54 40 84 54 5 w;r 6 52 94 76 5 l;"
    "r 6 66 94 78 3 y;r 10 78 16 86 1 d;r 84 78 90 86 1 d",
    "wardrobe": "r 14 6 86 90 3 l;r 17 10 38 86 1 w;r 40 10 60 86 1 m;r 62 10 83 86 1 w;"
    "e 34 46 37 52 d;e 63 46 66 52 d;p 42 40 58 14 58 22 42 50 l",
    "chair": "r 30 4 70 46 9 w;r 46 46 54 54 0 m;r 24 52 76 64 6 w;r 47 64 53 80 0 m;"
    "l 50 80 26 90 4 d;l 50 80 74 90 4 d;l 50 80 50 92 4 d;l 20 42 20 56 5 m;l 80 42 80 56 5 m",
    "shelf": "r 14 6 86 94 2 l;r 18 10 82 26 0 d;r 18 30 82 47 0 d;r 18 51 82 68 0 d;"
    "r 18 72 82 90 0 d;r 22 14 30 26 0 y;r 32 12 38 26 0 w;r 50 34 58 47 0 w;r 60 36 66 47 0 y;"
    "r 26 56 40 68 0 m;r 66 76 72 90 0 w",
    "dress": "p 38 8 44 18 56 18 62 8 66 34 60 42 82 92 18 92 40 42 34 34 w;"
    "p 40 42 60 42 64 50 36 50 y;l 34 70 66 70 3 y;l 28 80 72 80 3 m",
    "shirt": "p 34 12 66 12 96 32 84 50 74 43 74 90 26 90 26 43 16 50 4 32 w;"
    "p 42 12 58 12 50 24 d;l 50 26 50 88 2 m;e 48 40 52 44 d;e 48 56 52 60 d;e 48 72 52 76 d",
    "shoe": "p 10 30 40 30 58 52 90 60 94 74 8 74 w;r 6 72 96 80 4 d;l 40 40 48 34 3 y;"
    "l 46 47 55 41 3 y;l 53 53 62 47 3 y;e 14 36 26 48 l",
    "bag": "a 30 6 70 60 180 360 5 d;p 14 38 86 38 94 88 6 88 w;l 11 54 89 54 4 y;"
    "l 9 68 91 68 4 m;l 7 80 93 80 4 y",
    "watch": "r 38 2 62 98 5 m;e 22 22 78 78 w;e 28 28 72 72 d;l 50 50 50 34 3 w;l 50 50 62 56 3 y",
    "laptop": "r 18 18 82 64 4 d;r 22 22 78 60 1 l;p 22 60 56 22 22 22 w;p 6 66 94 66 98 78 2 78 w;"
    "r 40 68 60 73 1 m",
    "monitor": "r 6 12 94 70 4 d;r 10 16 90 66 1 l;p 10 66 50 16 10 16 w;r 45 70 55 82 0 m;"
    "r 30 82 70 88 3 w",
    "keyboard": "r 4 36 96 74 6 w;r 10 42 90 48 1 m;r 10 52 90 58 1 m;r 10 62 26 68 1 m;"
    "r 30 62 70 68 1 y;r 74 62 90 68 1 m",
    "printer": "r 28 8 72 40 2 l;r 8 34 92 74 7 w;r 24 58 76 90 2 l;l 32 68 68 68 3 m;"
    "l 32 77 58 77 3 m;e 78 42 86 50 y",
    "router": "l 24 56 18 12 4 w;l 50 56 50 8 4 w;l 76 56 82 12 4 w;r 8 54 92 80 7 w;"
    "e 18 63 26 71 y;e 32 63 40 71 y;e 46 63 54 71 m;r 64 64 84 70 2 m",
    "drive": "r 18 22 82 84 9 w;r 26 30 74 60 4 d;e 44 39 56 51 m;r 42 84 58 94 1 m;"
    "e 68 68 74 74 y",
    "console": "r 38 6 62 88 9 w;p 34 14 40 6 40 88 30 94 l;p 66 14 60 6 60 88 70 94 l;"
    "r 44 12 56 82 4 d;l 50 20 50 40 2 y",
    "pad": "e 4 34 44 86 w;e 56 34 96 86 w;r 18 28 82 68 14 w;r 24 42 40 47 1 d;r 29 37 35 53 1 d;"
    "e 62 44 68 50 d;e 72 44 78 50 y;e 67 38 73 44 d;e 67 50 73 56 d;e 40 54 48 62 m;"
    "e 52 54 60 62 m",
    "headset": "a 16 10 84 90 180 360 8 w;r 10 46 30 82 9 w;r 70 46 90 82 9 w;r 14 52 24 76 5 d;"
    "r 76 52 86 76 5 d;a 50 60 86 96 0 90 4 d;e 60 90 70 98 y",
    "disc": "r 12 6 88 94 4 d;r 18 12 82 88 2 l;e 28 28 72 72 w;e 44 44 56 56 d;r 18 12 82 22 0 y",
    "kettle": "a 22 4 78 52 180 360 7 d;p 28 28 72 28 82 84 18 84 w;p 24 44 4 32 10 52 22 60 l;"
    "e 45 20 55 30 d;r 14 84 86 92 3 d;l 30 70 70 70 3 m",
    "blender": "r 40 4 60 12 2 d;p 26 12 74 12 68 62 32 62 w;p 29 30 71 30 68 60 32 60 y;"
    "a 64 16 90 52 270 90 5 l;p 30 62 70 62 78 92 22 92 d;e 44 70 56 82 m",
    "pot": "e 43 14 57 26 d;p 16 36 50 22 84 36 l;r 12 36 88 42 2 d;r 16 42 84 86 9 w;"
    "a 2 44 24 66 90 270 5 l;a 76 44 98 66 270 90 5 l;l 24 60 76 60 3 m",
    "fridge": "r 24 4 76 92 6 w;l 24 36 76 36 2 m;r 30 14 34 28 2 d;r 30 44 34 70 2 d;"
    "r 28 92 36 97 1 d;r 64 92 72 97 1 d;r 58 12 70 18 2 y",
    "oven": "r 4 22 96 80 5 w;r 10 30 68 72 3 d;p 10 72 40 30 10 30 m;r 74 30 90 40 1 y;"
    "e 76 46 88 58 m;e 76 61 88 73 m",
    "jiko": "e 14 16 86 36 d;e 22 18 78 33 y;p 14 28 86 28 68 62 32 62 w;"
    "p 34 62 66 62 80 88 20 88 l;"
    "r 42 68 58 82 2 d;l 10 36 90 36 3 m",
    "thermos": "r 34 4 66 20 5 y;r 38 20 62 28 0 d;r 30 28 70 94 8 w;r 30 46 70 56 0 m;"
    "a 58 38 90 78 270 90 6 l",
    "plates": "e 4 16 72 84 l;e 14 26 62 74 w;e 40 34 98 92 w;e 50 44 88 82 l;e 58 52 80 74 y",
    "phone": "r 28 4 72 96 8 d;r 31 10 69 90 3 l;p 31 90 62 10 31 10 w;e 47 5 53 9 m;"
    "r 42 84 58 87 1 m",
    "charger": "r 40 4 45 22 1 m;r 55 4 60 22 1 m;r 28 20 72 66 9 w;"
    "p 54 28 42 45 49 45 46 58 58 41 51 41 y;"
    "r 44 66 56 71 1 d;l 50 71 50 84 4 d;a 50 74 78 94 30 180 4 d",
    "tablet": "r 14 10 86 90 6 d;r 19 16 81 84 2 l;p 19 84 62 16 19 16 w",
    "earphones": "r 20 52 80 92 14 w;l 22 66 78 66 2 m;e 26 8 46 34 w;r 32 24 40 52 3 w;"
    "e 54 8 74 34 w;r 60 24 68 52 3 w;e 47 74 53 80 y",
    "powerbank": "r 26 8 74 92 9 w;e 36 18 42 24 y;e 46 18 52 24 y;e 56 18 62 24 m;"
    "r 40 84 60 89 1 d;"
    "p 54 36 40 58 49 58 45 76 61 52 51 52 d",
    "ball": "e 8 8 92 92 w;p 50 36 64 46 59 62 41 62 36 46 d;p 40 10 60 10 50 20 d;"
    "p 91 44 90 62 80 52 d;p 9 44 10 62 20 52 d;p 26 82 40 91 38 78 d;p 74 82 60 91 62 78 d;"
    "l 50 36 50 20 2 d;l 64 46 80 52 2 d;l 36 46 20 52 2 d;l 41 62 38 78 2 d;l 59 62 62 78 2 d",
    "dumbbell": "r 20 46 80 54 2 m;r 4 34 12 66 3 w;r 13 26 28 74 4 w;r 72 26 87 74 4 w;"
    "r 88 34 96 66 3 w",
    "bicycle": "a 2 44 44 86 0 360 4 w;a 56 44 98 86 0 360 4 w;l 23 65 38 36 4 y;l 23 65 50 65 4 y;"
    "l 38 36 50 65 4 y;l 38 36 70 36 4 y;l 50 65 70 36 4 y;l 77 65 68 26 4 y;l 68 26 80 22 4 d;"
    "l 30 32 44 32 5 d",
    "racket": "a 22 4 70 60 0 360 5 w;l 34 10 34 54 1 l;l 46 6 46 58 1 l;l 58 10 58 54 1 l;"
    "l 24 22 68 22 1 l;l 23 34 69 34 1 l;l 26 46 66 46 1 l;l 46 60 46 94 5 y;"
    "p 76 62 92 66 82 82 w;e 76 78 86 88 d",
    "mat": "r 4 62 80 80 4 l;e 56 30 96 80 w;e 64 40 88 70 m;e 71 49 81 61 w;r 72 30 76 80 0 y",
}  # fmt: skip


def draw(icon: str, name: str, category: str) -> bytes:
    """A PNG of 640 by 640 with the icon and the name on the category's colours. Deterministic."""
    board = _background(category).copy()
    pen = ImageDraw.Draw(board)
    for shape in _ICONS[icon].split(";"):
        _draw_shape(pen, shape)
    picture = board.reduce(_FINE)
    _write(ImageDraw.Draw(picture), name)
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()


@cache
def _background(category: str) -> Image.Image:
    side = _SIDE * _FINE
    ramp = Image.linear_gradient("L").resize((side, side))
    dark, light = (Image.new("RGB", (side, side), colour) for colour in _COLOURS[category])
    board = Image.composite(dark, light, ramp)
    glow = Image.new("L", (side, side))
    ImageDraw.Draw(glow).ellipse([side * 0.14, side * 0.06, side * 0.86, side * 0.78], fill=38)
    board.paste("#ffffff", mask=glow)
    return board


def _place(numbers: list[float]) -> list[float]:
    """Convert board coordinates to pixels in the middle of the picture."""
    scale = _SIDE * _FINE * 0.0048
    left, top = _SIDE * _FINE * 0.26, _SIDE * _FINE * 0.18
    return [number * scale + (top if at % 2 else left) for at, number in enumerate(numbers)]


def _draw_shape(pen: ImageDraw.ImageDraw, shape: str) -> None:
    kind, *rest, shade = shape.split()
    colour, numbers = _SHADES[shade], [float(number) for number in rest]
    thin = _SIDE * _FINE * 0.0048
    if kind == "r":
        pen.rounded_rectangle(_place(numbers[:4]), radius=numbers[4] * thin, fill=colour)
    elif kind == "e":
        pen.ellipse(_place(numbers), fill=colour)
    elif kind == "p":
        pen.polygon(_place(numbers), fill=colour)
    elif kind == "l":
        pen.line(_place(numbers[:-1]), fill=colour, width=round(numbers[-1] * thin))
    else:
        start, end, width = numbers[4:]
        pen.arc(_place(numbers[:4]), start, end, fill=colour, width=round(width * thin))


def _write(pen: ImageDraw.ImageDraw, name: str) -> None:
    # Two lines of about the same length, rather than a full one and a "TV".
    lines = textwrap.wrap(name, 24 if len(name) <= 24 else len(name) // 2 + 4)[:2]
    font = ImageFont.load_default(38)
    top = _SIDE * 0.87 - 24 * len(lines)
    for number, line in enumerate(lines):
        place = (_SIDE / 2, top + 48 * number)
        pen.text(place, line, font=font, fill="#ffffff", anchor="ma")
