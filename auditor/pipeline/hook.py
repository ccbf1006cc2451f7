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
from auditor.model.errors import InputError
from auditor.model.record import record

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from auditor.collectors.git.staged import Begun
    from auditor.collectors.searching import Search
    from auditor.detection.engine import Engine, Hit
    from auditor.detection.manner import Manner
    from auditor.detection.rules import RuleSet
    from auditor.model.assessment import Waiver
    from auditor.model.sighting import Sighting
    from auditor.pipeline.sightings import Seen
    from auditor.redaction.fingerprint import Fingerprinter

POLICY = "L-GIT-01"
CARD_POLICY = "L-PAN-01"
LARGEST = 50_000_000
"""Bytes of a text beyond which a change is refused, since it is not read."""
WAIVERS = ".auditor/waivers.yaml"
_FEW_BYTES = 8_000
"""Bytes of a change below which looking at every line is done before the automaton would be loaded."""
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
    changed = _changed(repository, request, begun)
    search = _Search(repository, request)
    seen = search.seen([(change.new, change.path) for change in changed], begun)
    suspects = [change for change in changed if (change.new, change.path) in seen]
    if not suspects:
        return Answer(refused=(), waived=0, unread=tuple(search.unread), files=len(changed), keyed=False)
    from auditor.pipeline.sightings import added, joined  # noqa: PLC0415 - only where something is found

    seen = {**seen, **search.seen([(id_, change.path) for change in suspects for id_ in change.olds])}
    found = joined(one for change in suspects for one in added(change, seen))
    failing, waived = _without_waived(found, repository, request, search, now or _now)
    return Answer(
        refused=tuple(_refusal(one, suspects, search) for one in failing),
        waived=waived,
        unread=tuple(search.unread),
        files=len(changed),
        keyed=bool(found) and bool(search.key_id),
    )


def _now() -> "datetime":
    from datetime import UTC, datetime  # noqa: PLC0415 - only where something is found

    return datetime.now(UTC)


def _changed(repository: Repository, request: Request, begun: "Begun | None") -> list[Change]:
    match request.stage:
        case Stage.COMMIT:
            return staged.staged(repository, begun)
        case Stage.PUSH:
            tips, there = _pushed(repository, request)
        case Stage.RECEIVE:
            tips, there = [line[1] for line in _lines(request.refs, 3)], ["--not", "--all"]
    tips = [tip for tip in tips if tip.strip("0")]
    commits = [tip for tip in tips if _kind(repository, tip) == "commit"]
    from auditor.collectors.git import history  # noqa: PLC0415 - a commit needs none of it

    # The earliest first: it is the one to be named.
    found = history.changes(repository, [*commits, *there])[::-1] if commits else []
    return [*found, *(change for tip in tips if tip not in commits for change in _loose(repository, tip, there))]


def _pushed(repository: Repository, request: Request) -> tuple[list[str], list[str]]:
    """Return the new ids of a push, and arguments for what the remote is known to have."""
    rows = _lines(request.refs, 4)
    remote = request.arguments[0] if request.arguments else ""
    known = [row[3] for row in rows if row[3].strip("0") and repository.succeeds("cat-file", "-e", row[3])]
    has_name = remote and not any(character in remote for character in ":*?[\\/")
    return [row[1] for row in rows], ["--not", *known, *([f"--remotes={remote}"] if has_name else [])]


def _lines(refs: bytes, fields: int) -> list[list[str]]:
    rows = [line.split(" ") for line in refs.decode("utf-8", "surrogateescape").split("\n") if line]
    if any(len(row) != fields for row in rows):
        raise InputError(
            "what git hands to the hook is not of the form that it documents",
            hint="Install the hook again: `auditor secrets hook install`.",
        )
    return rows


def _kind(repository: Repository, id_: str) -> str:
    """Return what an id names, a tag followed to its end."""
    return repository.run("cat-file", "-t", f"{id_}^{{}}").decode().strip()


def _loose(repository: Repository, tip: str, there: Sequence[str]) -> list[Change]:
    """Return the contents that a ref to a tree or a blob brings along."""
    output = repository.run("rev-list", "--objects", tip, *there, "--")
    pairs = [line.partition(b" ") for line in output.splitlines()]
    kinds = repository.run(
        "cat-file", "--batch-check=%(objecttype)", stdin=b"".join(id_ + b"\n" for id_, _, _ in pairs)
    ).split()
    return [
        Change(path=path.decode("utf-8", "surrogateescape") or f"object {id_.decode()}", olds=(), new=id_)
        for (id_, _, path), kind in zip(pairs, kinds, strict=True)
        if kind == b"blob"
    ]


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


def _without_waived(
    found: "list[Sighting]", repository: Repository, request: Request, search: _Search, now: "Callable[[], datetime]"
) -> "tuple[list[Sighting], int]":
    """Return what no waiver covers, and how many a waiver does: the same waivers, read the same, as in a scan."""
    if not found:
        return [], 0
    from auditor.assess import waivers as waiving  # noqa: PLC0415 - only where something is found
    from auditor.facts import credentials  # noqa: PLC0415 - as above
    from auditor.model.assessment import Subject  # noqa: PLC0415 - as above
    from auditor.model.resource import Location  # noqa: PLC0415 - as above
    from auditor.model.sighting import CARD_NUMBER  # noqa: PLC0415 - as above
    from auditor.model.verdict import Finding, Outcome, Severity  # noqa: PLC0415 - as above

    waivers = _waivers(repository, request)
    if not waivers:
        return found, 0
    facts = credentials.credentials(found, titles=_titles(search), now=now())
    subjects = [
        Subject(id=fact.id, type=fact.type, namespace="", name=fact.name, location=Location(file=fact.origin.file))
        for fact in facts
    ]
    findings = [
        Finding(
            policy_id=CARD_POLICY if fact.body["rule"] == CARD_NUMBER else POLICY,
            subject=index,
            fingerprint="",
            value_fingerprint=fact.body["fingerprint"],
            message="",
            location=subjects[index].location,
            severity=Severity.CRITICAL,
        )
        for index, fact in enumerate(facts)
    ]
    judged, _ = waiving.apply(findings, subjects, waivers, today=now().date(), key_id=search.key_id)
    waived = {
        (facts[finding.subject].name, finding.value_fingerprint)
        for finding in judged
        if finding.outcome is Outcome.WAIVED
    }
    failing = [one for one in found if (credentials.name(one), one.fingerprint) not in waived]
    return failing, len(found) - len(failing)


def _waivers(repository: Repository, request: Request) -> "tuple[Waiver, ...]":
    from auditor.assess import waivers as waiving  # noqa: PLC0415 - only where something is found

    if request.stage is Stage.RECEIVE:
        # From the branch that is there: what is received must not excuse itself.
        if not repository.succeeds("cat-file", "-e", f"HEAD:{WAIVERS}"):
            return ()
        text = repository.run("cat-file", "blob", f"HEAD:{WAIVERS}").decode("utf-8-sig", "replace")
        return waiving.parse(text, file=f"HEAD:{WAIVERS}")
    file = request.waivers()
    return waiving.load(file) if file is not None else ()


def _titles(search: _Search) -> dict[str, tuple[str, str]]:
    assert search.rules is not None  # noqa: S101 - something was found, so they were loaded
    return {rule.id: (rule.title, rule.remediation) for rule in search.rules.rules.values()}


def _refusal(one: "Sighting", suspects: Iterable[Change], search: _Search) -> Refusal:
    from auditor.pipeline.sightings import told  # noqa: PLC0415 - as above

    title, remediation = _titles(search)[one.rule]
    there = [change for change in suspects if told(change.path) == one.path]
    named = next((change for change in there if change.commit == one.commit), there[0])
    return Refusal(sighting=one, title=title, remediation=remediation, content=search.heads[named.new])
