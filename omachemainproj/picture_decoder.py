"""A program that re-encodes one uploaded picture: ``picture_decoder.py [gallery] < in > out``.

Decoders are C code that reads strangers' input. Here a file that crashes them, or needs too much
memory or time, ends only this process (``omachemainproj.images`` runs it, outside the threads that
answer requests). It imports nothing from the shop.

It writes one line, ``pictures`` and the length of each file in bytes, then the files: the picture
and its thumbnail, and with ``gallery`` also the medium size (0 bytes if it would be no smaller) and
the preview. If the picture is refused, it writes the name of a ``PictureRefusal`` instead. On any
other input that it cannot read it exits with an error.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import re
import sys
from enum import StrEnum
from typing import Any, NamedTuple, cast

from PIL import Image, ImageCms

FORMATS = ("PNG", "JPEG", "WEBP")


class Size(NamedTuple):
    """The largest allowed size of a picture: pixels per side, and in total."""

    side: int
    pixels: int

    def fits(self, width: int, height: int) -> bool:
        """Whether a picture is within these limits."""
        return max(width, height) <= self.side and width * height <= self.pixels


#: A JPEG is decoded at reduced size and a HEIC picture in bands, so phones' photos fit, which have
#: at most 8192 × 6144 pixels.
PHOTO = Size(side=12_000, pixels=51_000_000)
#: PNG, WebP and CMYK JPEGs cannot be decoded at reduced size: every pixel is in memory.
WHOLE = Size(side=8_000, pixels=24_000_000)
#: Scans of a progressive JPEG; cameras and editors write about ten. A scan of a few bytes takes as
#: long to decode as the whole picture.
MAX_SCANS = 100
#: Pixels times scans: ten scans of the largest photo, and some more.
MAX_WORK = 12 * PHOTO.pixels

#: The longest sides of the stored pictures, in pixels.
FULL_SIDE = 1600
MEDIUM_SIDE = 800
THUMBNAIL_SIDE = 400
#: Of the JPEG that chat apps show for a link; they accept no WebP, and no file of 300 kB.
PREVIEW_SIDE = 600

#: Address space in bytes, and CPU seconds. A picture of 51 megapixels takes 400 MB and a second, or
#: five seconds with ten scans.
MEMORY_LIMIT = 1024**3
CPU_LIMIT = 8

_ORIENTATION_TAG = 0x0112
#: How to turn a picture upright, by its EXIF orientation.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
#: Rows scaled down at a time: a copy of the whole picture would double the memory.
_BAND = 256
_SIMPLE = frozenset({"L", "RGB", "RGBA", "RGBa"})


class PictureRefusal(StrEnum):
    """Why a valid picture is refused."""

    PHOTO_TOO_LARGE = "photo_too_large"
    TOO_LARGE = "too_large"
    MOVES = "moves"


class Refused(ValueError):
    """The picture is refused; its argument is a ``PictureRefusal``."""

    def __init__(self, reason: PictureRefusal) -> None:
        self.reason = reason
        super().__init__(reason)


class TooManyScans(ValueError):
    """A JPEG with more scans than any program writes."""


def redraw(raw: bytes) -> tuple[bytes, bytes]:
    """Return the picture and its thumbnail as WebP, upright, in sRGB, without metadata.

    At most ``FULL_SIDE`` and ``THUMBNAIL_SIDE`` pixels. Format, size, frames and scans are checked
    before any pixel is decoded. Raises Refused, or the libraries' errors for a damaged file.
    """
    picture = _read(raw)
    return _write(picture), _write(_at_most(picture, THUMBNAIL_SIDE))


def redraw_gallery(raw: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """As ``redraw``, with a WebP of ``MEDIUM_SIDE`` and a JPEG of ``PREVIEW_SIDE`` pixels.

    Nothing is enlarged. The medium file is empty if the picture is no larger than that.
    """
    picture = _read(raw)
    medium = _write(_at_most(picture, MEDIUM_SIDE)) if max(picture.size) > MEDIUM_SIDE else b""
    thumbnail = _write(_at_most(picture, THUMBNAIL_SIDE))
    return _write(picture), thumbnail, medium, _write_jpeg(_at_most(picture, PREVIEW_SIDE))


def _read(raw: bytes) -> Image.Image:
    """The decoded picture at the largest size that is stored."""
    if raw[4:8] == b"ftyp":
        return _in_stored_colours(_read_heic(raw))
    try:
        with Image.open(io.BytesIO(raw), formats=FORMATS) as image:
            _check_header(image)
            if image.format in {"JPEG", "MPO"}:
                _check_scans(raw, image.width * image.height)
            return _in_stored_colours(_scaled_upright(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused(PictureRefusal.PHOTO_TOO_LARGE) from None


def _check_header(image: Image.Image) -> None:
    scalable = image.format in {"JPEG", "MPO"} and image.mode != "CMYK"
    if not (PHOTO if scalable else WHOLE).fits(*image.size):
        raise Refused(PictureRefusal.PHOTO_TOO_LARGE if scalable else PictureRefusal.TOO_LARGE)
    # A phone's JPEG may contain a second picture (depth, brightness) without being animated.
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise Refused(PictureRefusal.MOVES)


#: The next marker in a JPEG's coded data that is neither an escaped byte nor a restart marker.
_NEXT_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")


def _check_scans(raw: bytes, pixels: int) -> None:
    """Raise TooManyScans for more scans than any picture has, or than one of this size may have."""
    most = min(MAX_SCANS, MAX_WORK // pixels)
    at, scans = 2, 0
    while (marker := _NEXT_MARKER.search(raw, at)) and marker[1] != b"\xd9":
        length = int.from_bytes(raw[marker.end() : marker.end() + 2], "big")
        at = marker.end() + max(2, length)
        scans += marker[1] == b"\xda"
        if scans > most:
            raise TooManyScans


def _scaled_upright(image: Image.Image) -> Image.Image:
    turn = _TURNS.get(_orientation(image))
    profile = image.info.get("icc_profile")
    # A JPEG is decoded straight to half its size or less.
    image.draft("RGB", _full_size(*image.size))
    # Scaled down before it is turned or its colours are changed: those copy every pixel.
    small = _in_scalable_colours(image)
    small.thumbnail((FULL_SIDE, FULL_SIDE))
    if turn is not None:
        small = small.transpose(turn)
    small.info["icc_profile"] = profile
    return small


def _full_size(width: int, height: int) -> tuple[int, int]:
    """The size with the longer side scaled to ``FULL_SIDE``."""
    factor = FULL_SIDE / max(width, height)
    return math.ceil(width * factor), math.ceil(height * factor)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:
        # Cameras and editors write damaged EXIF into good pictures.
        return 1


def _in_scalable_colours(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # 16-bit grey; a plain conversion would turn all but the darkest pixels white.
        return _eight_bits(image)
    if image.mode in {"L", "RGB", "RGBA", "CMYK"} and "transparency" not in image.info:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    return image.point(lambda level: level / 257).convert("L")


def _read_heic(raw: bytes) -> Image.Image:
    """A HEIC picture, scaled down and upright.

    libheif applies the file's own rotation; EXIF's orientation repeats it and is ignored.
    """
    # Importing it takes a fifth of this program's start, and few pictures need it.
    from pillow_heif import open_heif, options  # noqa: PLC0415

    options.DECODE_THREADS = 1
    options.DEPTH_IMAGES = options.AUX_IMAGES = False
    heif = open_heif(raw)
    image: Any = heif[heif.primary_index]
    if not PHOTO.fits(*image.size):
        raise Refused(PictureRefusal.PHOTO_TOO_LARGE)
    if heif.mimetype.endswith("-sequence"):
        raise Refused(PictureRefusal.MOVES)
    small = thumbnail_inside(raw, image, FULL_SIDE) or _in_bands(image, FULL_SIDE)
    small.thumbnail((FULL_SIDE, FULL_SIDE))
    small = small.convert("RGBA" if small.mode in {"RGBA", "RGBa", "LA"} else "RGB")
    small.info["icc_profile"] = image.info.get("icc_profile")
    return small


def thumbnail_inside(raw: bytes, image: Any, side: int) -> Image.Image | None:
    """An embedded thumbnail of the HEIC file that is large enough for ``side``, or None."""
    if not image.info["thumbnails"] or max(image.size) <= side:
        return None
    from pillow_heif import HeifImageFile  # noqa: PLC0415

    file = cast(Any, HeifImageFile)(io.BytesIO(raw))
    factor = side / max(image.size)
    wanted = (max(1, round(image.size[0] * factor)), max(1, round(image.size[1] * factor)))
    if file.draft(None, wanted) is None or max(file.size) >= max(image.size):
        return None
    small: Image.Image = file.convert("RGBA" if file.mode in {"RGBA", "RGBa"} else "RGB")
    return small


def _in_bands(image: Any, side: int) -> Image.Image:
    """The picture reduced by the largest whole factor that leaves at least ``side`` pixels."""
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


def _in_stored_colours(small: Image.Image) -> Image.Image:
    profile = small.info.get("icc_profile")
    small = small.convert("RGBA" if small.has_transparency_data else "RGB")
    return _in_srgb(small, profile)


def _at_most(image: Image.Image, side: int) -> Image.Image:
    smaller = image.copy()
    smaller.thumbnail((side, side))
    return smaller


def _in_srgb(image: Image.Image, profile: Any) -> Image.Image:
    """The picture converted to sRGB, which browsers assume; its own profile is dropped.

    A phone's Display P3 would look pale otherwise. An unreadable profile changes nothing.
    """
    if not profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != "RGB":
            return image
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, target, outputMode=image.mode)
        return converted or image
    except Exception:
        # Editors write damaged profiles into good pictures.
        return image


def _write(image: Image.Image) -> bytes:
    # A new image, without the metadata in Pillow's `info`.
    clean = Image.new(image.mode, image.size)
    clean.paste(image)
    out = io.BytesIO()
    clean.save(out, "WEBP", quality=82, method=3)
    return out.getvalue()


def _write_jpeg(image: Image.Image) -> bytes:
    # On white, as shops show goods: JPEG has no transparency.
    clean = Image.new("RGB", image.size, "white")
    clean.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=80, optimize=True)
    return out.getvalue()


def limit_resources() -> None:
    """Limit memory and CPU time, and run at a lower priority than requests.

    Does nothing on systems without such limits.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT, CPU_LIMIT))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(AttributeError, OSError):
        os.nice(10)


def answer(raw: bytes, *, gallery: bool = False) -> bytes:
    """The program's output for a file."""
    try:
        files = redraw_gallery(raw) if gallery else redraw(raw)
    except Refused as refused:
        return f"{refused.reason}\n".encode()
    lengths = " ".join(str(len(file)) for file in files)
    return f"pictures {lengths}\n".encode() + b"".join(files)


if __name__ == "__main__":
    limit_resources()
    raw_picture = sys.stdin.buffer.read()
    sys.stdout.buffer.write(answer(raw_picture, gallery=sys.argv[1:] == ["gallery"]))
