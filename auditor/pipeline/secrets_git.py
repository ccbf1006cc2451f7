"""Credentials in a repository: in the whole history, and in what a range of commits or the index adds.

A content is searched once, however many files had it; once more for each other manner in which one of their names makes
it be read, since `.env` and an equal `.env.example` are two things.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from auditor.collectors.git import history, messages, objects, population, refs
from auditor.collectors.git.command import GitFailedError, Repository
from auditor.collectors.git.history import Arrival
from auditor.collectors.git.objects import Blobs
from auditor.collectors.git.staged import staged
from auditor.collectors.searching import Item, Search
from auditor.detection.manner import Manner, manner
from auditor.detection.text import shown
from auditor.model.errors import InputError
from auditor.model.sighting import Sighting, Where
from auditor.pipeline import leaking, secrets_contents, secrets_found, secrets_messages
from auditor.pipeline.secrets_contents import Way
from auditor.pipeline.secrets_found import Found, missing, result, shallow
from auditor.pipeline.sightings import added, joined, sighting

if TYPE_CHECKING:
    from auditor.detection.engine import Hit


_MESSAGE = 500
"""Bytes of a commit, about."""


class Readings:
    """What was found in each content, by the manner in which a path makes it be read."""

    def __init__(self, search: Search, items: Iterable[Item]) -> None:
        """`items` were searched, each under its path."""
        self._hits: dict[tuple[bytes, Manner], list[Hit]] = {}
        self._items = {item.id: item for item in items}
        self._paths = {id_: item.path.encode("utf-8", "surrogateescape") for id_, item in self._items.items()}
        self._search = search
        for id_, hits in search.hits.items():
            self._hits[id_, self._manner(id_)] = hits

    def differs(self, id_: bytes, path: bytes) -> bool:
        """Return whether the content was searched, and `path`, as git wrote it, has it read in another manner."""
        known = self._paths.get(id_)
        # Asked for each change of a history, and nearly always it is the path that is known.
        return known is not None and known != path and self._manner(id_) != manner(history.unquoted(path))

    def _manner(self, id_: bytes) -> Manner:
        return manner(self._items[id_].path)

    def read(self, places: Iterable[tuple[bytes, str]], search: Callable[[Sequence[Item]], Search]) -> None:
        """Search once more what stands under another manner of path, with `search`."""
        others: dict[Manner, dict[bytes, Item]] = {}
        for id_, path in places:
            if id_ in self._items and self._manner(id_) != manner(path):
                others.setdefault(manner(path), {})[id_] = self._items[id_]._replace(path=path)
        for how, items in others.items():
            found = search(list(items.values()))
            self._hits |= {(id_, how): hits for id_, hits in found.hits.items()}
            self._search.unreadable += found.unreadable
            self._search.crowded += found.crowded

    def of(self, id_: bytes, path: str) -> "list[tuple[str, Hit]]":
        """Return what was found in a content as it stands under `path`, with the names of members of an archive."""
        found = [("", hit) for hit in self._hits.get((id_, manner(path)), ())]
        return found + [(name, hit) for name, hits in self._search.inside.get(id_, ()) for hit in hits]

    def found(self) -> set[bytes]:
        """Return the contents in which anything was found."""
        return {id_ for id_, _ in self._hits}.union(self._search.inside)


def of_history(
    folder: str, revisions: Sequence[str], way: Way, *, unreachable: bool, environ: Mapping[str, str], now: float
) -> Found:
    """Return what stands in any commit that `revisions` reach; with `unreachable` in all that is stored."""
    repository = Repository(folder, environ=environ)
    way.progress("listing the objects of the history")
    scope = population.reached(repository, revisions, unreachable=unreachable)
    search = secrets_contents.search(
        Blobs(repository), scope.blobs, way, what="blobs", population=("history", repository.git_folder),
        archives=True, now=now,
    )  # fmt: skip
    readings = Readings(search, (item for item in scope.blobs if item.size <= way.largest))
    way.progress("reading messages, and dating what was found")
    wanted = readings.found().union(id_.encode() for id_ in scope.missing)
    arrivals: dict[bytes, list[Arrival]] = {}
    head: Mapping[bytes, Sequence[str]] | None = None
    with ThreadPoolExecutor(max_workers=1) as pool:
        # Mostly the work of git, so both are done side by side.
        written = pool.submit(
            secrets_messages.found, repository, scope.written, way.engine(len(scope.written) * _MESSAGE), Where.HISTORY
        )
        if scope.whole:
            try:
                arrivals = history.arrivals(
                    repository, lambda id_, path: id_ in wanted or readings.differs(id_, path), revisions
                )
                head = history.in_head(repository) if arrivals else {}
            except GitFailedError:
                arrivals = {}
        in_messages, unread = written.result()
    readings.read(
        ((id_, one.path) for id_, known in arrivals.items() for one in known),
        lambda items: secrets_contents.search(Blobs(repository), items, way, what="blobs under other names"),
    )
    gaps = [
        *secrets_found.gaps(search),
        *missing({id_: _first(arrivals.get(id_.encode(), ())) or path for id_, path in scope.missing.items()}),
        *missing({id_.decode(): "" for id_ in unread if id_.decode() not in scope.missing}),
        *secrets_found.damaged(repository, scope.damaged),
        *shallow(repository),
        *(() if scope.whole and head is not None else secrets_found.broken(repository)),
    ]
    paths = {item.id: item.path for item in scope.blobs}
    return result(
        Where.HISTORY, folder, joined([*_dated(readings, arrivals, head, paths), *in_messages]), search,
        found=len(scope.blobs) + len(scope.missing), gaps=gaps, repository=repository,
        ground=leaking.of_history(repository, refs.head(repository)),
    )  # fmt: skip


def _first(arrivals: Sequence[Arrival]) -> str:
    return arrivals[0].path if arrivals else ""


def _dated(
    readings: Readings,
    arrivals: Mapping[bytes, Sequence[Arrival]],
    head: Mapping[bytes, Sequence[str]] | None,
    paths: Mapping[bytes, str],
) -> list[Sighting]:
    """Return every find where it stood, the earliest commit first, and last what no commit tells of."""
    ranked: list[tuple[int, Sighting]] = []
    for id_ in readings.found():
        present = head.get(id_, ()) if head is not None else None
        places: Sequence[Arrival | None] = arrivals.get(id_) or [None]
        for arrival in places:
            path = arrival.path if arrival is not None else paths.get(id_, "")
            for inside, hit in readings.of(id_, path):
                one = sighting(
                    Where.HISTORY,
                    path or f"object {id_.decode()}",
                    hit,
                    commit=arrival.commit if arrival is not None else "",
                    date=arrival.date if arrival is not None else None,
                    in_head=None if present is None else path in present,
                    blob=id_.decode(),
                    inside=inside,
                )
                ranked.append((arrival.rank if arrival is not None else 1, one))
    return [one for _, one in sorted(ranked, key=lambda entry: entry[0])]


def of_changes(
    folder: str, revisions: Sequence[str] | None, way: Way, *, environ: Mapping[str, str], in_hook: bool
) -> Found:
    """Return what the commits of `revisions` (`A..B`) add, or, for `None`, what the index does.

    A value that the file held before is not of this change.
    """
    repository = Repository(folder, environ=environ, in_hook=in_hook)
    way.progress("listing what changes")
    if revisions is not None:
        _known(repository, revisions)
    changed = staged(repository) if revisions is None else history.changes(repository, revisions)
    items: dict[bytes, Item] = {}
    places = [(id_, change.path) for change in changed for id_ in (change.new, *change.olds)]
    for id_, path in places:
        items.setdefault(id_, Item(id_, 0, path))
    sized = objects.sizes(repository, list(items.values()))
    there = [item for item in sized if item is not None]
    search = secrets_contents.search(Blobs(repository), there, way, what="blobs", archives=True)
    readings = Readings(search, (item for item in there if item.size <= way.largest))
    readings.read(
        places, lambda items: secrets_contents.search(Blobs(repository), items, way, what="blobs under other names")
    )
    lost = [item for item, known in zip(items.values(), sized, strict=True) if known is None]
    gaps = [
        *secrets_found.gaps(search),
        *missing({item.id.decode(): item.path for item in lost}),
        *(shallow(repository) if revisions is not None else ()),
    ]
    ids = messages.of_commits(repository, revisions) if revisions is not None else []
    in_messages, unread = secrets_messages.found(repository, ids, way.engine(len(ids) * _MESSAGE), Where.CHANGE)
    gaps += missing({id_.decode(): "" for id_ in unread})
    sightings = [
        sighting
        for change in changed
        for seen in ({(id_, change.path): readings.of(id_, change.path) for id_ in (change.new, *change.olds)},)
        for sighting in added(change, seen)
    ]
    return result(
        Where.CHANGE, folder, joined([*sightings, *in_messages]), search, found=len(items), gaps=gaps,
        repository=repository,
    )  # fmt: skip


def _known(repository: Repository, ranges: Iterable[str]) -> None:
    """Raise `InputError` for a range of which an end is no commit here."""
    for text in ranges:
        first, dots, last = text.partition("..")
        if not dots or not first:
            # Git takes `..HEAD` for `HEAD..HEAD`, which is empty: a CI job whose variable is not set would be green.
            hint = "Write it as A..B, e.g. origin/main..HEAD; is the variable set that A comes from?"
            raise InputError(f"{shown(text)} is no range of commits", hint=hint)
        for end in (first, last.removeprefix(".")):
            if end:
                refs.commit(repository, end)
