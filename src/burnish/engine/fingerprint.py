"""A short name for exact content; nothing heavy is loaded here, so that listing commands stays quick."""

from __future__ import annotations

import hashlib


def fingerprint(*texts: str | bytes) -> str:
    """Sixteen hexadecimal digits of BLAKE2b over some texts."""
    digest = hashlib.blake2b(digest_size=8)
    for text in texts:
        data = text.encode() if isinstance(text, str) else text
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
