"""The nouns of the snapshot format, version 1: the manifest and the ledger. `docs/snapshot.md` describes it.

A snapshot is a folder:

- `manifest.json`: who collected what, when, with which tool and settings; one record a source; every file's digest;
- `calls.jsonl`: the ledger, one `Entry` a line: a list that was asked of a source and the file with what it gave;
- `resources/SOURCE/TYPE[@NAMESPACE].jsonl.gz`: one resource a line.

Nothing here reads or writes files. What a later minor version adds is passed over; another major version is refused.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import orjson

from auditor.model.collection import Call, Source
from auditor.model.decoding import WrongError, decoder
from auditor.model.errors import InputError
from auditor.model.record import record
from auditor.redaction.redactor import redact_text

FORMAT = "auditor-snapshot"
VERSION = "1.0"
"""MAJOR.MINOR: a minor version adds fields."""
REDACTION_PROFILE = "metadata-1"
"""Names what is kept and what is taken out: no value of a live Secret is asked for, credentials become `[redacted]`."""
MANIFEST = "manifest.json"
LEDGER = "calls.jsonl"
RESOURCES = "resources"
UNFINISHED = ".part"
"""How the name of a file ends that is still being written."""


class State(StrEnum):
    """Whether the collection came to its end. A complete snapshot may have lists that were refused: see the ledger."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    """Interrupted; `auditor collect --resume` goes on with it."""


@record
class Operator:
    """Who started the program. Not whom the source saw: that is `Source.identity`."""

    user: str = ""
    host: str = ""
    job: str = ""
    """URL of the CI job; empty where no CI said so."""


@record
class Run:
    """One run of the program that wrote into the snapshot: one, more where it was resumed or merged."""

    tool_version: str
    tool_digest: str = ""
    """SHA-256 over the program's own files."""
    started: datetime
    ended: datetime | None = None
    """`None`: it was killed, or is still going on."""
    arguments: tuple[str, ...] = ()
    """Of the command line, redacted."""
    sources: tuple[str, ...] = ()
    """Names of the sources that it was to read."""
    operator: Operator = field(default_factory=Operator)
    configuration_digest: str = ""
    """SHA-256 of `auditor.yaml`; empty without one."""
    redaction_profile: str = REDACTION_PROFILE
    fingerprint_key_id: str = ""
    """As `Source.fingerprint_key_id`."""
    retention: str = ""
    """How long the snapshot has to be kept, in the words of the configuration."""
    previous: str = ""
    """SHA-256 of the manifest of the snapshot before this one, where the operator named it: a chain without gaps."""
    merged_from: str = ""
    """SHA-256 of the manifest that this run was taken from by a merge."""


@record
class FileRecord:
    """One file of the snapshot, to be recognised again."""

    path: str
    """Relative to the snapshot, with `/`."""
    sha256: str
    """Of the bytes of the file."""
    content_sha256: str = ""
    """Of the lines before they were compressed: the same for the same resources, whatever compressed them."""
    bytes: int
    records: int
    """Lines in it."""
    fingerprints: int = 0
    """Value fingerprints in it."""


@record
class Entry:
    """One line of the ledger: a list, and the file with the resources that it gave; `None` where it gave none."""

    call: Call
    file: FileRecord | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Source, type and namespace: in this order the ledger stands."""
        return (self.call.source, self.call.type, self.call.namespace)


@record
class Manifest:
    """The content of `manifest.json`."""

    format: str = FORMAT
    version: str = VERSION
    state: State
    runs: tuple[Run, ...]
    """In the order in which they wrote."""
    sources: tuple[Source, ...] = ()
    """By name. A partial snapshot has those that came to their end."""
    files: tuple[FileRecord, ...] = ()
    """Every file but the manifest, by path; empty while partial, when the ledger alone has the digests."""

    @property
    def started(self) -> datetime:
        """When the first run began."""
        return min(run.started for run in self.runs)

    @property
    def ended(self) -> datetime | None:
        """When the last run ended; `None` where none came to its end."""
        return max((run.ended for run in self.runs if run.ended), default=None)


def encode_manifest(manifest: Manifest) -> bytes:
    """Return the content of `manifest.json`."""
    return orjson.dumps(manifest, option=_OPTIONS | orjson.OPT_INDENT_2)


def encode_entry(entry: Entry) -> bytes:
    """Return one line of the ledger."""
    return orjson.dumps(entry, option=_OPTIONS)


_OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z
_HINT = "Write one with `auditor collect -o SNAPSHOT`; `auditor snapshot verify` names everything that is wrong."


def decode_manifest(content: bytes, *, name: str) -> Manifest:
    """Return the manifest in `content`; `name` says in errors which file it is.

    Raises `InputError` where it is none, or of another major version of the format.
    """
    raw = _json(content, name)
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise InputError(f"{name} is no manifest of a snapshot", hint=_HINT)
    version = raw.get("version")
    if not isinstance(version, str) or version.partition(".")[0] != VERSION.partition(".")[0]:
        raise InputError(
            f"{name} is of another snapshot format than {VERSION}, which this version reads",
            hint="Read it with the version of auditor that wrote it, or collect again.",
        )
    manifest: Manifest = _decoded(Manifest, raw, name)
    if not manifest.runs:
        raise InputError(f"{name} is no manifest of a snapshot: runs is empty", hint=_HINT)
    return manifest


def decode_ledger(content: bytes, *, name: str, torn: bool) -> tuple[Entry, ...]:
    """Return the entries of a ledger in its order; `torn` admits a last line that was not written to its end.

    Raises `InputError` where a line is no entry.
    """
    *lines, last = content.split(b"\n")
    if last and not torn:
        raise InputError(f"{name} does not end with a whole line", hint=_HINT)
    return tuple(
        _decoded(Entry, _json(line, f"{name}:{number}"), f"{name}:{number}") for number, line in enumerate(lines, 1)
    )


def _json(content: bytes, name: str) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        raise InputError(f"{name} is not JSON", hint=_HINT) from None


def _decoded(type_: Any, raw: Any, name: str) -> Any:
    try:
        return decoder(type_)(raw)
    except WrongError as error:
        raise InputError(f"{name} is not what a snapshot holds: {error}", hint=_HINT) from None


def plain(noun: Any) -> Any:
    """Return nouns as plain JSON, times in ISO 8601."""
    return orjson.loads(orjson.dumps(noun, option=orjson.OPT_UTC_Z))


_Noun = TypeVar("_Noun", Call, Source, Run)


def cleaned(noun: _Noun) -> _Noun:
    """Return `noun` with every text in it passed by the redactor: what a server says of itself is not ours."""
    kind: Any = type(noun)
    made: _Noun = decoder(kind)(clean(plain(noun)))
    return made


def clean(value: Any) -> Any:
    """Return plain JSON with every text in it passed by the redactor, keys too."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {redact_text(key): clean(entry) for key, entry in value.items()}
    return [clean(entry) for entry in value] if isinstance(value, list) else value


def digest(content: bytes) -> str:
    """Return the SHA-256 of `content`."""
    return hashlib.sha256(content).hexdigest()


def ledger_record(entries: Iterable[Entry]) -> tuple[bytes, FileRecord]:
    """Return the content of the ledger in its order, and its record for the manifest."""
    lines = [encode_entry(entry) for entry in sorted(entries, key=lambda entry: entry.key)]
    content = b"".join(lines)
    return content, FileRecord(
        path=LEDGER, sha256=digest(content), content_sha256=digest(content), bytes=len(content), records=len(lines)
    )
