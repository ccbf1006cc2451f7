"""What one value is: a credential, a reference, a path, a placeholder, ciphertext or public; judged by name and value.

Order of evidence: the value's own form (token formats, private keys), what it plainly is (references, paths,
placeholders), credentials inside of it (URLs, connection strings, files), and last its name. Weak passwords are
findings: entropy decides nothing but the lowest tier.
"""

import re
from typing import NamedTuple

from auditor.detection.files import notation_of
from auditor.model.resource import Confidence, LiteralKind, Place
from auditor.patterns import compile_
from auditor.redaction.names import Label, label
from auditor.redaction.notation import Notation
from auditor.redaction.spans import Span, certain, decoded, named, spans
from auditor.redaction.values import looks_random, measure, nature


class Classification(NamedTuple):
    """What a value is, what recognised it, and how sure that is."""

    kind: LiteralKind
    rule: str
    confidence: Confidence


_PLAIN = Classification(LiteralKind.PUBLIC, "plain", Confidence.LIKELY)
_DIGEST = Classification(LiteralKind.PUBLIC, "digest", Confidence.LIKELY)
"""`checksum/secret: 0f343b09...`: what Helm charts write so that a new value restarts the pods."""
_STRUCTURED = frozenset({Place.CONFIG, Place.HELM_VALUE, Place.ANNOTATION, Place.LABEL})
_ENTROPY_PLACES = frozenset({Place.ENV, Place.SECRET, Place.GENERATOR, Place.IMAGE})
_INTERESTING = compile_(r"[=:@ <]")
_RANDOM = compile_(r"[A-Za-z0-9+/_=-]{24,512}")
_CHECKSUM = compile_(
    r"checksum|sha-?(?:1|256|512)(?:sum)?(?:$|[^0-9])|digest|fingerprint|(?:config|secret)-?hash", re.IGNORECASE
)
_HEXADECIMAL = compile_(r"[0-9a-fA-F]{6,128}")


def _notation(key: str, place: Place) -> Notation:
    """Return how a value is written: a command line, or what the name of the file in a ConfigMap says."""
    if place in {Place.ARGUMENT, Place.IMAGE}:
        return Notation.SHELL
    return notation_of(key) if "." in key else Notation.UNKNOWN


def classify(key: str, value: str, *, place: Place) -> Classification:
    """Return what `value` under the name `key` is. Never raises, whatever the text."""
    return examine(key, value, place=place)[0]


def examine(key: str, value: str, *, place: Place, describe: bool = True) -> tuple[Classification, list[Span]]:
    """Return what `value` is, and where in it credentials stand: none, or the whole, or parts of it.

    `describe` false: whoever asks wants credentials alone, so what else the value is need not be told apart.
    """
    strength = label(key)
    text = value.strip()
    if strength is not Label.NONE and _HEXADECIMAL.fullmatch(text) and _CHECKSUM.search(key):
        return _DIGEST, []
    found = certain(value) if len(value) >= 20 else []
    if strength >= Label.SECRET and not found and "\n" not in text:
        return _by_name(strength, key, value, place)
    if found or (len(value) >= 6 and _INTERESTING.search(value)):
        found = spans(value, _notation(key, place))
    if found:
        surest = min(found, key=lambda span: (span.confidence is not Confidence.CERTAIN, span.start))
        return Classification(LiteralKind.CREDENTIAL, surest.rule, surest.confidence), found
    if not describe and strength is Label.NONE and "${" not in value:
        return _PLAIN, []
    return _unnamed(strength, key, value, place)


def _by_name(strength: Label, key: str, value: str, place: Place) -> tuple[Classification, list[Span]]:
    inside = _inside(value, place)
    if inside:
        return Classification(LiteralKind.CREDENTIAL, inside[0].rule, inside[0].confidence), inside
    found = named(strength, key, value, structured=place in _STRUCTURED)
    if found.kind is LiteralKind.CREDENTIAL:
        return _whole(value, key, found.rule, found.confidence, start=found.start, end=found.end)
    return Classification(found.kind, found.rule, found.confidence), []


def _inside(value: str, place: Place) -> list[Span]:
    """Return credentials inside a value whose name claims that it is one: a URL, a header, a connection string."""
    if "://" in value or "=" in value or value[:1] in "{[" or " " in value:
        found = spans(value, _notation("", place))
        # A password that holds `=` is one password, unless its form says otherwise.
        if "://" in value or ";" in value or value[:1] in "{[" or any(s.rule != "named-credential" for s in found):
            return found
    return []


def _whole(
    value: str, key: str, rule: str, confidence: Confidence, *, start: int = 0, end: int = 0
) -> tuple[Classification, list[Span]]:
    lead = len(value) - len(value.lstrip())
    stop = lead + end if end > start else len(value)
    return (
        Classification(LiteralKind.CREDENTIAL, rule, confidence),
        [Span(lead + start, stop, key, rule, confidence)],
    )


def _unnamed(  # noqa: PLR0911 - an ordered list of evidence
    strength: Label, key: str, value: str, place: Place
) -> tuple[Classification, list[Span]]:
    plain = nature(value)
    if plain is not None:
        return Classification(*plain, Confidence.LIKELY), []
    if "${" in value:
        found = named(Label.NONE, key, value, structured=False)
        if found.kind is LiteralKind.CREDENTIAL:
            return _whole(value, key, found.rule, found.confidence, start=found.start, end=found.end)
        if found.kind is LiteralKind.REFERENCE:
            return Classification(found.kind, found.rule, found.confidence), []
    if value[:14] == "LS0tLS1CRUdJTi" and decoded(value.strip()):
        return Classification(LiteralKind.PUBLIC, "public-key", Confidence.LIKELY), []
    measured = measure(value)
    if measured:
        return Classification(LiteralKind.PUBLIC, measured, Confidence.LIKELY), []
    if (
        (strength is Label.WEAK or place in _ENTROPY_PLACES)
        and _RANDOM.fullmatch(value.strip())
        and looks_random(value.strip())
    ):
        rule = "random-under-weak-name" if strength is Label.WEAK else "high-entropy"
        return _whole(value, key, rule, Confidence.POSSIBLE)
    return _PLAIN, []
