"""What a PDF written here says, read from its uncompressed pages without the program that wrote it.

Only for such PDFs: text strings as `(…) Tj`, pictures as image objects.
"""

from __future__ import annotations

import re

_SHOWN = re.compile(rb"\(((?:[^()\\]|\\.)*)\)\s*Tj", re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)


def text(content: bytes) -> str:
    """Every string shown on a page, one a line."""
    return "\n".join(_plain(match[1]) for match in _SHOWN.finditer(content))


def pictures(content: bytes) -> list[tuple[int, int]]:
    """Width and height of each picture."""
    found = []
    for match in re.finditer(rb"<<(?:(?!>>).)*/Subtype /Image(?:(?!>>).)*>>", content, re.DOTALL):
        width = re.search(rb"/Width (\d+)", match[0])
        height = re.search(rb"/Height (\d+)", match[0])
        assert width
        assert height
        found.append((int(width[1]), int(height[1])))
    return found


def _plain(raw: bytes) -> str:
    def one(match: re.Match[bytes]) -> bytes:
        code = match[1]
        return bytes([int(code, 8)]) if code[:1].isdigit() else code

    return _ESCAPE.sub(one, raw).decode("cp1252", errors="replace")
