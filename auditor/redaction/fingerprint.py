"""Keyed fingerprints of secret values: equal values give equal fingerprints, and nothing gives the value back.

HMAC-SHA256 (RFC 2104, FIPS 198-1) under a key that is never part of a report. A plain hash would not do: a weak
password in a committed report could be found by trying. Without a key of the user's the key is random for the run, and
fingerprints of different runs must not be compared; `key_id` is then empty, which is how a reader of two reports knows.
"""

import hashlib
import hmac
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from auditor.model.errors import ConfigurationError

KEY_VARIABLE = "AUDITOR_FINGERPRINT_KEY"
MINIMUM_KEY_CHARACTERS = 16

_VALUE_DOMAIN = b"auditor/fingerprint/value/v1\x00"
_KEY_ID_DOMAIN = b"auditor/fingerprint/key-id/v1\x00"
_SHAPE = 32
"""Hexadecimal digits of a fingerprint: 128 bits, far beyond any chance collision."""


def load_key(environ: Mapping[str, str], *, usual: Path) -> bytes | None:
    """Return the key from the environment, else from the file `usual`, else `None` where there is neither.

    Raises `ConfigurationError` where a key is there and cannot be used: too short, not readable, not text, or
    readable by everybody. A key that was meant and is not used would make every fingerprint incomparable in silence.
    """
    text = environ.get(KEY_VARIABLE)
    if text is not None:
        return _checked(text, KEY_VARIABLE)
    try:
        mode = usual.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unreadable(usual, error.strerror) from error
    if not stat.S_ISREG(mode):
        raise _unreadable(usual, "not a regular file")
    if mode & stat.S_IROTH:
        raise ConfigurationError(
            f"the fingerprint key file {usual} can be read by every user of this machine",
            hint=f"Run `chmod 600 {usual}`.",
        )
    try:
        return _checked(usual.read_text(encoding="utf-8"), str(usual))
    except OSError as error:
        raise _unreadable(usual, error.strerror) from error
    except UnicodeDecodeError as error:
        raise _unreadable(usual, "not UTF-8 text") from error


class Fingerprinter:
    """Makes fingerprints under one key; under a random one where `key` is `None`."""

    __slots__ = ("_state", "key_id", "key_name")

    def __init__(self, key: bytes | None) -> None:
        used = os.urandom(32) if key is None else key
        self._state = hmac.new(used, _VALUE_DOMAIN, hashlib.sha256)
        self.key_id = "" if key is None else _key_id(used)
        # For what outlives the run: fingerprints compare exactly where this name is the same.
        self.key_name = self.key_id or f"random:{_key_id(used)}"

    def of(self, value: str) -> str:
        """Return 32 hexadecimal digits for `value`. Lone surrogates, which JSON allows, are no error."""
        state = self._state.copy()
        state.update(value.encode("utf-8", "surrogatepass"))
        return state.hexdigest()[:_SHAPE]


def _checked(text: str, source: str) -> bytes:
    key = text.strip()
    if len(key) < MINIMUM_KEY_CHARACTERS:
        raise ConfigurationError(
            f"the fingerprint key in {source} has fewer than {MINIMUM_KEY_CHARACTERS} characters",
            hint="Make one with `openssl rand -hex 32`, and keep it out of the repository.",
        )
    return key.encode("utf-8", "surrogateescape")


def _unreadable(path: Path, why: str | None) -> ConfigurationError:
    return ConfigurationError(
        f"the fingerprint key file {path} cannot be read: {why or 'unknown error'}",
        hint=f"Make it a text file that you can read, or set {KEY_VARIABLE} instead.",
    )


def _key_id(key: bytes) -> str:
    """Return 8 digits that name the key: a hash of a hash, so that it helps nobody to find the key."""
    return hashlib.sha256(hmac.new(key, _KEY_ID_DOMAIN, hashlib.sha256).digest()).hexdigest()[:8]
