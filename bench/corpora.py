"""Made-up text with a seed, as scanners of secrets meet it: a history, a tree, a log with tokens that nobody issued."""

import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

_WORDS = tuple(
    """
    anchor basalt cedar delta ember fjord garnet harbor iris juniper kelp lantern maple nickel orchid pebble quartz
    river saddle timber umber violet walnut yarrow zephyr server config client deploy values status replica handler
    """.split()  # noqa: SIM905 - words are read better in lines
)
_VERSIONS, _FILES, _CHANGED = 250, 1_500, 60
"""Commits of the generated history, files of its tree, and files that a commit changes."""
_ENDINGS = (b"yaml", b"go", b"py", b"md", b"json", b"tf", b"sh", b"properties")


TOKEN = re.compile(rb"[a-z]+-[a-z]+-[0-9a-f]{12}")
"""What the tokens of a log look like."""
_GIT = ("git", "-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "gc.auto=0")


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Return what git prints in `folder`."""
    return subprocess.run(  # noqa: S603 - the bench names what is run
        [*_GIT, "-C", str(folder), *arguments],
        input=stdin, capture_output=True, check=True,
    ).stdout  # fmt: skip


def history(folder: Path) -> Path:
    """Return a repository with a seed: files that grow and change over many commits, packed as a server would."""
    folder.mkdir()
    git(folder, "init", "-q", "--bare")
    rng = random.Random(7)  # noqa: S311 - made-up text, not a key
    # Piece by piece: what this process holds would count as the memory of those that it starts.
    with subprocess.Popen([*_GIT, "-C", str(folder), "fast-import", "--quiet"], stdin=subprocess.PIPE) as importing:  # noqa: S603
        assert importing.stdin is not None  # noqa: S101 - a pipe
        for piece in _stream(rng):
            importing.stdin.write(piece)
    git(folder, "repack", "-adq", "--window=10", "--depth=20")
    return folder


def _stream(rng: random.Random) -> Iterator[bytes]:
    """Yield what `git fast-import` reads."""
    texts = [_text(rng, rng.choice((20, 60, 200, 900))) for _ in range(_FILES)]
    for version in range(_VERSIONS):
        changed = range(_FILES) if version == 0 else sorted(rng.sample(range(_FILES), _CHANGED))
        date = 1_600_000_000 + version * 3600
        yield b"commit refs/heads/main\ncommitter a <a@example.com> %d +0000\ndata 1\nx\n" % date
        for number in changed:
            lines = texts[number]
            if version:
                lines[rng.randrange(len(lines))] = _line(rng)
            content = "\n".join(lines).encode()
            yield b"M 100644 inline d%d/%s\ndata %d\n" % (number % 40, _name(number), len(content))
            yield content + b"\n"


def _text(rng: random.Random, lines: int) -> list[str]:
    return [_line(rng) for _ in range(lines)]


def _line(rng: random.Random) -> str:
    one, two, three = rng.choices(_WORDS, k=3)
    kind = rng.randrange(4_000)
    if kind == 0:
        return f"{one}_password = {two}-and-{three}-{rng.randrange(100)}"
    if kind < 40:
        return f'{one}Token = os.environ["{two.upper()}_TOKEN"]'
    if kind < 80:
        return f"  - name: {one.upper()}_SECRET\n    valueFrom: {{secretKeyRef: {{name: {two}, key: {three}}}}}"
    if kind < 120:
        return f"sha256:{rng.randbytes(32).hex()}"
    return f"    {one}.{two}({three}, {rng.randrange(1000)})  # {' '.join(rng.choices(_WORDS, k=rng.randrange(2, 12)))}"


def _name(number: int) -> bytes:
    return b"f%d.%s" % (number, _ENDINGS[number % len(_ENDINGS)])


def put(folder: Path, number: int, rng: random.Random, *, lines: int, plain: bool = False) -> str:
    """Write file `number` of a tree and return its name; `plain`: without what a hook refuses."""
    name = f"d{number % 20}/{_name(number).decode()}"
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    text = [line for line in _text(rng, lines) if not (plain and "_password" in line)]
    file.write_text("\n".join(text) + "\n")
    return name


def log(*, size: int) -> tuple[bytes, list[bytes]]:
    """Return a log and the tokens in it, none of which anybody ever issued."""
    rng = random.Random(17)  # noqa: S311 - as above
    lines: list[str] = []
    planted: list[bytes] = []
    length = 0
    while length < size:
        one, two = rng.choices(_WORDS, k=2)
        line = (
            f"2026-11-25T20:{rng.randrange(60):02}:{rng.randrange(60):02}.{rng.randrange(1000):03}Z INFO {one}: "
            f'"GET /api/v1/{two}/{rng.randrange(10**6)} HTTP/1.1" {rng.choice((200, 201, 204, 404))} '
            f"{rng.randrange(10**5)} {rng.random():.3f} trace={rng.randbytes(8).hex()}"
        )
        if rng.randrange(100) == 0:
            token = f"{one}-{two}-{rng.randbytes(6).hex()}"
            planted.append(token.encode())
            line += f" login failed user={one} password={token}"
        lines.append(line)
        length += len(line) + 1
    return ("\n".join(lines) + "\n").encode(), planted
