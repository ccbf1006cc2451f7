"""`auditor collect`: the systems that the user named, each read by its collector, into one snapshot.

Sources are read at the same time; one bound holds for the connections of all of them. What happens to one list is in
the ledger, what happens to a whole source is in its record, and the others go on. Only the disk ends all.
"""

import importlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from auditor import __version__, data
from auditor import workloads as kinds
from auditor.model.collection import Call, Source
from auditor.model.errors import AuditorError, InputError, NothingCollectedError
from auditor.model.record import record
from auditor.model.settings import ExportSource, KubernetesSource, SourceSettings
from auditor.redaction.fingerprint import Fingerprinter
from auditor.snapshot import resuming, writing
from auditor.snapshot.files import UnwritableError
from auditor.snapshot.manifest import Operator, Run
from auditor.snapshot.reading import Snapshot, open_snapshot
from auditor.snapshot.writing import Writer
from auditor.workloads import Workloads

COLLECTORS = {
    KubernetesSource: ("kubernetes", "auditor.collectors.kubernetes.collector"),
    ExportSource: ("kubernetes", "auditor.collectors.exports"),
}
"""Settings -> plane, and the module whose `collect` reads such a source; loaded when one is there."""
_LOOK = 0.2
"""Seconds after which the waiting thread looks up, for progress and for Ctrl-C."""


@record
class Request:
    """What is to be collected, by whom, and where to."""

    folder: Path
    sources: tuple[SourceSettings, ...]
    connections: int
    """Upper bound of simultaneous connections, over all sources."""
    resume: bool = False
    workloads: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """As `Configuration.workloads`."""
    arguments: tuple[str, ...] = ()
    operator: Operator
    tool_digest: str = ""
    configuration_digest: str = ""
    retention: str = ""
    """As `Configuration.retention`."""
    previous: Path | None = None
    """The snapshot before this one."""
    fingerprint_key: bytes | None = None


@record
class Surroundings:
    """What a collection needs of the machine that it runs on; everything here comes from `cli/`."""

    clock: Callable[[], datetime]
    environ: Mapping[str, str]
    jitter: Callable[[], float]
    """A random number from 0 to 1: spreads retries."""
    progress: Callable[[str], None]
    """Called in the thread that called `collect`."""


def collect(request: Request, surroundings: Surroundings) -> Snapshot:
    """Return the snapshot that was written. After Ctrl-C it is partial, and says so.

    Raises `InputError` where there is nothing to read or nowhere to write, `UnwritableError` when the disk gives up,
    and `NothingCollectedError` when all is done and there is not one object.
    """
    if not request.sources:
        raise InputError(
            "there is no source to collect from",
            hint="Name systems under `sources:` of auditor.yaml (`auditor init` writes one), or say --from DIR.",
        )
    fingerprinter = Fingerprinter(request.fingerprint_key)
    previous = open_snapshot(request.previous).digest if request.previous else ""
    run = Run(
        tool_version=__version__,
        tool_digest=request.tool_digest,
        started=surroundings.clock(),
        arguments=request.arguments,
        sources=tuple(source.name for source in request.sources),
        operator=request.operator,
        configuration_digest=request.configuration_digest,
        fingerprint_key_id=fingerprinter.key_name,
        retention=request.retention,
        previous=previous,
    )
    workloads = kinds.load(data.policies() / "workloads.yaml", request.workloads)
    left = request.sources
    if request.resume:
        resumed = resuming.resume(request.folder, run=run, clock=surroundings.clock)
        writer = resumed.writer
        left = tuple(source for source in left if source.name not in resumed.completed)
    else:
        writer = writing.create(request.folder, run=run, clock=surroundings.clock)
    _Reading(request, surroundings, writer, workloads, fingerprinter).all(left)
    writer.finish()
    snapshot = open_snapshot(request.folder)
    if not writer.stopping() and not any(call.kept for call in snapshot.calls):
        raise _nothing(snapshot, begun=not request.resume)
    return snapshot


def _nothing(snapshot: Snapshot, *, begun: bool) -> NothingCollectedError:
    """Return why there is not one object. A snapshot that this run began and that tells nothing more is taken away."""
    reasons = tuple(reason for source in snapshot.sources for reason in _reasons(source, snapshot.calls))
    names = ", ".join(snapshot.manifest.runs[-1].sources)
    if begun and not snapshot.calls:
        writing.remove(snapshot.path)
        hint = f"Mend that and collect again: {snapshot.path} was not left behind. `auditor doctor` tries each source."
    else:
        hint = (
            f"`auditor snapshot show {snapshot.path}` has every list, `auditor doctor --grants` what to grant. Then "
            f"`auditor collect -o {snapshot.path} --resume` asks again; with another configuration remove the folder."
        )
    return NothingCollectedError(names, reasons=reasons or (f"{names}: no list was asked",), hint=hint)


def _reasons(source: Source, calls: Sequence[Call]) -> Iterator[str]:
    """Yield why nothing came of a source: its failure, or how lists of it ended, the most frequent end first."""
    if source.failure:
        yield f"{source.name}: {source.failure}"
        return
    own = [call for call in calls if call.source == source.name]
    holes = [call for call in own if not call.complete]
    if not holes:
        yield f"{source.name}: {len(own)} lists were read, and there is no object in them"
    for result, count in Counter(call.result for call in holes).most_common():
        example = next(call for call in holes if call.result is result)
        yield f"{source.name}: {count} list{'s' if count != 1 else ''} {result.value}: {example.reason}"


class _Reading:
    """The sources of one run, a thread each, as many at a time as there are connections."""

    def __init__(
        self,
        request: Request,
        surroundings: Surroundings,
        writer: Writer,
        workloads: Workloads,
        fingerprinter: Fingerprinter,
    ) -> None:
        self._request = request
        self._surroundings = surroundings
        self._writer = writer
        self._workloads = workloads
        self._fingerprinter = fingerprinter
        self._connections = threading.BoundedSemaphore(request.connections)
        self._waiting: SimpleQueue[SourceSettings] = SimpleQueue()
        self._lock = threading.Lock()
        self._working = 0
        self._ended = threading.Event()
        self._said: dict[str, str] = {}
        self._fault: BaseException | None = None

    def all(self, sources: Sequence[SourceSettings]) -> None:
        """Read every source. Raises what is no matter of a single source, after all have ended."""
        for source in sources:
            self._waiting.put(source)
        count = min(len(sources), self._request.connections)
        self._working = count
        for number in range(count):
            threading.Thread(target=self._work, name=f"source-{number}", daemon=True).start()
        try:
            self._wait()
        except KeyboardInterrupt:
            self._writer.stop()
            self._said = {"": "ending the lists that are open; press Ctrl-C again to leave at once"}
            self._wait()
        if self._fault is not None:
            # What was read is worth keeping, whatever went wrong.
            with suppress(UnwritableError):
                self._writer.finish()
            raise self._fault

    def _wait(self) -> None:
        # Not `Thread.join`: interrupted, it takes a thread that works for one that has ended (Python 3.11 and 3.12).
        while self._working and not self._ended.wait(_LOOK):
            self._surroundings.progress(" | ".join(text for _, text in sorted(dict(self._said).items())))

    def _work(self) -> None:
        try:
            self._work_off()
        finally:
            with self._lock:
                self._working -= 1
                if not self._working:
                    self._ended.set()

    def _work_off(self) -> None:
        while not self._writer.stopping():
            try:
                source = self._waiting.get_nowait()
            except Empty:
                return
            try:
                self._source(source)
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits, which raises it
                self._fault = self._fault or error
                self._writer.stop()

    def _source(self, source: SourceSettings) -> None:
        started = self._surroundings.clock()
        plane, module = COLLECTORS[type(source.settings)]
        read: Callable[..., None] = importlib.import_module(module).collect
        try:
            read(source.settings, **self._needs(source))
        except UnwritableError:
            raise
        except AuditorError as error:
            if self._writer.stopping():
                # What it met is our own end, and that is on record already.
                return
            ended = self._surroundings.clock()
            kind = "export" if isinstance(source.settings, ExportSource) else "live"
            self._writer.source(
                Source(
                    name=source.name,
                    plane=plane,
                    kind=kind,
                    tags=source.tags,
                    failure=f"{error}. {error.hint}".strip(),
                    started=started,
                    ended=ended,
                )
            )
        self._said.pop(source.name, None)

    def _needs(self, source: SourceSettings) -> dict[str, Any]:
        def say(text: str) -> None:
            self._said[source.name] = text

        needs: dict[str, Any] = {
            "name": source.name,
            "tags": source.tags,
            "sink": self._writer,
            "fingerprint": self._fingerprinter.of,
            "workloads": self._workloads,
            "clock": self._surroundings.clock,
            "progress": say,
        }
        if isinstance(source.settings, KubernetesSource):
            needs |= {
                "connections": self._connections,
                "environ": self._surroundings.environ,
                "jitter": self._surroundings.jitter,
            }
        return needs
