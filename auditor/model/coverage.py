"""The ledger of what was asked, what came back and what could not be read. Law 2 stands on it."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from auditor.model.record import field, record


class GapReason(StrEnum):
    """Why something in scope could not be read, in our words: an error text of a library may hold a value."""

    BROKEN_YAML = "broken-yaml"
    BROKEN_JSON = "broken-json"
    DUPLICATE_KEY = "duplicate-key"
    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"
    ALIAS_BOMB = "alias-bomb"
    NOT_UTF8 = "not-utf8"
    BINARY = "binary"
    UNREADABLE = "unreadable"
    """Permission refused, or an I/O error."""
    DANGLING_LINK = "dangling-link"
    OUTSIDE = "outside"
    """A symbolic link that leaves the folder that was named."""
    RAW_TEMPLATE = "raw-template"
    """A template that needs rendering (Helm, Go template, Jinja) and was not rendered."""
    TOOL_MISSING = "tool-missing"
    RENDER_FAILED = "render-failed"
    MALFORMED_OBJECT = "malformed-object"
    """A Kubernetes object whose shape no API server would accept (`spec: 3`)."""
    MISSING = "missing"
    """An object that a git history names and the repository lacks."""
    SHALLOW = "shallow"
    """A clone that lacks older commits."""
    SOURCE_FAILED = "source-failed"
    """Nothing of a live source could be read. The reasons below are those of one list of it (`CallResult`)."""
    NOT_ASKED = "not-asked"
    FORBIDDEN = "forbidden"
    UNAUTHENTICATED = "unauthenticated"
    VANISHED = "vanished"
    THROTTLED = "throttled"
    SERVER_ERROR = "server-error"
    TIMED_OUT = "timed-out"
    CUT = "cut"
    EXPIRED = "expired"
    INCONSISTENT = "inconsistent"
    UNREADABLE_ANSWER = "unreadable-answer"
    INTERRUPTED = "interrupted"


@record(order=True)
class Gap:
    """One thing in scope that could not be read."""

    file: str
    line: int | None = None
    reason: GapReason
    detail: str = ""
    """One sentence with the next step. Never content of the file."""


@record
class Coverage:
    """What one source (a set of paths) was asked for and gave."""

    source: str
    """`manifests: deploy/`, `helm chart charts/web`, ..."""
    files_found: int = 0
    files_read: int = 0
    documents: int = 0
    """YAML and JSON documents met, empty ones not counted."""
    resources: int = 0
    by_type: tuple[tuple[str, int], ...] = ()
    """Resource type and count, sorted; also kinds that were recognised but that no policy reads."""
    skipped: tuple[tuple[str, int], ...] = ()
    """What was passed over and is no gap, with counts, sorted: `not a Kubernetes object`, `ignored by .gitignore`,
    `not a manifest`, `empty document`, ..."""
    gaps: tuple[Gap, ...] = field(default=())

    @property
    def complete(self) -> bool:
        """Whether everything in scope was read."""
        return not self.gaps


def merge(source: str, parts: Iterable[Coverage]) -> Coverage:
    """Return one record that adds up `parts`."""
    parts = tuple(parts)
    by_type: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    for part in parts:
        by_type.update(dict(part.by_type))
        skipped.update(dict(part.skipped))
    return Coverage(
        source=source,
        files_found=sum(part.files_found for part in parts),
        files_read=sum(part.files_read for part in parts),
        documents=sum(part.documents for part in parts),
        resources=sum(part.resources for part in parts),
        by_type=tuple(sorted(by_type.items())),
        skipped=tuple(sorted(skipped.items())),
        gaps=tuple(sorted(gap for part in parts for gap in part.gaps)),
    )
