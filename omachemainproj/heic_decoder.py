"""Decodes one HEIC picture, as a program of its own: ``python heic_decoder.py < in > out``.

libheif and its HEVC decoder read what strangers send, in C. Here a file that crashes them, or that
wants too much memory or time, ends this process and nothing else (omachemainproj.images runs it).
Nothing of the shop is imported.

It answers with one line, ``<mode> <width> <height> <bytes of the colour profile>``, then the
profile and the pixels, scaled down; or with ``pixels`` or ``moves`` where it refuses the picture.
Anything else it cannot read ends it with an error. The picture is upright: the file's own turns are
made by libheif, and EXIF's, which repeat them, are not looked at.
"""

from __future__ import annotations

import contextlib
import io
import sys
from typing import Any, BinaryIO, cast

from PIL import Image
from pillow_heif import HeifImageFile, open_heif, options

#: Address space and processor seconds. A picture of 51 megapixels takes 400 MB and a second.
MEMORY_LIMIT = 1024**3
CPU_LIMIT = 20
#: Rows that are scaled down at a time: Pillow's own copy of the whole would be as large again.
_BAND = 256
_SIMPLE = frozenset({"L", "RGB", "RGBA", "RGBa"})


def limit_resources() -> None:
    """Let the system end this process when it takes too much. Where there are no limits, none."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT, CPU_LIMIT))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answer(raw: bytes, out: BinaryIO, *, side: int, max_side: int, max_pixels: int) -> None:
    """Write the answer about a file. Raises whatever the libraries raise for a damaged one."""
    options.DECODE_THREADS = 1
    options.DEPTH_IMAGES = options.AUX_IMAGES = False
    heif = open_heif(raw)
    image: Any = heif[heif.primary_index]
    width, height = image.size
    if max(width, height) > max_side or width * height > max_pixels:
        out.write(b"pixels\n")
        return
    if heif.mimetype.endswith("-sequence"):
        out.write(b"moves\n")
        return
    small = _thumbnail(raw, image, side) or _scaled(image, side)
    small.thumbnail((side, side))
    small = small.convert("RGBA" if small.mode in {"RGBA", "RGBa", "LA"} else "RGB")
    profile: bytes = image.info.get("icc_profile") or b""
    out.write(f"{small.mode} {small.width} {small.height} {len(profile)}\n".encode())
    out.write(profile)
    out.write(small.tobytes())


def _thumbnail(raw: bytes, image: Any, side: int) -> Image.Image | None:
    """A smaller picture in the file that is as good as the whole, or None."""
    if not image.info["thumbnails"] or max(image.size) <= side:
        return None
    file = cast(Any, HeifImageFile)(io.BytesIO(raw))
    factor = side / max(image.size)
    wanted = (max(1, round(image.size[0] * factor)), max(1, round(image.size[1] * factor)))
    if file.draft(None, wanted) is None or max(file.size) >= max(image.size):
        return None
    small: Image.Image = file.convert("RGBA" if file.mode in {"RGBA", "RGBa"} else "RGB")
    return small


def _scaled(image: Any, side: int) -> Image.Image:
    """The picture divided by the whole number that leaves at least ``side``."""
    if image.mode not in _SIMPLE:
        whole: Image.Image = image.to_pillow()
        return _eight_bits(whole) if whole.mode.startswith("I") else whole
    data, stride = memoryview(image.data), image.stride
    width, height = image.size
    factor = max(1, max(width, height) // side)
    small = Image.new(image.mode, (-(-width // factor), -(-height // factor)))
    rows = max(1, _BAND // factor) * factor
    for top in range(0, height, rows):
        size = (width, min(rows, height - top))
        lines = data[top * stride : (top + size[1]) * stride]
        band = Image.frombytes(image.mode, size, lines, "raw", image.mode, stride)
        small.paste(band.reduce(factor), (0, top // factor))
    return small


def _eight_bits(image: Image.Image) -> Image.Image:
    return image.point(lambda level: level / 257).convert("L")


if __name__ == "__main__":
    limit_resources()
    _side, _max_side, _max_pixels = map(int, sys.argv[1:4])
    answer(
        sys.stdin.buffer.read(),
        sys.stdout.buffer,
        side=_side,
        max_side=_max_side,
        max_pixels=_max_pixels,
    )
