"""Uploaded pictures: checked by content, encoded again, and stored under random names.

No byte of an upload is stored: it is decoded, turned upright, scaled, brought into sRGB and encoded
as WebP, so metadata (a phone's GPS position), trailing bytes and files of two formats stay out.
"""

from __future__ import annotations

import io
import math
import re
import secrets
import subprocess
import sys
import threading
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.core.files.base import ContentFile
from PIL import Image, ImageCms
from rest_framework import serializers

MAX_BYTES = 12 * 1024 * 1024
FORMATS = ("PNG", "JPEG", "WEBP")


class Size(NamedTuple):
    """The most pixels of a picture, a side and in all."""

    side: int
    pixels: int

    def fits(self, width: int, height: int) -> bool:
        """Whether a picture is no larger."""
        return max(width, height) <= self.side and width * height <= self.pixels


#: A JPEG is decoded at a part of its size and a HEIC picture in a process of its own: as phones
#: take them, 8192 × 6144 at most.
PHOTO = Size(side=12_000, pixels=51_000_000)
#: PNG, WebP and printers' JPEGs have no smaller decoding: every pixel is held at once.
WHOLE = Size(side=8_000, pixels=24_000_000)
#: Passes of a progressive JPEG; cameras and editors write about ten. Each costs as much time as the
#: picture is large, and may be a few bytes long.
MAX_SCANS = 100
#: Seconds that the decoding of a HEIC picture may take; a whole one takes one.
HEIC_SECONDS = 30

#: The longest sides of the stored pictures, in pixels.
FULL_SIDE = 1600
THUMBNAIL_SIDE = 400


#: One picture at a time in a process: decoding the largest takes up to 400 MB.
_DECODE_LOCK = threading.Lock()

_TOO_MANY_BYTES = f"The picture is larger than {MAX_BYTES // 1024 // 1024} MB."
_TOO_MANY_PIXELS = (
    f"The picture has more than {PHOTO.side} pixels a side or {PHOTO.pixels // 10**6} million."
)
_TOO_MANY_WHOLE = (
    f"The picture has more than {WHOLE.side} pixels a side or {WHOLE.pixels // 10**6} million."
    " Send a larger one as JPEG or HEIC."
)
_MOVES = "The picture moves. Send a still one."
_DAMAGED = "This is not a JPEG, PNG, WebP or HEIC picture, or it is damaged."
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
        with _DECODE_LOCK:
            if raw[4:8] == b"ftyp":
                return _encode(_decode_heic(raw))
            with Image.open(io.BytesIO(raw), formats=FORMATS) as image:
                _check_header(image)
                if image.format in {"JPEG", "MPO"}:
                    _check_scans(raw)
                return _encode(image)
    except BadPicture:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadPicture(_TOO_MANY_PIXELS) from None
    except Exception as error:
        # Decoders raise almost anything for a damaged file.
        raise BadPicture(_DAMAGED) from error


def _check_header(image: Image.Image) -> None:
    scalable = image.format in {"JPEG", "MPO"} and image.mode != "CMYK"
    if not (PHOTO if scalable else WHOLE).fits(*image.size):
        raise BadPicture(_TOO_MANY_PIXELS if scalable else _TOO_MANY_WHOLE)
    # A phone's JPEG may contain a second picture (depth, brightness) without being animated.
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise BadPicture(_MOVES)


#: In the coded pixels of a JPEG: what is neither a pixel's byte nor a restart.
_NEXT_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")


def _check_scans(raw: bytes) -> None:
    """Raise BadPicture for a JPEG of more passes than anything writes (see ``MAX_SCANS``)."""
    at, scans = 2, 0
    while (found := _NEXT_MARKER.search(raw, at)) and found[1] != b"\xd9":
        length = int.from_bytes(raw[found.end() : found.end() + 2], "big")
        at = found.end() + max(2, length)
        scans += found[1] == b"\xda"
        if scans > MAX_SCANS:
            raise BadPicture(_DAMAGED)


#: The program that decodes a HEIC picture.
_HEIC_DECODER = Path(__file__).with_name("heic_decoder.py")
_HEIC_ANSWER = re.compile(rb"(RGBA?) ([0-9]{1,4}) ([0-9]{1,4}) ([0-9]{1,8})\n")
_HEIC_REFUSALS = {b"pixels\n": _TOO_MANY_PIXELS, b"moves\n": _MOVES}


def _decode_heic(raw: bytes) -> Image.Image:
    """Decode a HEIC picture, scaled down and upright, in a process that may crash.

    Raises BadPicture, or whatever tells that the process failed.
    """
    limits = map(str, (FULL_SIDE, *PHOTO))
    # Without our environment: it is full of secrets.
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-I", str(_HEIC_DECODER), *limits],
        input=raw,
        capture_output=True,
        env={},
        timeout=HEIC_SECONDS,
        check=True,
    )
    if done.stdout in _HEIC_REFUSALS:
        raise BadPicture(_HEIC_REFUSALS[done.stdout])
    head = _HEIC_ANSWER.match(done.stdout)
    if head is None:
        raise BadPicture(_DAMAGED)
    profile_end = head.end() + int(head[4])
    size = (int(head[2]), int(head[3]))
    image = Image.frombytes(head[1].decode(), size, done.stdout[profile_end:])
    image.info["icc_profile"] = done.stdout[head.end() : profile_end]
    return image


def _encode(image: Image.Image) -> Picture:
    turn = _TURNS.get(_orientation(image))
    profile = image.info.get("icc_profile")
    # A JPEG is decoded straight to half its size or less.
    image.draft("RGB", _full_size(*image.size))
    # Scaled down before it is turned or its colours are changed: those copy every pixel.
    small = _in_scalable_colours(image)
    small.thumbnail((FULL_SIDE, FULL_SIDE))
    if turn is not None:
        small = small.transpose(turn)
    small = small.convert("RGBA" if small.has_transparency_data else "RGB")
    small = _in_srgb(small, profile)
    name = secrets.token_hex(16)
    full = _write(small, f"{name}.webp")
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return Picture(full=full, thumbnail=_write(small, f"{name}.thumb.webp"))


def _full_size(width: int, height: int) -> tuple[int, int]:
    """The size at which the longer side is as long as is stored."""
    factor = FULL_SIDE / max(width, height)
    return math.ceil(width * factor), math.ceil(height * factor)


def _in_srgb(image: Image.Image, profile: Any) -> Image.Image:
    """The picture in the colours that a browser takes for granted; its own profile is dropped.

    A phone's Display P3 would look pale without. A profile that cannot be read changes nothing.
    """
    if not profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != "RGB":
            return image
        target = ImageCms.createProfile("sRGB")
        found = ImageCms.profileToProfile(image, source, target, outputMode=image.mode)
        return found or image
    except Exception:
        # Editors write damaged profiles into good pictures.
        return image


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
