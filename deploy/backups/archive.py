"""The file format: the dump, the pictures, and last a manifest with the checksum of each.

A tar, optionally encrypted with age (``.age``). A truncated file has no manifest; in a changed one
a checksum differs.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .errors import Damaged, Failed

FORMAT = 1
DUMP, MEDIA, MANIFEST = "database.dump", "media/", "manifest.json"
#: The beginning of an encrypted file. Source: age-encryption.org/v1
_AGE = b"age-encryption.org/"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of a file: when and from what it was taken, and every checksum (SHA-256).

    ``rows`` are counts by table, ``migrations`` the last one by app, ``files`` the pictures'
    checksums by path below MEDIA_ROOT. Times are ISO, in UTC.
    """

    taken_at: str
    version: str
    server: str
    migrations: dict[str, str]
    rows: dict[str, int]
    dump: str
    files: dict[str, str]

    def as_json(self) -> bytes:
        """The manifest as JSON."""
        content = {"format": FORMAT, **{name: getattr(self, name) for name in self.__slots__}}
        return json.dumps(content, indent=1, sort_keys=True).encode()

    @classmethod
    def read(cls, content: bytes) -> Manifest:
        """Parse a manifest. Raises Damaged."""
        try:
            found: dict[str, Any] = json.loads(content)
            if found.pop("format") != FORMAT:
                raise Damaged("This file was written by another version of deploy/backup.")
            return cls(**found)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Damaged(f"Its manifest cannot be read: {error!r}.") from error


class _ChecksumReader:
    """A file that is read once, with its checksum."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._sum = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        part = self._file.read(size)
        self._sum.update(part)
        return part

    @property
    def sha256(self) -> str:
        return self._sum.hexdigest()


def write(
    target: Path, *, dump: Path, media: Path, recipients: Sequence[str], **about: Any
) -> Manifest:
    """Write a complete file; returns its manifest. Raises Failed."""
    with _open_archive(target, recipients) as out, tarfile.open(fileobj=out, mode="w|") as tar:
        sums = {DUMP: _add(tar, dump, DUMP)}
        files = {}
        for name in _pictures(media):
            try:
                files[name] = _add(tar, media / name, MEDIA + name)
            except FileNotFoundError:
                # It was deleted after the dump, and is no longer shown.
                continue
        manifest = Manifest(dump=sums[DUMP], files=files, **about)
        content = manifest.as_json()
        info = tarfile.TarInfo(MANIFEST)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return manifest


def _add(tar: tarfile.TarFile, path: Path, name: str) -> str:
    with path.open("rb") as file:
        info = tarfile.TarInfo(name)
        info.size = os.fstat(file.fileno()).st_size
        reading = _ChecksumReader(file)
        tar.addfile(info, reading)
    return reading.sha256


def _pictures(media: Path) -> Iterator[str]:
    for folder, _, names in os.walk(media):
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(media).as_posix()


@contextmanager
def _open_archive(target: Path, recipients: Sequence[str]) -> Iterator[IO[bytes]]:
    with target.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        if not recipients:
            yield file
        else:
            keys = [part for each in recipients for part in ("-r", each)]
            with _age([*keys, "-"], stdin=subprocess.PIPE, stdout=file) as age:
                assert age.stdin is not None
                yield age.stdin
        file.flush()
        os.fsync(file.fileno())


def extract(source: Path, *, identity: Path | None, dump: Path, media: Path) -> Manifest:
    """Extract a dump and a folder of pictures. Raises Failed or Damaged."""
    media.mkdir(parents=True)
    sums: dict[str, str] = {}
    content = None
    with _source(source, identity) as opened:
        try:
            with tarfile.open(fileobj=opened, mode="r|") as tar:
                for member in tar:
                    if member.name == MANIFEST and (file := tar.extractfile(member)):
                        content = file.read()
                        continue
                    sums[member.name] = _put(tar, member, dump, media)
        except (tarfile.TarError, EOFError, OSError) as error:
            raise Damaged(f"{source} cannot be read to its end: {error}.") from error
    if content is None:
        raise Damaged(f"{source} is truncated: it has no manifest.")
    manifest = Manifest.read(content)
    expected = {DUMP: manifest.dump} | {
        MEDIA + name: sha256 for name, sha256 in manifest.files.items()
    }
    if sums != expected:
        wrong = sorted(
            name for name in sums.keys() | expected if sums.get(name) != expected.get(name)
        )
        raise Damaged(f"{source} is not what was backed up: {', '.join(wrong[:5])}.")
    return manifest


def _put(tar: tarfile.TarFile, member: tarfile.TarInfo, dump: Path, media: Path) -> str:
    file = tar.extractfile(member) if member.isfile() else None
    name = member.name.removeprefix(MEDIA)
    is_picture = member.name.startswith(MEDIA) and ".." not in Path(name).parts and name[0] != "/"
    if file is None or not (is_picture or member.name == DUMP):
        raise Damaged(f"It contains {member.name[:80]!r}, which deploy/backup does not write.")
    path = media / name if is_picture else dump
    path.parent.mkdir(parents=True, exist_ok=True)
    reading = _ChecksumReader(file)
    with path.open("wb") as out:
        shutil.copyfileobj(reading, out)
    return reading.sha256


@contextmanager
def _source(source: Path, identity: Path | None) -> Iterator[IO[bytes]]:
    try:
        # Unbuffered: age continues at the file's position.
        file = source.open("rb", buffering=0)
    except OSError as error:
        raise Failed(f"{source} cannot be opened: {error.strerror}.") from error
    with file:
        is_encrypted = file.read(len(_AGE)) == _AGE
        file.seek(0)
        if not is_encrypted:
            yield file
            return
        if identity is None:
            raise Failed(f"{source} is encrypted: name the key's file with --identity.")
        with _age(["-d", "-i", str(identity)], stdin=file, stdout=subprocess.PIPE) as age:
            assert age.stdout is not None
            yield age.stdout


@contextmanager
def _age(
    arguments: list[str], *, stdin: IO[bytes] | int, stdout: IO[bytes] | int
) -> Iterator[subprocess.Popen[bytes]]:
    """Run age until the block ends. Raises Failed with its error message."""
    program = shutil.which("age")
    if program is None:
        raise Failed("age is not installed: apt-get install age. Nothing was written.")
    running = subprocess.Popen(
        [program, *arguments], stdin=stdin, stdout=stdout, stderr=subprocess.PIPE
    )
    trouble: Exception | None = None
    try:
        yield running
    except Exception as error:
        trouble = error
    for pipe in (running.stdin, running.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError as error:
                trouble = trouble or error
    with running.stderr or io.BytesIO() as words:
        message = words.read().decode(errors="replace").strip()
    if running.wait() and message:
        # Its message is the reason for the broken pipe.
        raise Failed(f"age: {message.splitlines()[0]}") from trouble
    if trouble is not None:
        raise trouble
