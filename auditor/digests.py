"""SHA-256 from the interpreter itself: OpenSSL, which `hashlib` loads, takes longer than all that is hashed here."""

from collections.abc import Callable
from typing import Protocol


class Digest(Protocol):
    """Of all bytes that it was given."""

    def update(self, content: bytes, /) -> None:
        """Take in more bytes."""

    def digest(self) -> bytes:
        """Return the digest."""

    def hexdigest(self) -> str:
        """Return the digest in hexadecimal."""


sha256: Callable[..., Digest]
"""As `hashlib.sha256`."""
try:
    from _sha2 import sha256  # type: ignore[import-not-found,no-redef]
except ImportError:
    try:
        # Before Python 3.12.
        from _sha256 import sha256  # type: ignore[import-not-found,no-redef]
    except ImportError:
        # Another interpreter, or one that was built to hash with OpenSSL alone.
        from hashlib import sha256

__all__ = ["Digest", "sha256"]
