"""The tag files of a BagIt bag (RFC 8493), made from checksums that are already known.

Nothing is read or written here: whoever copies the payload writes these beside it. BagIt 1.0 and
0.97 differ in what a manifest encodes: 1.0 encodes `%`, CR and LF in a path, 0.97 only CR and LF.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

Version = Literal["0.97", "1.0"]
Algorithm = Literal["sha256", "sha512"]

_DIGEST_LENGTH: Mapping[str, int] = {"sha256": 64, "sha512": 128}
_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
_RESERVED = re.compile(
    r"bagit\.txt|bag-info\.txt|fetch\.txt|(tag)?manifest-[^/]*\.txt", re.IGNORECASE
)
_OURS = {"payload-oxum", "bagging-date"}
_LITERAL_ESCAPE = re.compile(r"%0[AD]", re.IGNORECASE)


class UnsafePathError(ValueError):
    """A path that some reader would not find again, or would follow out of the bag."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path!r} cannot be in a bag: {why}")
        self.path = path
        self.why = why


@dataclass(frozen=True, slots=True)
class ManifestLine:
    """One payload file: its path in the bag (`data/…`), size and checksums in lower-case hex."""

    path: str
    bytes: int
    sha256: str
    sha512: str | None = None


def tag_files(
    payload: Iterable[ManifestLine],
    info: Mapping[str, str | Sequence[str]],
    *,
    bagging_date: date,
    version: Version = "1.0",
    algorithms: Sequence[Algorithm] = ("sha256",),
    extra_tag_files: Mapping[str, bytes] | None = None,
) -> dict[str, bytes]:
    """Every file of the bag that is not payload, by path, in the order to write them.

    `info` goes into bag-info.txt as given (several values for one label allowed); Bagging-Date and
    Payload-Oxum are added here. Raises UnsafePathError for a path that is refused, and ValueError
    for what else cannot be said in a bag.
    """
    lines = sorted(payload, key=lambda line: line.path)
    extra = dict(extra_tag_files or {})
    _check(lines, extra, version, algorithms)
    files = dict(extra)
    files["bagit.txt"] = _lines(
        [f"BagIt-Version: {version}", "Tag-File-Character-Encoding: UTF-8"],
    )
    files["bag-info.txt"] = _bag_info(info, lines, bagging_date)
    for algorithm in algorithms:
        files[f"manifest-{algorithm}.txt"] = _lines(
            [f"{_digest(line, algorithm)}  {encoded(line.path, version)}" for line in lines]
        )
    described = sorted(files.items())
    for algorithm in algorithms:
        files[f"tagmanifest-{algorithm}.txt"] = _lines(
            [
                f"{hashlib.new(algorithm, content).hexdigest()}  {encoded(path, version)}"
                for path, content in described
            ]
        )
    return files


def encoded(path: str, version: Version) -> str:
    """`path` as a manifest of this version writes it."""
    if version == "1.0":
        path = path.replace("%", "%25")
    return path.replace("\r", "%0D").replace("\n", "%0A")


def check_path(path: str, version: Version = "1.0") -> None:
    """Raise UnsafePathError unless every reader finds `path` in a bag, and nothing outside it."""
    why = _why_unsafe(path)
    if why is None and version == "0.97" and _LITERAL_ESCAPE.search(path):
        why = "BagIt 0.97 cannot tell %0A or %0D in a name from a line break"
    if why is not None:
        raise UnsafePathError(path, why)


def _why_unsafe(path: str) -> str | None:
    segments = path.split("/")
    if path.startswith("/"):
        return "it is absolute"
    if path.startswith(("~", "*")):
        return "readers take its first character for a home folder or a mark"
    if any(segment in ("", ".", "..") for segment in segments):
        return "a part of it is empty, `.` or `..`"
    if "\\" in path:
        return "a backslash separates folders on some systems"
    if any(_is_control(character) for character in path):
        return "it has a control character other than CR and LF, or a lone surrogate"
    if path != path.rstrip():
        return "it ends in white space, which readers of manifests strip"
    return None


def _is_control(character: str) -> bool:
    return character not in "\r\n" and unicodedata.category(character) in ("Cc", "Cs")


def _check(
    lines: Sequence[ManifestLine],
    extra: Mapping[str, bytes],
    version: Version,
    algorithms: Sequence[Algorithm],
) -> None:
    if not algorithms:
        raise ValueError("a bag needs a manifest")
    for line in lines:
        check_path(line.path, version)
        if not line.path.startswith("data/"):
            raise UnsafePathError(line.path, "the payload is under data/")
        if line.bytes < 0:
            raise ValueError(f"{line.path}: a size below zero")
        for algorithm in algorithms:
            _digest(line, algorithm)
    for path in extra:
        check_path(path, version)
        if path == "data" or path.startswith("data/"):
            raise UnsafePathError(path, "tag files are not under data/")
        if _RESERVED.fullmatch(path):
            raise UnsafePathError(path, "the name is BagIt's own")
    _check_together([*(line.path for line in lines), *extra])


def _check_together(paths: Sequence[str]) -> None:
    """No two names that a file system may take for one, no file where another path has a folder."""
    names: dict[str, str] = {}
    for path in paths:
        name = unicodedata.normalize("NFC", path)
        if name in names:
            raise UnsafePathError(path, "it is there twice, perhaps in another Unicode form")
        names[name] = path
    for name, path in names.items():
        parts = name.split("/")
        above = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
        clash = next((names[folder] for folder in above if folder in names), None)
        if clash is not None:
            raise UnsafePathError(path, f"{clash!r} is both a file and a folder")


def _digest(line: ManifestLine, algorithm: Algorithm) -> str:
    digest = line.sha256 if algorithm == "sha256" else line.sha512
    if digest is None or not re.fullmatch(rf"[0-9a-f]{{{_DIGEST_LENGTH[algorithm]}}}", digest):
        raise ValueError(f"{line.path}: no {algorithm} in lower-case hexadecimal")
    return digest


def _bag_info(
    info: Mapping[str, str | Sequence[str]], lines: Sequence[ManifestLine], bagging_date: date
) -> bytes:
    said = []
    for label, values in info.items():
        if not _LABEL.fullmatch(label) or label.lower() in _OURS:
            raise ValueError(f"bag-info.txt cannot have the label {label!r} from outside")
        many = [values] if isinstance(values, str) else values
        said += [f"{label}: {' '.join(value.split())}" for value in many]
    octets = sum(line.bytes for line in lines)
    said.append(f"Bagging-Date: {bagging_date.isoformat()}")
    said.append(f"Payload-Oxum: {octets}.{len(lines)}")
    return _lines(said)


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
