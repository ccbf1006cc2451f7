"""`auditor secrets scan`: files, histories and changes in, assessment out."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from functools import partial
from pathlib import Path
from typing import BinaryIO

from auditor.collectors import searching, trees
from auditor.collectors.git import population, refs
from auditor.collectors.searching import Search
from auditor.detection import rules as detection
from auditor.detection.engine import Engine
from auditor.detection.rules import RuleSet
from auditor.detection.text import as_text, shown
from auditor.facts import credentials
from auditor.facts.estate import Estate
from auditor.facts.leaks import facts as leak_facts
from auditor.model.assessment import Assessment
from auditor.model.coverage import Gap, GapReason
from auditor.model.errors import InputError
from auditor.model.sighting import CARD_NUMBER, Sighting, Where
from auditor.pipeline import (
    judging,
    leaking,
    rules,
    secrets_contents,
    secrets_found,
    secrets_git,
    secrets_images,
    secrets_logs,
    summary,
)
from auditor.pipeline.assemble import JudgedSubject
from auditor.pipeline.assessing import Reached, assess
from auditor.pipeline.judging import Progress
from auditor.pipeline.leaking import Leaked
from auditor.pipeline.places import Places
from auditor.pipeline.rules import Rules, Terms
from auditor.pipeline.secrets_contents import Way
from auditor.pipeline.secrets_found import Found, result
from auditor.pipeline.sightings import joined, sighting
from auditor.policy.engine import NO_ANSWER
from auditor.redaction.fingerprint import Fingerprinter

_MANY = 1 << 30
"""Bytes of what nobody knows the size of."""


class Mode(Enum):
    """What of a repository is read."""

    FILES = "files"
    HISTORY = "history"
    RANGE = "range"
    STAGED = "staged"
    STREAM = "stream"
    LOG = "log"
    IMAGE = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Terms):
    """What a search was asked for."""

    mode: Mode
    paths: tuple[str, ...] = ()
    """Files and folders, or the repository."""
    revisions: tuple[str, ...] = population.ALL_REFS
    """Arguments of `git rev-list`, such as `main..HEAD`."""
    unreachable: bool = False
    environ: Mapping[str, str]
    in_hook: bool = False
    tier: int = 2
    """The highest tier of rules that is looked for."""
    rule_folders: tuple[Path, ...] = ()
    rules_off: tuple[str, ...] = ()
    honour_gitignore: bool = True
    exclude: tuple[str, ...] = ()
    largest: int = searching.LARGEST
    fingerprint_key: bytes | None = None
    snapshots: tuple[Path, ...] = ()
    """Of the systems that may use the credentials: what leaked is compared with what stands there."""
    cache: Path | None = None
    """Folder of what earlier runs judged clean; `None`: everything is read."""
    follow: bool = False
    """Whether what leaked is followed up wherever it was found, also where no date is known."""


def scan(request: Request, *, now: datetime, stdin: BinaryIO, progress: Progress) -> Assessment:
    """Return the assessment of what `request` names. Raises as `examine`."""
    return examine(request, now=now, stdin=stdin, progress=progress)[0]


def examine(request: Request, *, now: datetime, stdin: BinaryIO, progress: Progress) -> tuple[Assessment, Leaked]:
    """Return the assessment of what `request` names, and what is known of the credentials that leaked.

    Raises `InputError` for what a user can mend, and when there is nothing to search.
    """
    judged_by = rules.load(request, now=now)
    looked_for = detection.load(request.rule_folders, off=request.rules_off).of_tier(request.tier)
    fingerprinter = Fingerprinter(request.fingerprint_key)

    way = Way(
        engine=secrets_contents.engine_for(partial(Engine, looked_for, fingerprint=fingerprinter.of)),
        jobs=request.jobs,
        largest=request.largest,
        cache=request.cache,
        judged_by=looked_for.digest,
        progress=progress,
    )
    match request.mode:
        case Mode.FILES:
            found = _files(request, way, now)
        case Mode.STREAM:
            found = _stream(request, way, stdin)
        case Mode.LOG:
            found = _logs(request, way)
        case Mode.IMAGE:
            found = _images(request, way)
        case Mode.HISTORY:
            found = secrets_git.of_history(
                request.paths[0], request.revisions, way, unreachable=request.unreachable, environ=request.environ,
                now=now.timestamp(),
            )  # fmt: skip
        case Mode.RANGE | Mode.STAGED:
            ranges = request.revisions if request.mode is Mode.RANGE else None
            found = secrets_git.of_changes(
                request.paths[0], ranges, way, environ=request.environ, in_hook=request.in_hook
            )
    if (
        not found.searched.read
        and found.coverage.complete
        # A change may add nothing, and one that was listed to its end is proof of that.
        and request.mode not in {Mode.STAGED, Mode.RANGE}
        and not found.coverage.files_found
    ):
        raise InputError(
            f"nothing to search was found in {', '.join(map(shown, request.paths)) or 'standard input'}",
            hint="Name a folder, a file, or a repository with --git; `auditor secrets scan --help` shows examples.",
        )
    if CARD_NUMBER in looked_for.rules:
        found.searched = replace(found.searched, cards=_cards(found.sightings))
    leaked = _leaked(found, request, judged_by, titles=_titles(looked_for), fingerprinter=fingerprinter)
    progress("assessing")
    facts = [
        *credentials.credentials(found.sightings, titles=_titles(looked_for), now=now),
        *credentials.searches([found.searched]),
        *leak_facts(leaked.leaks),
    ]
    judged = judging.judge(facts, Estate(), by=judged_by.judge, places=Places(()))
    gaps = (*found.coverage.gaps, *_unjudged(judged))
    reached = Reached(
        judged=judged,
        coverage=(replace(found.coverage, gaps=gaps),),
        arguments=request.paths,
        digests=[("detection rules", looked_for.digest), *leaked.digests],
        key_id=fingerprinter.key_id,
        leaks=partial(
            summary.summary,
            found.sightings,
            [found.searched],
            titles={rule.id: rule.title for rule in looked_for.rules.values()},
        ),
    )
    return assess(reached, judged_by, now=now), leaked


def _unjudged(judged: Iterable[JudgedSubject]) -> Iterator[Gap]:
    """Yield a gap for each credential that a policy failed to judge: what was found must never end in a green run."""
    for one in judged:
        for entry in one.judged.others:
            if one.subject.type == credentials.FACT and NO_ANSWER in entry.reason:
                detail = (
                    f"A credential in it could not be judged ({entry.reason}). Look at it by hand, and report this."
                )
                yield Gap(file=one.subject.location.file, reason=GapReason.UNREADABLE, detail=detail)


def _cards(sightings: Iterable[Sighting]) -> int:
    return len({one.fingerprint for one in sightings if one.rule == CARD_NUMBER})


def _leaked(
    found: Found,
    request: Request,
    by: Rules,
    *,
    titles: dict[str, tuple[str, str]],
    fingerprinter: Fingerprinter,
) -> Leaked:
    """Return what is known of what leaked. Files tell no date, so they are followed up only into snapshots."""
    if found.ground is None or not (request.snapshots or request.follow or request.mode is Mode.HISTORY):
        return Leaked()
    return leaking.leaked(
        found.sightings,
        found.ground,
        snapshots=request.snapshots,
        titles=titles,
        by=by,
        fingerprinter=fingerprinter,
    )


def _titles(looked_for: RuleSet) -> dict[str, tuple[str, str]]:
    return {rule.id: (rule.title, rule.remediation) for rule in looked_for.rules.values()}


# What is searched


def _files(request: Request, way: Way, now: datetime) -> Found:
    way.progress("looking for files")
    tree = trees.walk(
        request.paths,
        honour_gitignore=request.honour_gitignore,
        exclude=request.exclude,
        tracked=partial(refs.tracked, environ=request.environ),
    )
    started = now.timestamp()
    search = secrets_contents.search(
        trees.Files(now=int(started * 1e9)),
        tree.items,
        way,
        what="files",
        population=("files", os.getcwd(), *request.paths),  # noqa: PTH109 - a name, not a file
        archives=True,
        now=started,
    )
    sightings = [sighting(Where.TREE, item.path, hit) for item in tree.items for hit in search.hits.get(item.id, ())]
    sightings += [
        sighting(Where.TREE, item.path, hit, inside=name)
        for item in tree.items
        for name, hits in search.inside.get(item.id, ())
        for hit in hits
    ]
    return result(
        Where.TREE, ", ".join(request.paths), joined(sightings), search, found=len(tree.items) + len(tree.gaps),
        skipped=tree.skipped, gaps=[*tree.gaps, *secrets_found.gaps(search)], ground=leaking.of_files(request.paths),
    )  # fmt: skip


def _stream(request: Request, way: Way, stdin: BinaryIO) -> Found:
    content = stdin.read(request.largest + 1)
    gaps = []
    if len(content) > request.largest:
        detail = (
            f"Only its first {request.largest / 1e6:,.0f} MB were searched. `--log -` reads a stream of any length."
        )
        gaps = [Gap(file="-", reason=GapReason.TOO_LARGE, detail=detail)]
    text = as_text(content)
    search = Search(bytes_read=len(content), read=int(text is not None), binary=int(text is None))
    engine = way.engine(len(content))
    hits = searching.tokens(engine, content) if text is None else engine.scan(text)
    sightings = [sighting(Where.STREAM, "-", hit) for hit in hits]
    return result(Where.STREAM, "standard input", joined(sightings), search, found=1, gaps=gaps)


def _logs(request: Request, way: Way) -> Found:
    told = _counted(way.progress, "logs")
    sightings, search, gaps = secrets_logs.search(request.paths, way.engine(_MANY), told=told)
    return result(Where.LOG, ", ".join(request.paths), sightings, search, found=len(request.paths), gaps=gaps)


def _images(request: Request, way: Way) -> Found:
    told = _counted(way.progress, "images")
    sightings, search, gaps = secrets_images.search(
        request.paths, way.engine(_MANY), largest=request.largest, told=told
    )
    found = search.read + search.binary + search.archives + len(gaps)
    return result(Where.IMAGE, ", ".join(request.paths), sightings, search, found=found, gaps=gaps)


def _counted(progress: Progress, what: str) -> Callable[[int], None]:
    read = 0

    def told(size: int) -> None:
        nonlocal read
        read += size
        progress(f"searched {read / 1e6:,.0f} MB of {what}")

    return told
