"""Credentials in the bytes of any file: a pass over everything at wire speed, then a closer look at single lines.

A line is judged by itself, so equal lines of a history are judged once. Only four things are read beyond one line: a
pair of name and value, a private key, a Secret manifest, and a value below its name. What a line's words mean is the
business of `redaction.spans` and `detection.classify`; nothing here knows a format.

What is told may be an example: a weak value in prose, in a comment, in the tests of a program, or among its texts in
some language. Such a finding is of the third tier. What has a documented format is of the first wherever it stands.

A `Hit` never holds the value: fingerprint, length, and at most the first characters that the format itself fixes.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from auditor.detection import objects
from auditor.detection.below import REACH, SECRET_VALUE, below
from auditor.detection.by_name import Holds, by_name, holds
from auditor.detection.cards import CARD_NUMBER, card_numbers, scheme
from auditor.detection.files import locked, notation_by_head, notation_of, sample, tests, translates
from auditor.detection.found import Found
from auditor.detection.rules import Rule, RuleSet
from auditor.detection.triggers import LONGEST_LINE, Look, Trigger, Triggers, lines
from auditor.model.record import record
from auditor.model.resource import REDACTED, Confidence
from auditor.redaction.notation import Notation
from auditor.redaction.pairs import COMMENT
from auditor.redaction.spans import Span, pairs_of_names, private_keys, spans
from auditor.redaction.values import machine_made, takes_effect

_KEY_BLOCK = 20_000
"""Bytes that a private key may take."""
_PAIR_LINES = 3
"""Lines above a value on which its name may stand, and one less below."""
_EXAMPLES = frozenset(
    {
        "named-credential", "url-password", "command-line-password", "secret-value", "authorization-header",
        "docker-auth", CARD_NUMBER,
    }
)  # fmt: skip
"""Rules whose finding may be an example."""
_IN_LOCKS = frozenset({"url-password", "authorization-header"})
"""What else than tokens is looked for in a list of packages."""
RANDOM = "high-entropy"
"""The rule that anything surer replaces."""
_REMEMBERED = 1 << 17
_DOCUMENTS = 2048
"""Secret manifests that are remembered; they are longer than lines."""
_LONG_DOCUMENT = 1 << 14
"""Bytes from which on they are not, so that memory is bounded: files without `---`, which no other equals."""
_BLOCKS = 1 << 13
"""Names with what stands below them that are remembered."""
_NOTHING: tuple[Found, ...] = ()


@record(order=True)
class Hit:
    """One credential in a file."""

    start: int
    end: int
    """Byte offsets of the value."""
    line: int
    column: int
    """From 1; the column counts bytes."""
    rule: str
    tier: int
    key: str
    """The name beside it; empty where it speaks for itself."""
    fingerprint: str
    length: int
    masked: str
    """What the format shows of every such token, with stars for the rest: `ghp_***`."""


class Engine:
    """Finds what a set of rules describes. Build one a process; threads may share it."""

    def __init__(
        self,
        rules: RuleSet,
        *,
        fingerprint: Callable[[str], str],
        prefilter: bool = True,
        every_line: bool = False,
    ) -> None:
        """`prefilter` and `every_line` choose how fast the same is found (`triggers.Triggers`)."""
        self._rules = rules
        self._triggers = Triggers(rules.rules, prefilter=prefilter, every_line=every_line)
        self._fingerprint = fingerprint
        self._heads = {id_: rule.heads for id_, rule in rules.rules.items()}
        self._own = tuple(rule for rule in rules.rules.values() if rule.pattern and rule.own)
        self._on_line = lru_cache(maxsize=_REMEMBERED)(self._line)
        self._on_pair = lru_cache(maxsize=_REMEMBERED)(self._pair)
        self._below = lru_cache(maxsize=_BLOCKS)(self._below_name)
        self._in_secrets = lru_cache(maxsize=_DOCUMENTS)(self._secrets)

    @property
    def rules(self) -> Mapping[str, Rule]:
        """What is looked for, by id."""
        return self._rules.rules

    @property
    def ready(self) -> bool:
        """Whether the automaton was prepared with the installation, so that few bytes are worth it."""
        return self._triggers.ready

    @property
    def digest(self) -> str:
        """Names what is looked for: the same digest and the same bytes give the same hits."""
        return self._rules.digest

    def scan(self, content: bytes, *, path: str = "") -> list[Hit]:
        """Return every credential in `content`, in order; `path` tells which notation to expect."""
        return self.confirm(content, self._triggers.find(content), path=path)

    def triggers(self, content: bytes) -> list[Trigger]:
        """Return where a closer look is worth its price: cheap, and empty for most files."""
        return self._triggers.find(content)

    def confirm(self, content: bytes, found: list[Trigger], *, path: str = "") -> list[Hit]:
        """Return the credentials at the places `found`."""
        if not found and holds(path) is Holds.NOTHING:
            return []
        notation = notation_of(path)
        if notation is Notation.UNKNOWN:
            notation = notation_by_head(content)
        example = (
            notation is Notation.PROSE
            or (notation in {Notation.CODE, Notation.UNKNOWN} and tests(path))
            or translates(path)
        )
        hits: dict[tuple[int, int], Found] = {}
        told_by_name = self._kept(by_name(content, path))
        for offset, piece in ((0, told_by_name), *self._pieces(content, found, notation)):
            for item in piece:
                place = (offset + item.start, offset + item.end)
                if place not in hits or hits[place].rule == RANDOM:
                    hits[place] = item
        ordered = _disjoint(sorted(hits.items(), key=lambda entry: entry[0]))
        told, line, counted, before = [], 1, 0, -1
        for place, item in ordered:
            if item.rule == objects.CLEARED:
                continue
            # From one find to the next: a line may have megabytes, and thousands of finds.
            line += content.count(b"\n", counted, place[0])
            before = max(before, content.rfind(b"\n", counted, place[0]))
            counted = place[0]
            shown = example or (takes_effect(item.value) and sample(path))
            told.append(self._hit(place, item, line=line, column=place[0] - before, example=shown))
        if locked(path):
            told = [hit for hit in told if hit.tier == 1 or hit.rule in _IN_LOCKS]
        return [hit for hit in told if hit.tier <= self._rules.highest]

    def _pieces(
        self, content: bytes, found: list[Trigger], notation: Notation
    ) -> Iterator[tuple[int, tuple[Found, ...]]]:
        """Yield what each look found, with the offset of what it read; surer looks first."""
        looks = lines(content, found)
        tokens = self._triggers.tokens(found)
        for start, end in looks.get(Look.KEY_BLOCK, ()):
            begin = content.rfind(b"\n", 0, max(start - 1, 0)) + 1 if b"BEGIN" not in content[start:end] else start
            yield begin, self._keys(content[begin : start + _KEY_BLOCK], end - begin)
        if Look.SECRET_OBJECT in looks and SECRET_VALUE in self._rules.rules:
            for begin, document in objects.documents(content, looks[Look.SECRET_OBJECT]):
                look = self._in_secrets if len(document) < _LONG_DOCUMENT else self._secrets
                yield begin, look(document)
        for start, end in looks.get(Look.LINE, ()):
            formats = tokens is None or _any_within(tokens, start, end)
            yield start, self._on_line(content[start:end], notation, formats=formats)
        for start, end in looks.get(Look.PAIR, ()):
            begin = _lines_above(content, start, _PAIR_LINES)
            stop = _lines_below(content, end, _PAIR_LINES - 1)
            if stop - begin <= LONGEST_LINE:
                yield begin, self._on_pair(content[begin:stop], notation)
        for start, end in looks.get(Look.BELOW, ()):
            yield start, self._below(content[start : end + REACH], end - start)

    def _line(self, line: bytes, notation: Notation, *, formats: bool) -> tuple[Found, ...]:
        text = line.decode("utf-8", "surrogateescape")
        found = spans(text, notation, formats=formats)
        items = [_measured(text, span) for span in found if span.confidence is not Confidence.POSSIBLE]
        if items and COMMENT.match(text):
            items = [item._replace(doubtful=True) for item in items]
        if '"auth"' in text:
            items += objects.registry_passwords(text)
        for rule in self._own:
            items += objects.of_pattern(text, rule)
        if CARD_NUMBER in self._rules.rules:
            items += card_numbers(text)
        if RANDOM in self._rules.rules and not items:
            items += objects.random_texts(text)
        return self._kept(items)

    def _pair(self, text: bytes, notation: Notation) -> tuple[Found, ...]:
        decoded = text.decode("utf-8", "surrogateescape")
        return self._kept([_measured(decoded, span) for span in pairs_of_names(decoded, notation)])

    def _below_name(self, block: bytes, end: int) -> tuple[Found, ...]:
        return self._kept(below(block, 0, end))

    def _secrets(self, document: bytes) -> tuple[Found, ...]:
        found = objects.secret_values(document)
        return tuple(item for item in found if item.rule == objects.CLEARED or item.rule in self._rules.rules)

    def _keys(self, block: bytes, before: int) -> tuple[Found, ...]:
        """Return the first key that begins on the line itself; others have a look of their own."""
        text = block.decode("utf-8", "surrogateescape")
        span = next(private_keys(text, before=before), None)
        return self._kept([_measured(text, span)]) if span is not None else _NOTHING

    def _kept(self, items: list[Found]) -> tuple[Found, ...]:
        return tuple(item for item in items if item.rule in self._rules.rules) if items else _NOTHING

    def _hit(self, place: tuple[int, int], item: Found, *, line: int, column: int, example: bool) -> Hit:
        """Return the description of one find."""
        start, end = place
        tier = self._rules.rules[item.rule].tier
        if item.rule in _EXAMPLES and (example or item.doubtful) and not machine_made(item.value):
            tier = 3
        return Hit(
            start=start,
            end=end,
            line=line,
            column=column,
            rule=item.rule,
            tier=tier,
            key=item.key.replace(item.value, REDACTED) if item.value in item.key else item.key,
            fingerprint=self._fingerprint(item.value),
            length=len(item.value),
            # Of a card number less than PCI DSS 3.4.1 allows: whose it is, and no digit.
            masked=f"{scheme(item.value)} ***"
            if item.rule == CARD_NUMBER
            else masked(item.value, self._heads[item.rule]),
        )


def masked(value: str, heads: tuple[str, ...]) -> str:
    """Return what may be shown of a value: the part that its format fixes, stars for the rest."""
    head = next((head for head in heads if value.startswith(head)), "")
    return f"{head}***"


def _measured(text: str, span: Span) -> Found:
    value = text[span.start : span.end]
    if text.isascii():
        return Found(span.start, span.end, span.key, span.rule, value)
    start = len(text[: span.start].encode("utf-8", "surrogateescape"))
    return Found(start, start + len(value.encode("utf-8", "surrogateescape")), span.key, span.rule, value)


def _any_within(places: list[int], start: int, end: int) -> bool:
    """Return whether one of `places`, which are in order, is behind `start` and not behind `end`."""
    at = bisect_right(places, start)
    return at < len(places) and places[at] <= end


def _lines_above(content: bytes, start: int, count: int) -> int:
    for _ in range(count):
        if start == 0:
            break
        start = content.rfind(b"\n", 0, start - 1) + 1
    return start


def _lines_below(content: bytes, end: int, count: int) -> int:
    for _ in range(count):
        following = content.find(b"\n", end + 1)
        if following < 0:
            return len(content)
        end = following
    return end


def _disjoint(ordered: list[tuple[tuple[int, int], Found]]) -> list[tuple[tuple[int, int], Found]]:
    """Return what does not overlap with something earlier; the longer of two that begin together stays."""
    kept: list[tuple[tuple[int, int], Found]] = []
    for entry in sorted(ordered, key=lambda item: (item[0][0], -item[0][1])):
        if not kept or kept[-1][0][1] <= entry[0][0]:
            kept.append(entry)
    return kept
