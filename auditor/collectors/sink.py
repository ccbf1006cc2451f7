"""Where a collector puts what it reads. The writer of snapshots is one; tests have a small one of their own."""

from typing import Protocol

from auditor.model.collection import Call, Source
from auditor.model.resource import Resource


class Sink(Protocol):
    """Takes what was read, while it is being read.

    What was added for a source and a type since the last `call` of the two belongs to the next `call` of them: so one
    list at a time for each pair. Different types may come from different threads at the same time.
    """

    def add(self, resource: Resource) -> None:
        """Take one object; those of one list come in the server's order."""

    def restart(self, source: str, type: str) -> None:  # noqa: A002 - the noun of the model
        """Forget what was added since the last `call` of that source and type: the list is begun anew."""

    def call(self, call: Call) -> None:
        """Take the record of one list, after its last object; also of lists that were refused or not asked."""

    def source(self, source: Source) -> None:
        """Take the record of the whole source, once, at the end."""

    def done(self, source: str) -> frozenset[tuple[str, str]]:
        """Return the lists (type, namespace) that an earlier run completed: they are not asked again."""

    def stopping(self) -> bool:
        """Return whether the run shall end: lists that are not complete end as `INTERRUPTED`."""
