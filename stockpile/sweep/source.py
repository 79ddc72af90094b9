"""What a shard was made with: versions, and the digest of the code that works out numbers."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from stockpile.provenance import version

WITHOUT = ("analysis", "cli", "report")
"""Rooms that only show what others worked out."""
PACKAGES = ("numpy", "scipy", "pyarrow")
"""Packages that numbers or bytes come from."""


@cache
def made_with() -> dict[str, str]:
    """Return version and digest of the code, and the versions of what it stands on."""
    from importlib.metadata import version as installed

    return {"stockpile": version(), "source": source_digest(), **{name: installed(name) for name in PACKAGES}}


@cache
def source_digest() -> str:
    """Return the SHA-256 of every module that can move a number."""
    folder = Path(__file__).resolve().parent.parent
    found = hashlib.sha256()
    for file in sorted(folder.rglob("*.py"), key=lambda file: file.relative_to(folder).as_posix()):
        parts = file.relative_to(folder).parts
        if parts[0] not in WITHOUT:
            found.update("/".join(parts).encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()
