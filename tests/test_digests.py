"""The digest without OpenSSL is the one with it."""

import hashlib
import subprocess
import sys

from auditor.digests import sha256


def test_both_ways_to_a_digest_agree() -> None:
    for content in (b"", b"abc", bytes(range(256)) * 1_000):
        made = sha256(content[:1])
        made.update(content[1:])
        assert made.hexdigest() == hashlib.sha256(content).hexdigest()


def test_a_digest_does_not_load_openssl() -> None:
    """A commit hook waits for it otherwise. An interpreter without hashes of its own has no choice."""
    code = (
        "import sys, auditor.digests; own = '_sha2' in sys.modules or '_sha256' in sys.modules;"
        "sys.exit(own and '_hashlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-I", "-c", code], check=False).returncode == 0
