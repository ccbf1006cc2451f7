r"""Credentials masked in a stream as it flows by: whole lines, as soon as they are there.

Law: what comes out depends on the bytes alone, never on where a read ended. So only whole lines are judged; a line
beyond `LONGEST` is cut at places that its own bytes decide, and what crosses such a place waits. Three things are known
of the lines before: that a private key began, and the last lines, in which the name of a value may stand.

What is written with escapes (`token%3Dabc`, `password\u003dabc`, `postgres:\/\/u:p@h`) is judged as it reads
without them. Every other byte passes as it came.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from auditor.detection import quick
from auditor.detection.engine import Engine
from auditor.detection.triggers import KEYS, LONGEST_LINE, Look, Trigger, along, database, lines
from auditor.model.resource import REDACTED
from auditor.patterns import compile_

LONGEST = 1 << 16
"""Bytes of a line that are waited for; of a longer one all but the last `_OVERLAP` are passed on."""
_OVERLAP = LONGEST_LINE
_TAIL = 1 << 11
"""Bytes of an endless line that are known when the next part of it is judged: the name of a value."""
_CHAIN = 24_000
"""Longer than one credential can be: what is masked beyond that is many, one over the other. They are cut, and so many
bytes of them are known when the next part is judged, so that each is found again."""
_MASK = REDACTED.encode()
PATH = "stream.log"
"""Tells the notation: a mixture of everything."""
_BEGIN = compile_(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")
_END = b"-----END "
_BODY = compile_(rb"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{16,}={0,2}(?![A-Za-z0-9+/=])")
"""A part of a key, with a log's own words around it."""
_SHORT = compile_(rb"[ \t]*([A-Za-z0-9+/]+={0,2})[ \t]*\r?\n?")
_PADDED = compile_(rb"[^\n]*[ \t]([A-Za-z0-9+/]+={1,2})[ \t]*\r?\n?")
"""The last line of a key may be short; with a log's own words before it, as many as before the first line."""
_HEADER = compile_(rb"[A-Za-z-]+: [^\n]*\r?\n?|[ \t]*\r?\n?")
_STRANGERS = 5
"""Lines of others between those of a key, after which it is taken to have ended."""
_CONTEXT = 3
"""Lines above a value in which its name may stand."""
ESCAPED = (
    # Names, and `=` or `:` behind them in another spelling. Several blanks there made the pass twenty times as slow.
    rf"{KEYS}(?:\\\\?[\"']|%(?:25)?2[27])?[ \t]*(?:%(?:25)?20)?(?:%(?:25)?3[aAdD]|\\\\?u003[aAdD])",
    # Addresses, as far as they can have a password.
    r"%(?:25)?3[aA]%(?:25)?2[fF]%(?:25)?2[fF][^\s]{1,1200}(?:@|%(?:25)?40)",
    r":\\/\\/[^\s]{1,1200}(?:@|\\\\?u0040)",
    # A token right behind an escape: `%3Dghp_...`.
    r"(?:%(?:25)?(?:3[aAdD]|2[0267fF])|\\\\?u003[aAdD])[A-Za-z0-9_.\-]{20}",
)
"""What a line without its escapes is read for: of others nothing would come."""
_ESCAPE = compile_(rb"%([0-9A-Fa-f]{2})|\\\\?u00([0-9A-Fa-f]{2})|\\(/)")
_ROUNDS = 3
_LEVELS = 2
"""How often a text is read without its escapes: an address in an address is escaped twice."""
_HERE = frozenset({Look.LINE, Look.KEY_BLOCK})


class Counts:
    """What passed."""

    __slots__ = ("bytes_read", "masked")

    def __init__(self) -> None:
        self.bytes_read = 0
        self.masked = 0


class Place(NamedTuple):
    """Where in a block something is masked."""

    start: int
    end: int


class Mask:
    """One stream. Feed it what was read; it gives back what may be passed on."""

    def __init__(self, engine: Engine) -> None:
        self.counts = Counts()
        self._engine = engine
        self._rest = b""
        self._above = b""
        self._tail = b""
        self._in_key = False
        self._strangers = 0
        self._indent = 0

    def feed(self, chunk: bytes) -> bytes:
        """Return what can be passed on now that `chunk` has come."""
        self.counts.bytes_read += len(chunk)
        content = self._rest + chunk if self._rest else chunk
        out: list[bytes] = []
        begin = position = 0
        while position < len(content):
            end = content.rfind(b"\n", position, position + LONGEST + 1) + 1
            if end:
                position = end
                continue
            if len(content) - position <= LONGEST:
                break
            if position > begin:
                out.append(self._clean(content[begin:position]))
            done, taken = self._window(content[position : position + LONGEST])
            out.append(done)
            begin = position = position + taken
        if position > begin:
            out.append(self._clean(content[begin:position]))
        self._rest = content[position:]
        return b"".join(out)

    def end(self) -> bytes:
        """Return what was held back."""
        block, self._rest = self._rest, b""
        return self._clean(block) if block else b""

    @property
    def held(self) -> int:
        """Bytes that wait for the rest of their line."""
        return len(self._rest)

    def _window(self, window: bytes) -> tuple[bytes, int]:
        """Return the part of an endless line that no later byte can change, masked, and how much of it that is."""
        if self._in_key:
            return self._with_keys(window), len(window)
        places = self._continued(window)
        cut = len(window) - _OVERLAP
        over = next((place for place in places if place.start < cut < place.end), None)
        chained = over is not None and cut - over.start > _CHAIN
        if over is not None and over.start and not chained:
            # What reaches over the cut waits, whole; its name is in the tail by then.
            cut = over.start
        done = self._masked(window[:cut], [Place(start, min(end, cut)) for start, end in places if start < cut])
        self._remember(window[:cut])
        self._tail = (self._tail + window[:cut])[-(_CHAIN if chained else _TAIL) :]
        return done, cut

    def _clean(self, block: bytes) -> bytes:
        if self._tail:
            end = block.find(b"\n") + 1 or len(block)
            first = self._with_keys(block[:end]) if self._in_key else self._rest_of_line(block[:end])
            self._tail = b""
            return first + self._clean(block[end:]) if end < len(block) else first
        if self._in_key or (b"PRIVATE KEY" in block and _BEGIN.search(block) is not None):
            return self._with_keys(block)
        return self._plain(block)

    def _rest_of_line(self, rest: bytes) -> bytes:
        done = self._masked(rest, self._continued(rest))
        self._remember(rest)
        self._begin_key(rest)
        return done

    def _continued(self, part: bytes) -> list[Place]:
        """Return the places in a part of an endless line, whose beginning was passed on already."""
        before = len(self._tail)
        whole = self._tail + part
        places = self._in_lines(whole, self._engine.triggers(whole))
        return [Place(max(start - before, 0), end - before) for start, end in places if end > before]

    def _plain(self, block: bytes) -> bytes:
        if not block:
            return b""
        found = self._engine.triggers(block)
        places = self._in_lines(block, found)
        places += self._below_names(block, [trigger.end for trigger in found if trigger.look is Look.PAIR])
        self._remember(block)
        return self._masked(block, _merged(places)) if places else block

    def _remember(self, block: bytes) -> None:
        if block.count(b"\n", -LONGEST_LINE) <= _CONTEXT:
            block = self._above + block
        self._above = block[_lines_up(block, _CONTEXT, len(block)) :][-LONGEST_LINE:]

    def _in_lines(self, block: bytes, found: list[Trigger]) -> list[Place]:
        """Return what each line shows by itself, as it stands and without its escapes."""
        places = self._as_it_stands(block, found)
        if b"%" in block or b"\\" in block:
            places = _merged([*places, *self._escaped(block)])
        return places

    def _as_it_stands(self, block: bytes, found: list[Trigger]) -> list[Place]:
        # A key on one line is found by a look at the line.
        wanted: list[Trigger] = []
        places: list[Place] = []
        for trigger in found:
            if trigger.look in _HERE:
                answer = quick.at(block, trigger, self._engine.rules)
                if isinstance(answer, tuple):
                    places.append(Place(*answer))
                elif answer is quick.Doubt.LOOK_CLOSER:
                    wanted.append(trigger._replace(look=Look.LINE))
        places = _merged(places) if len(places) > 1 else places
        wanted = _unresolved(wanted, places) if wanted and places else wanted
        return self._looked(block, places, wanted) if wanted else places

    def _looked(self, block: bytes, places: list[Place], wanted: list[Trigger]) -> list[Place]:
        places = _merged([*places, *self._confirmed(block, wanted)])
        open_ = _unresolved(wanted, places) if places else []
        return _merged([*places, *self._beside(block, places, open_)]) if open_ else places

    def _confirmed(self, block: bytes, wanted: list[Trigger]) -> Iterator[Place]:
        pieces = lines(block, wanted).get(Look.LINE, ())
        if all(end <= start for (_, end), (start, _) in pairwise(pieces)):
            yield from (Place(hit.start, hit.end) for hit in self._engine.confirm(block, wanted, path=PATH))
            return
        # Pieces of a long line overlap, and of two finds that do a report has the first: here each hides its bytes.
        for start, end in pieces:
            for hit in self._engine.confirm(block[start:end], [Trigger(Look.LINE, end - start)], path=PATH):
                yield Place(hit.start + start, hit.end + start)

    def _beside(self, block: bytes, places: list[Place], open_: list[Trigger]) -> list[Place]:
        """Return what only shows once what was found is masked: a value that seemed to go on behind another one."""
        found: list[Place] = []
        for start, end in lines(block, open_).get(Look.LINE, ()):
            inside = [
                Place(max(p.start, start) - start, min(p.end, end) - start)
                for p in places
                if p.start < end and start < p.end
            ]
            if inside:
                found += [Place(p.start + start, p.end + start) for p in self._rounds(block[start:end], inside)]
        return found

    def _rounds(self, text: bytes, known: list[Place]) -> list[Place]:
        """Return what a line shows, and what it shows once that is masked, and so on; beside what is `known`."""
        found: list[Place] = []
        for _ in range(_ROUNDS):
            shown, origin = _without(text, [*known, *found])
            hits = self._engine.confirm(shown, _everywhere(shown), path=PATH)
            if not hits:
                break
            found = _merged([*found, *(Place(origin[hit.start], origin[hit.end]) for hit in hits)])
        return found

    def _below_names(self, block: bytes, names: list[int]) -> list[Place]:
        """Return values whose name stands on a line above, which may have been passed on already."""
        before = len(self._above)
        ends = {end + before for end in names}
        above = self._above.lower()
        # A pattern for both words in either case takes ten times as long, at every read.
        if b"name" in above or b"key" in above:
            top = self._above + block[: _lines_down(block, _CONTEXT)]
            ends |= {trigger.end for trigger in self._engine.triggers(top) if trigger.look is Look.PAIR}
        if not ends:
            return []
        whole = self._above + block
        return [place for end in sorted(ends) for place in self._near(whole, end, before)]

    def _near(self, whole: bytes, at: int, before: int) -> Iterator[Place]:
        """Yield the values for the name that a trigger ends behind: on its line or the next.

        Each line is judged with what is above it alone, since what is below may not have come.
        """
        first = whole.find(b"\n", at - 1) + 1 or len(whole)
        second = whole.find(b"\n", first) + 1 or len(whole)
        for end in (first, second):
            begin = _lines_up(whole, _CONTEXT + 1, end)
            line = whole.rfind(b"\n", 0, end - 1) + 1
            if end <= before or end - begin > LONGEST_LINE or at <= begin:
                continue
            hits = self._engine.confirm(whole[begin:end], [Trigger(Look.PAIR, at - begin)], path=PATH)
            for hit in hits:
                if hit.start + begin >= max(line, before):
                    yield Place(hit.start + begin - before, hit.end + begin - before)

    def _escaped(self, block: bytes) -> list[Place]:
        """Return what is a credential once escapes are read as what they mean."""
        found: list[Place] = []
        pieces = lines(block, [Trigger(Look.LINE, at) for at in _escapes(block)]).get(Look.LINE, ())
        texts = [(place, block[place[0] : place[1]]) for place in pieces]
        for level in range(1, _LEVELS + 1):
            texts = [(place, plain) for place, text in texts if (plain := _ESCAPE.sub(_meant, text)) != text]
            starts = [0, *accumulate(len(text) + 1 for _, text in texts)]
            # Together, as any other lines: one by one they take ten times as long.
            whole = b"\n".join(text for _, text in texts)
            origins: dict[int, list[int]] = {}
            for start, end in self._as_it_stands(whole, self._engine.triggers(whole)):
                number = bisect_right(starts, start) - 1
                if number not in origins:
                    origins[number] = _origin(block, *texts[number][0], level)
                origin, before = origins[number], starts[number]
                found.append(Place(origin[start - before], origin[end - before]))
        return found

    def _masked(self, block: bytes, places: Iterable[Place]) -> bytes:
        parts: list[bytes] = []
        position = 0
        for start, end in places:
            parts += (block[position:start], _MASK)
            position = end
            self.counts.masked += 1
        parts.append(block[position:])
        return b"".join(parts)

    # Private keys over many lines

    def _with_keys(self, block: bytes) -> bytes:
        """Mask the lines of private keys, whose end may not have come yet; everything else as ever."""
        out: list[bytes] = []
        plain: list[bytes] = []
        for line in block.splitlines(keepends=True) if b"\r" not in block else _split(block):
            if self._in_key:
                kept = self._key_line(line)
                if kept is not None:
                    out += (self._plain(b"".join(plain)), kept)
                    plain = []
                    continue
            plain.append(line)
            if self._begin_key(line):
                out.append(self._plain(b"".join(plain)))
                plain = []
        out.append(self._plain(b"".join(plain)))
        return b"".join(out)

    def _begin_key(self, line: bytes) -> bool:
        """Return whether a private key begins on `line` that does not end there, and know it from here on."""
        begun = list(_BEGIN.finditer(line)) if b"PRIVATE KEY" in line else []
        if not begun or line.find(_END, begun[-1].end()) >= 0:
            return False
        self._in_key, self._strangers, self._indent = True, 0, begun[-1].start()
        self.counts.masked += 1
        return True

    def _key_line(self, line: bytes) -> bytes | None:
        """Return what of a line may be passed on while a key lasts; `None` for a line that is not of the key."""
        if _END in line:
            self._in_key = False
            end = line.index(_END)
            return _BODY.sub(_MASK, line[:end]) + line[end:]
        short = _SHORT.fullmatch(line) or _SHORT.fullmatch(line, self._indent) or _PADDED.fullmatch(line)
        if short is not None:
            return line[: short.start(1)] + _MASK + line[short.end(1) :]
        if _BODY.search(line):
            return _BODY.sub(_MASK, line)
        if _HEADER.fullmatch(line):
            return line
        self._strangers += 1
        self._in_key = self._strangers < _STRANGERS
        return None


def _lines_up(block: bytes, count: int, end: int) -> int:
    """Return where the last `count` lines before `end` begin."""
    start = end
    for _ in range(count):
        if start <= 0:
            return 0
        start = block.rfind(b"\n", 0, start - 1) + 1
    return start


def _lines_down(block: bytes, count: int) -> int:
    """Return where the first `count` lines of `block` end."""
    end = 0
    for _ in range(count):
        end = block.find(b"\n", end) + 1 or len(block)
    return end


def _split(block: bytes) -> Iterator[bytes]:
    """Yield lines that end with a line feed; a carriage return alone ends none."""
    position = 0
    while position < len(block):
        end = block.find(b"\n", position) + 1 or len(block)
        yield block[position:end]
        position = end


def _merged(places: list[Place]) -> list[Place]:
    """Return places in order, those that overlap as one."""
    merged: list[Place] = []
    for place in sorted(places):
        if merged and place.start < merged[-1].end:
            merged[-1] = Place(merged[-1].start, max(merged[-1].end, place.end))
        else:
            merged.append(place)
    return merged


def _everywhere(text: bytes) -> list[Trigger]:
    return [Trigger(Look.LINE, at) for at in along(text, 0, len(text))]


def _unresolved(triggers: list[Trigger], places: list[Place]) -> list[Trigger]:
    """Return the triggers that fired outside of what was found."""
    left: list[Trigger] = []
    known = iter(places)
    place: Place | None = next(known, None)
    for trigger in sorted(triggers, key=lambda one: one.end):
        while place is not None and place.end < trigger.end:
            place = next(known, None)
        if place is None or trigger.end < place.start:
            left.append(trigger)
    return left


def _without(text: bytes, places: list[Place]) -> tuple[bytes, list[int]]:
    """Return `text` with `places` masked, and for each byte (and the end) where it came from."""
    out = bytearray()
    origin: list[int] = []
    start = 0
    for place in _merged(places):
        out += text[start : place.start] + _MASK
        origin += [*range(start, place.start), *(place.start for _ in _MASK)]
        start = place.end
    return bytes(out + text[start:]), [*origin, *range(start, len(text) + 1)]


def _meant(match: re.Match[bytes]) -> bytes:
    if match[3]:
        return b"/"
    meant = bytes.fromhex((match[1] or match[2]).decode())
    # A line feed would end the line, which it does not.
    return meant if meant != b"\n" else b" "


def _origin(block: bytes, start: int, end: int, levels: int) -> list[int]:
    """Return where in the block each byte (and the end) of a piece came from, whose escapes were read so often."""
    text, origin = block[start:end], list(range(start, end + 1))
    for _ in range(levels):
        places: list[int] = []
        position = 0
        for match in _ESCAPE.finditer(text):
            places += origin[position : match.start()]
            places.append(origin[match.start()])
            position = match.end()
        origin = places + origin[position:]
        text = _ESCAPE.sub(_meant, text)
    return origin


def _escapes(block: bytes) -> list[int]:
    """Return the ends of what is written with escapes and may be a credential."""
    if find_spec("hyperscan") is None or len(block) < LONGEST_LINE:
        return [match.end() for pattern in _patterns() for match in pattern.finditer(block)]
    found: list[int] = []

    def matched(_number: int, _start: int, end: int, _flags: int, _context: Any) -> None:
        found.append(end)

    database(ESCAPED).scan(block, match_event_handler=matched)
    return found


@cache
def _patterns() -> tuple[re.Pattern[bytes], ...]:
    return tuple(compile_(text.encode(), re.ASCII) for text in ESCAPED)
