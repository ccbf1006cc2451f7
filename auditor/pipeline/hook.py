"""What a git hook refuses: credentials that a change adds, before anybody else can read them.

The whole process has a tenth of a second, so this imports little, and what only a refusal needs it imports then. It
fails closed: whatever cannot be read is told, and whoever asks refuses.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from itertools import chain
from typing import TYPE_CHECKING

from auditor.collectors.git import few, staged
from auditor.collectors.git.command import Repository
from auditor.collectors.git.raw import Change
from auditor.collectors.magic import recognised
from auditor.detection.text import as_text
from auditor.model.record import record

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from auditor.collectors.git.staged import Begun
    from auditor.collectors.searching import Search
    from auditor.detection.engine import Engine, Hit
    from auditor.detection.manner import Manner
    from auditor.detection.rules import RuleSet
    from auditor.model.sighting import Sighting
    from auditor.pipeline.hook_pushed import Brought
    from auditor.pipeline.sightings import Seen
    from auditor.redaction.fingerprint import Fingerprinter

LARGEST = 50_000_000
"""Bytes of a text beyond which a change is refused, since it is not read."""
WAIVERS = ".auditor/waivers.yaml"
_FEW_BYTES = 8_000
"""Bytes of a change below which looking at every line is done before the automaton would be loaded."""
_FEW_MESSAGES = 20
"""The same, in messages of commits."""
_MANY_BYTES = 400_000
"""The same where the automaton is compiled first."""


class Stage(Enum):
    """When git asks."""

    COMMIT = "pre-commit"
    PUSH = "pre-push"
    RECEIVE = "pre-receive"


@record
class Request:
    """What git says, and what is looked for."""

    stage: Stage
    environ: Mapping[str, str]
    arguments: tuple[str, ...] = ()
    """Git's own: for a push the remote's name and address."""
    refs: bytes = b""
    """What a push or a receipt gets on standard input: a line for each ref."""
    tier: int = 2
    rule_folders: "tuple[Path, ...]" = ()
    rules_off: tuple[str, ...] = ()
    largest: int = LARGEST
    fingerprint_key: Callable[[], bytes | None] = lambda: None
    waivers: "Callable[[], Path | None]" = lambda: None
    """The file that holds. Where changes are received it is read from the branch that is there already.
    Both are asked for when something was found."""


@record
class Refusal:
    """One credential that a change adds."""

    sighting: "Sighting"
    title: str
    remediation: str
    content: bytes
    """The beginning of the file that holds it, to tell of which kind it is. Never shown."""


@record
class Answer:
    """What a hook has to say."""

    refused: tuple[Refusal, ...]
    waived: int
    unread: tuple[str, ...]
    """What could not be read, each with the reason."""
    files: int
    keyed: bool
    """Whether fingerprints are the same in the next run, so that a waiver can name one."""


def judge(request: Request, *, begun: "Begun | None" = None, now: "Callable[[], datetime] | None" = None) -> Answer:
    """Return what the change adds.

    `begun`: git compares the index already. Raises `GitFailedError` and other `AuditorError`s where the change cannot
    be read: the caller refuses then.
    """
    repository = Repository(".", environ=request.environ, in_hook=True)
    changed, messages = _brought(repository, request, begun)
    search = _Search(repository, request)
    written = search.written(messages)
    seen = search.seen([(change.new, change.path) for change in changed], begun)
    suspects = [change for change in changed if (change.new, change.path) in seen]
    if not suspects and not written:
        return Answer(refused=(), waived=0, unread=tuple(search.unread), files=len(changed), keyed=False)
    from auditor.pipeline.sightings import added, joined  # noqa: PLC0415 - only where something is found

    seen = {**seen, **search.seen([(id_, change.path) for change in suspects for id_ in change.olds])}
    found = joined([*(one for change in suspects for one in added(change, seen)), *written])
    if not found:
        return Answer(refused=(), waived=0, unread=tuple(search.unread), files=len(changed), keyed=False)
    from auditor.pipeline import hook_waived  # noqa: PLC0415 - as above

    titles = _titles(search)
    if request.stage is Stage.RECEIVE:
        waivers = hook_waived.of_branch(repository, WAIVERS)
    else:
        waivers = hook_waived.of_work_tree(request.waivers())
    failing = hook_waived.failing(found, waivers, titles=titles, key_id=search.key_id, now=(now or _now)())
    return Answer(
        refused=tuple(_refusal(one, suspects, search, titles) for one in failing),
        waived=len(found) - len(failing),
        unread=tuple(search.unread),
        files=len(changed),
        keyed=bool(search.key_id),
    )


def _brought(repository: Repository, request: Request, begun: "Begun | None") -> "Brought":
    changed = staged.staged(repository, begun) if request.stage is Stage.COMMIT else []
    ends = [request.environ.get(name, "") for name in _RANGE] if request.stage is Stage.COMMIT else []
    if request.stage is Stage.COMMIT and not all(ends):
        return changed, ()
    from auditor.pipeline import hook_pushed  # noqa: PLC0415 - a commit needs none of it

    match request.stage:
        case Stage.COMMIT:
            more, messages = hook_pushed.between(repository, *ends)
            return [*changed, *more], messages
        case Stage.PUSH:
            return hook_pushed.sent(repository, request.refs, request.arguments)
        case Stage.RECEIVE:
            return hook_pushed.received(repository, request.refs)


_RANGE = ("PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF")
"""What the framework pre-commit sets where it was given two ends of a range: nothing is staged then."""


def _now() -> "datetime":
    from datetime import UTC, datetime  # noqa: PLC0415 - only where something is found

    return datetime.now(UTC)


class _Search:
    """Contents by blob id, searched; with what could not be read."""

    def __init__(self, repository: Repository, request: Request) -> None:
        self.unread: list[str] = []
        self.heads: dict[bytes, bytes] = {}
        """Beginnings of contents with a hit, by blob id."""
        self.rules: RuleSet | None = None
        self._repository = repository
        self._request = request
        self._fingerprinter: Fingerprinter | None = None
        self._engines: dict[bool, Engine] = {}
        self._bytes = 0

    def seen(self, wanted: Iterable[tuple[bytes, str]], begun: "Begun | None" = None) -> "Seen":
        """Return what is found in the contents `wanted` (blob id and path), of each that holds anything."""
        paths: dict[bytes, dict[str, None]] = {}
        for id_, path in wanted:
            paths.setdefault(id_, {})[path] = None
        if not paths:
            return {}
        return self._few(paths, begun) if len(paths) <= few.FEW else self._many(paths)

    def written(self, ids: Sequence[bytes]) -> "list[Sighting]":
        """Return what is found in the messages of these commits and tags."""
        if not ids:
            return []
        from auditor.model.sighting import Where  # noqa: PLC0415 - a commit has none yet
        from auditor.pipeline import secrets_messages  # noqa: PLC0415 - as above

        engine = self._engine(every_line=len(ids) <= _FEW_MESSAGES)
        found, unread = secrets_messages.found(self._repository, ids, engine, Where.CHANGE)
        self.unread += [f"object {id_.decode()[:12]}: it cannot be read" for id_ in unread]
        return found

    @property
    def key_id(self) -> str:
        return self._keyed().key_id

    def _few(self, paths: Mapping[bytes, Iterable[str]], begun: "Begun | None") -> "Seen":
        found: dict[tuple[bytes, str], list[tuple[str, Hit]]] = {}
        contents = begun.contents() if begun is not None else None
        with few.given(self._repository, list(paths), largest=self._request.largest, begun=contents) as given:
            # Git reads while we import.
            self._loaded()
            from auditor.detection.manner import manner  # noqa: PLC0415 - as above

            first, size = [], 0
            for entry in given:
                first.append(entry)
                size += len(entry[1] or b"")
                if size > _FEW_BYTES:
                    break
            quick = False in self._engines or size > _FEW_BYTES
            every_line = not (quick and self._engine(every_line=False).ready)
            for id_, content in chain(first, given):
                self._bytes += len(content or b"")
                engine = self._engine(every_line=every_line and self._bytes < _MANY_BYTES)
                known: dict[Manner, list[tuple[str, Hit]]] = {}
                for path in paths[id_]:
                    how = manner(path)
                    if how not in known or content is None:
                        known[how] = self._hits(id_, content, path, engine)
                    if hits := known[how]:
                        found[id_, path] = hits
                        self.heads[id_] = (content or b"")[:_HEAD]
        return found

    def _hits(self, id_: bytes, content: bytes | None, path: str, engine: "Engine") -> "list[tuple[str, Hit]]":
        if content is None:
            self.unread.append(f"{path}: the repository lacks object {id_.decode()[:12]}")
            return []
        text = as_text(content)
        if text is None or recognised(content):
            from auditor.collectors import searching  # noqa: PLC0415 - for few files

        if recognised(content) and len(content) <= self._request.largest:
            inside, _ = searching.opened(content, self._engine(every_line=False), path=path)
            return [(name, hit) for name, hits in inside for hit in hits]
        if text is None:
            return [("", hit) for hit in searching.tokens(self._engine(every_line=False), content)]
        if len(content) > self._request.largest:
            self.unread.append(f"{path}: it has more than {self._request.largest / 1e6:,.0f} MB")
            return []
        return [("", hit) for hit in engine.scan(text, path=path)]

    def _many(self, paths: Mapping[bytes, Iterable[str]]) -> "Seen":
        from auditor.collectors import searching  # noqa: PLC0415 - for many files
        from auditor.collectors.git import objects  # noqa: PLC0415 - as above

        items = [searching.Item(id_, 0, next(iter(named))) for id_, named in paths.items()]
        sized = objects.sizes(self._repository, items)
        reader = objects.Blobs(self._repository)
        there = [item for item in sized if item is not None]
        search = searching.search(
            reader, there, self._engine(every_line=False), largest=self._request.largest, archives=True
        )
        for item, known in zip(items, sized, strict=True):
            if known is None:
                self.unread.append(f"{item.path}: the repository lacks object {item.id.decode()[:12]}")
        self.unread += [f"{item.path}: it has {item.size / 1e6:,.0f} MB" for item in search.too_large]
        self.unread += [f"{item.path}: it cannot be read" for item in search.unreadable]
        self.heads |= {
            item.id: reader.head(item) for item in there if item.id in search.hits or item.id in search.inside
        }
        rest = [(id_, path) for id_, (_, *others) in paths.items() for path in others]
        found = {(item.id, item.path): hits for item in there if (hits := _all(search, item.id))}
        return {**found, **(self.seen(rest) if rest else {})}

    def _engine(self, *, every_line: bool) -> "Engine":
        known = self._engines.get(every_line)
        if known is None:
            from auditor.detection.engine import Engine  # noqa: PLC0415 - while git reads

            rules = self._loaded()
            known = Engine(rules, fingerprint=lambda value: self._keyed().of(value), every_line=every_line)
            self._engines[every_line] = known
        return known

    def _loaded(self) -> "RuleSet":
        if self.rules is None:
            from auditor.detection import rules  # noqa: PLC0415 - while git reads

            loaded = rules.load(self._request.rule_folders, off=self._request.rules_off)
            self.rules = loaded.of_tier(self._request.tier)
        return self.rules

    def _keyed(self) -> "Fingerprinter":
        if self._fingerprinter is None:
            from auditor.redaction.fingerprint import Fingerprinter  # noqa: PLC0415 - only where something is found

            self._fingerprinter = Fingerprinter(self._request.fingerprint_key())
        return self._fingerprinter


_HEAD = 65_536


def _all(search: "Search", id_: bytes) -> "list[tuple[str, Hit]]":
    found = [("", hit) for hit in search.hits.get(id_, ())]
    return found + [(name, hit) for name, hits in search.inside.get(id_, ()) for hit in hits]


def _titles(search: _Search) -> dict[str, tuple[str, str]]:
    assert search.rules is not None  # noqa: S101 - something was found, so they were loaded
    return {rule.id: (rule.title, rule.remediation) for rule in search.rules.rules.values()}


def _refusal(
    one: "Sighting", suspects: Iterable[Change], search: _Search, titles: Mapping[str, tuple[str, str]]
) -> Refusal:
    from auditor.pipeline.sightings import told  # noqa: PLC0415 - as above

    title, remediation = titles[one.rule]
    there = [change for change in suspects if told(change.path) == one.path]
    named = next((change for change in there if change.commit == one.commit), there[0] if there else None)
    # A message is in no file.
    content = search.heads[named.new] if named is not None else b""
    return Refusal(sighting=one, title=title, remediation=remediation, content=content)
