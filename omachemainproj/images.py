"""Uploaded pictures: checked by content, encoded again, and stored under random names.

No byte of an upload is stored: it is decoded, turned upright, scaled and encoded as WebP, so
metadata (a phone's GPS position), trailing bytes and files of two formats stay out.
"""

from __future__ import annotations

import io
import secrets
import threading
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from django.core.files.base import ContentFile
from PIL import Image
from rest_framework import serializers

MAX_BYTES = 5 * 1024 * 1024
MAX_SIDE = 8000
MAX_PIXELS = 24_000_000
FORMATS = ("PNG", "JPEG", "WEBP")

#: The longest sides of the stored pictures, in pixels.
FULL_SIDE = 1600
THUMBNAIL_SIDE = 400


#: One picture at a time in a process: decoding the largest takes up to 400 MB.
_DECODE_LOCK = threading.Lock()

_TOO_MANY_BYTES = f"The picture is larger than {MAX_BYTES // 1024 // 1024} MB."
_TOO_MANY_PIXELS = (
    f"The picture has more than {MAX_SIDE} pixels a side or {MAX_PIXELS // 10**6} million."
)
_ORIENTATION_TAG = 0x0112
#: How to turn a picture upright, by what its camera says (EXIF's orientation).
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class BadPicture(ValueError):
    """The upload is not a picture that is accepted; the text is the reason, for its sender."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A normalised picture, ready to store: two WebP files that share a random name."""

    full: ContentFile[bytes]
    thumbnail: ContentFile[bytes]


class Keep(Enum):
    """The type of ``KEEP``, so that it is told from None and from a picture."""

    KEEP = "keep"


#: Given for a stored picture to leave it as it is, where None takes it away.
KEEP: Final = Keep.KEEP
#: What may become of a stored picture: replaced, taken away or kept.
PictureChange = Picture | Keep | None


def normalise(raw: bytes) -> Picture:
    """Return the picture upright, without metadata, at most 1600 px, with a 400 px thumbnail.

    Format, size and frames are read from the header before any pixel is decoded: 20 kB can
    claim 169 million of them. Raises BadPicture.
    """
    if len(raw) > MAX_BYTES:
        raise BadPicture(_TOO_MANY_BYTES)
    try:
        with _DECODE_LOCK, Image.open(io.BytesIO(raw), formats=FORMATS) as image:
            _check_header(image)
            return _encode(image)
    except BadPicture:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadPicture(_TOO_MANY_PIXELS) from None
    except Exception as error:
        # Decoders raise almost anything for a damaged file.
        raise BadPicture("This is not a PNG, JPEG or WebP picture, or it is damaged.") from error


def _check_header(image: Image.Image) -> None:
    width, height = image.size
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise BadPicture(_TOO_MANY_PIXELS)
    # A phone's JPEG may contain a second picture (depth, brightness) without being animated.
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise BadPicture("The picture moves. Send a still one.")


def _encode(image: Image.Image) -> Picture:
    turn = _TURNS.get(_orientation(image))
    # A JPEG is decoded straight to half its size or less.
    image.draft("RGB", (FULL_SIDE, FULL_SIDE))
    # Scaled down before it is turned or its colours are changed: those copy every pixel.
    small = _in_scalable_colours(image)
    small.thumbnail((FULL_SIDE, FULL_SIDE))
    if turn is not None:
        small = small.transpose(turn)
    small = small.convert("RGBA" if small.has_transparency_data else "RGB")
    name = secrets.token_hex(16)
    full = _write(small, f"{name}.webp")
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return Picture(full=full, thumbnail=_write(small, f"{name}.thumb.webp"))


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:
        # Cameras and editors write damaged EXIF into good pictures.
        return 1


def _in_scalable_colours(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # Grey of 16 bits; a plain conversion would turn all but the darkest to white.
        return image.point(lambda level: level / 257).convert("L")
    if image.mode in {"L", "RGB", "RGBA", "CMYK"} and "transparency" not in image.info:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _write(image: Image.Image, name: str) -> ContentFile[bytes]:
    # A new image: whatever Pillow carried along in `info` stays behind.
    clean = Image.new(image.mode, image.size)
    clean.paste(image)
    out = io.BytesIO()
    clean.save(out, "WEBP", quality=82, method=3)
    return ContentFile(out.getvalue(), name=name)


class PictureField(serializers.FileField):
    """An uploaded picture; its validated value is a ``Picture``, or None to remove it."""

    default_error_messages = {"bad": "{reason}"}

    def to_internal_value(self, data: Any) -> Any:
        upload = super().to_internal_value(data)
        if upload.size > MAX_BYTES:
            self.fail("bad", reason=_TOO_MANY_BYTES)
        try:
            return normalise(upload.read())
        except BadPicture as error:
            self.fail("bad", reason=str(error))
