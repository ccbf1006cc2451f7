"""Logs of every format, of any size, cut and compressed; and what cannot be read to its end."""

import bz2
import gzip
import io
import json
import lzma
import random
import tracemalloc
from collections.abc import Callable

import pytest
import zstandard

from auditor.collectors import logs
from auditor.collectors.logs import Counts, Seen
from auditor.collectors.unpacking import Unpacked, UnpackingError, pieces
from auditor.detection import rules
from auditor.detection.engine import Engine

ENGINE = Engine(rules.load().of_tier(2), fingerprint=lambda value: value)
VALUE = "gull-and-anchor-9"
KEY_LINES = [
    "-----BEGIN RSA PRIVATE KEY-----",
    "MIIEpAIBAAKCAQEA75UJv0PHyMGVDVkXBpB2n1Hj0cVqkqvUOQe0J4mSbBtAhR2x",
    "qg==",
    "-----END RSA PRIVATE KEY-----",
]
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
}


def seen(content: bytes) -> list[Seen]:
    return list(logs.search(io.BytesIO(content), ENGINE, Counts()))


def places(content: bytes) -> list[tuple[int, str, str]]:
    return [(one.record.number, one.record.stream, one.hit.key) for one in seen(content)]


def docker(text: str, stream: str = "stdout") -> bytes:
    return json.dumps({"log": text, "stream": stream, "time": "2026-11-25T20:11:12.123456789Z"}).encode() + b"\n"


def cri(text: str, tag: str = "F", stream: str = "stdout") -> bytes:
    return f"2026-11-25T20:11:12.1234Z {stream} {tag} {text}\n".encode()


@pytest.mark.parametrize("name", COMPRESSORS)
def test_a_compressed_log_is_read_as_a_plain_one(name: str) -> None:
    content = b"INFO start\nINFO login user=bob password=" + VALUE.encode() + b"\n"
    assert places(COMPRESSORS[name](content)) == [(2, "", "password")]


@pytest.mark.parametrize("name", [name for name in COMPRESSORS if name != "plain"])
def test_members_behind_each_other_are_one_log_and_damage_is_told(name: str) -> None:
    compress = COMPRESSORS[name]
    line = f"x password={VALUE}\n".encode()
    assert len(seen(compress(line) + compress(b"INFO\n") + compress(line))) == 2
    noise = random.Random(5).randbytes(400_000)  # noqa: S311 - incompressible, no secret
    packed = compress(noise)
    assert b"".join(pieces(io.BytesIO(packed))) == noise
    for broken in (packed[:-30], packed[: len(packed) // 2], packed[:5000] + b"\0" * 300 + packed[5300:]):
        with pytest.raises(UnpackingError):
            list(pieces(io.BytesIO(broken)))


def test_json_lines_and_escaped_texts_are_read_where_they_stand() -> None:
    lines = [
        {"level": "info", "msg": "start"},
        {"level": "info", "password": VALUE},
        {"msg": json.dumps({"db": {"password": VALUE}})},
    ]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    assert places(content) == [(2, "", "password"), (3, "", "password")]


def test_the_parts_of_a_line_that_a_runtime_cut_are_joined() -> None:
    """A token that lies across the cut would be found in neither part; the streams are cut each by itself."""
    content = cri("INFO") + cri("x password=gull-", "P") + cri("E password=", "P", "stderr") + cri("and-anchor-9")
    content += cri("heron-and-quay-7", "F", "stderr")
    assert [(one.record.number, one.record.stream, one.hit.fingerprint) for one in seen(content)] == [
        (2, "stdout", VALUE),
        (3, "stderr", "heron-and-quay-7"),
    ]
    content = docker("INFO\n") + docker("x password=gull-") + docker("E\n", "stderr") + docker("and-anchor-9\n")
    assert [(one.record.number, one.record.stream, one.hit.fingerprint) for one in seen(content)] == [
        (2, "stdout", VALUE)
    ]


def test_an_unfinished_part_at_the_end_is_read_as_well() -> None:
    assert places(cri("INFO") + cri(f"x password={VALUE}", "P")) == [(2, "stdout", "password")]
    assert places(f"INFO\nx password={VALUE}".encode()) == [(2, "", "password")]


@pytest.mark.parametrize("wrap", [lambda text: text.encode() + b"\n", cri, lambda text: docker(text + "\n")])
def test_a_private_key_over_many_records_is_one(wrap: Callable[[str], bytes]) -> None:
    content = wrap("INFO") * 3 + b"".join(map(wrap, KEY_LINES)) + wrap("INFO")
    (one,) = seen(content)
    assert (one.record.number, one.hit.rule) == (4, "private-key")


@pytest.mark.parametrize("block", [50, 100, 317, 1 << 20])
def test_where_the_blocks_end_changes_nothing(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"INFO {number}" for number in range(40)]
    lines[7] = f"x password={VALUE}"
    lines[11:13] = ["- name: DB_PASSWORD", f"  value: {VALUE}"]
    lines[20:20] = KEY_LINES
    content = "".join(line + "\n" for line in lines).encode()
    expected = [(one.record.number, one.hit.rule, one.hit.fingerprint) for one in seen(content)]
    assert len(expected) == 3
    monkeypatch.setattr(logs, "_BLOCK", block)
    assert [(one.record.number, one.hit.rule, one.hit.fingerprint) for one in seen(content)] == expected


def test_a_large_log_and_an_endless_line_take_little_memory() -> None:
    class Endless(io.RawIOBase):
        def __init__(self, unit: bytes, times: int) -> None:
            self.unit, self.times = unit * 5_000, times

        def read(self, size: int = -1) -> bytes:
            del size
            self.times -= 1
            return self.unit if self.times >= 0 else b""

    list(logs.search(io.BytesIO(b"x password=warm-up-1\n" * 10), ENGINE, Counts()))
    for unit in (b"INFO request path=/api/v1/items status=200 duration=0.1\n", b"x" * 50):
        counts = Counts()
        tracemalloc.start()
        assert list(logs.search(Endless(unit, 80), ENGINE, counts)) == []
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert counts.bytes_read == len(unit) * 5_000 * 80
        assert peak < 25_000_000, unit


def test_a_value_on_an_endless_line_is_found_across_its_parts() -> None:
    secret = f";password={VALUE};".encode()
    for place in range(1_048_570 - 40, 1_048_570 + 20, 3):
        content = b"y" * place + secret + b"z" * 1_500_000 + b"\nINFO\n"
        assert {one.hit.fingerprint for one in seen(content)} == {VALUE}, place


def test_a_bomb_is_read_no_further_than_its_limit() -> None:
    for name in ("gzip", "bzip2", "xz", "zstd"):
        bomb = COMPRESSORS[name](b"\0" * 300_000_000)
        tracemalloc.start()
        unpacked = Unpacked(io.BytesIO(bomb), limit=10_000_000)
        read = 0
        while piece := unpacked.read(65_536):
            read += len(piece)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (read, unpacked.over) == (10_000_000, True)
        assert peak < 80_000_000, name
