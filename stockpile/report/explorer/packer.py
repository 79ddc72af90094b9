"""Arrays and plain data as one text, as small as it gets, for the live page to unpack."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockpile.clock import Array


class Packer:
    """Puts arrays one behind another; what stands for one in the plain data says where it is."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def numbers(self, values: Array) -> dict[str, int]:
        """Take in float64 numbers, their bytes plane by plane, which deflates better."""
        planes = np.ascontiguousarray(values, dtype="<f8").view(np.uint8).reshape(-1, 8).T
        return self._take("numbers", len(values), planes)

    def words(self, values: Sequence[int]) -> dict[str, int]:
        """Take in whole numbers below 65,536: as differences from the one before, plane by plane."""
        found = np.array(values, dtype=np.int64)
        assert found.size == 0 or (found.min() >= 0 and found.max() < 1 << 16)
        planes = (np.diff(found, prepend=0) & 0xFFFF).astype("<u2").view(np.uint8).reshape(-1, 2).T
        return self._take("words", len(values), planes)

    def _take(self, kind: str, count: int, planes: NDArray[np.uint8]) -> dict[str, int]:
        at, content = self._size, np.ascontiguousarray(planes).tobytes()
        self._parts.append(content)
        self._size += len(content)
        return {kind: at, "count": count}

    def packed(self, data: dict[str, Any]) -> str:
        """Return plain data and all arrays as text: the length of the data, the data as JSON, the arrays; deflated, in base 85.

        Before what is deflated stands its size, in four bytes. A comma takes the place of ``<``, which ends scripts.
        """
        head = json.dumps(data, separators=(",", ":"), allow_nan=False).encode()
        whole = zlib.compress(len(head).to_bytes(4, "little") + head + b"".join(self._parts), 9)
        return base64.b85encode(len(whole).to_bytes(4, "little") + whole, pad=True).decode().replace("<", ",")
