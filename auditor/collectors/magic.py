"""What a file is by its first bytes: an archive, something compressed, or neither. Light: the commit hook loads it."""

HEAD = 512
"""Bytes that tell."""
COMPRESSIONS = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"))
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_TAR = b"ustar"
_TAR_PLACE = 257


def compression(head: bytes) -> str:
    """Return the name of the compression of what begins with `head`; empty for none."""
    return next((name for magic, name in COMPRESSIONS if head.startswith(magic)), "")


def tar(head: bytes) -> bool:
    """Return whether what begins with `head` is a tar."""
    return head[_TAR_PLACE : _TAR_PLACE + len(_TAR)] == _TAR


def zipped(head: bytes) -> bool:
    """Return whether what begins with `head` is a zip, a jar, a wheel, an office document."""
    return head.startswith(_ZIP)


def recognised(head: bytes) -> bool:
    """Return whether what begins with `head` is an archive, or compressed."""
    return zipped(head) or tar(head) or bool(compression(head))
