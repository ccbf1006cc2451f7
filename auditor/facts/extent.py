"""How far a source was read, and so what the absence of an object proves there.

A live source has a ledger: an object that is not there does not exist only where the list that would show it was read
to its end. Manifests have none. They are never a whole cluster, so the policies that judge them speak of "the input",
and to them nothing is unread.
"""

import re
from collections.abc import Iterable
from dataclasses import field

from auditor.model.collection import COMPLETE, Call, CallResult, Source
from auditor.model.record import record

EVERYWHERE = None
"""For `Extent.unread`: every namespace there is."""

_VERSION = re.compile(r"v?1\.(\d+)")


@record(kw_only=False)
class Extent:
    """What was read of one source."""

    source: str = ""
    """Name of a live source or export; empty: manifests."""
    failure: str = ""
    """Why nothing of it could be read."""
    results: dict[tuple[str, str], CallResult] = field(default_factory=dict)
    """Type and namespace (empty: the whole cluster) to how the last such list ended."""
    minor: int = 0
    """Of the Kubernetes version 1.`minor`; 0: not known."""
    provider: str = ""
    """Who runs the control plane, as `Source.provider`."""
    _answers: dict[tuple[str, str | None], str] = field(default_factory=dict, compare=False)

    @property
    def live(self) -> bool:
        """Whether absence has to be proven by the ledger."""
        return bool(self.source)

    def unread(self, type_: str, namespace: str | None) -> str:
        """Return why an object of `type_` that is not there may exist; empty where it does not.

        `namespace`: where it would be; empty for types without namespaces, `EVERYWHERE` for anywhere.
        """
        if not self.source:
            return ""
        answer = self._answers.get((type_, namespace))
        if answer is None:
            answer = self._answers[type_, namespace] = self._unread(type_, namespace)
        return answer

    def unread_in_scope(self, type_: str) -> str:
        """Return why objects of `type_` may be missing from what was asked for; empty where none is."""
        if not self.source:
            return ""
        asked = self._asked(type_)
        wanting = sorted((place, result) for place, result in asked.items() if result not in COMPLETE)
        if asked and not wanting:
            return ""
        return self._why(type_, *wanting[0]) if wanting else self._why(type_, "", None)

    def _asked(self, type_: str) -> dict[str, CallResult]:
        """Return how each list of the type ended, by namespace."""
        found = {place: result for (of_type, place), result in self.results.items() if of_type == type_}
        # A group that was asked for as a whole: what it does not serve is not there.
        group = f"kubernetes/*.{type_.partition('.')[2]}"
        return found or {place: result for (of_type, place), result in self.results.items() if of_type == group}

    def _unread(self, type_: str, namespace: str | None) -> str:
        asked = self._asked(type_)
        whole = asked.get("")
        if whole in COMPLETE:
            return ""
        if namespace is EVERYWHERE or not asked:
            return self.unread_in_scope(type_) or self._beyond(type_)
        own = asked.get(namespace)
        if own in COMPLETE:
            return ""
        if own is not None:
            return self._why(type_, namespace, own)
        return self._why(type_, "", whole) if whole is not None else self._beyond(type_)

    def _why(self, type_: str, namespace: str, result: CallResult | None) -> str:
        if self.failure:
            return f"{self.source}: {self.failure}"
        where = f" in namespace {namespace}" if namespace else ""
        how = "not asked" if result is None else result.replace("-", " ")
        return f"{self.source}: the list of {kind(type_)}{where} was not read ({how})"

    def _beyond(self, type_: str) -> str:
        return f"{self.source}: {kind(type_)} was listed in the namespaces of the scope alone"


MANIFESTS = Extent()
"""Of files: nothing is unread."""


def of_source(source: Source, calls: Iterable[Call]) -> Extent:
    """Return how far a source was read, by the calls of its ledger."""
    version = _VERSION.match(source.version)
    return Extent(
        source.name,
        source.failure,
        of_calls(source.name, calls).results,
        minor=int(version[1]) if version else 0,
        provider=source.provider,
    )


def of_calls(source: str, calls: Iterable[Call], *, failure: str = "") -> Extent:
    """Return the extent of the source of that name. Of several calls for one list, as after a resumed run, the last."""
    own = sorted((call for call in calls if call.source == source), key=lambda call: call.started)
    return Extent(source, failure, {(call.type, call.namespace): call.result for call in own})


def kind(type_: str) -> str:
    """Return the kind as people name it: `Secret`, `Certificate.cert-manager.io`."""
    return type_.partition("/")[2]
