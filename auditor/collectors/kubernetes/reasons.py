"""Why a list is not complete, in one sentence with the next step. Never a word of the server: it may quote a token."""

from typing import assert_never

from auditor.collectors.kubernetes.plan import Ask
from auditor.collectors.kubernetes.transport import Trouble
from auditor.model.collection import CallResult

_LATER = "collect again, or go on with `auditor collect --resume`."


def of(result: CallResult, ask: Ask, *, status: int | None = None, trouble: Trouble | None = None) -> str:  # noqa: C901, PLR0911, PLR0912 - one line a result
    """Return why a request brought nothing."""
    where = f" in namespace {ask.namespace}" if ask.namespace else ""
    what = f"namespace {ask.name}" if ask.name else f"{ask.kind.resource}{where}"
    match result:
        case CallResult.READ:
            return ""
        case CallResult.FORBIDDEN:
            return f"The identity may not {ask.verb} {what}; `auditor doctor --grants` prints the rule that it lacks."
        case CallResult.UNAUTHENTICATED:
            return f"The cluster does not accept the credential, or not any more; log in again, then {_LATER}"
        case CallResult.VANISHED if ask.name:
            return f"There is no {what}; correct `namespaces` of the source."
        case CallResult.VANISHED:
            return "Discovery named it and it is gone: its definition was removed during the run; collect again."
        case CallResult.THROTTLED:
            return f"The server asked to wait for longer than the run has patience; {_LATER}"
        case CallResult.SERVER_ERROR:
            return f"The server failed each time (status {status}); look at its log, then {_LATER}"
        case CallResult.TIMED_OUT:
            return f"No whole answer came in time; raise `timeout` of the source, or {_LATER}"
        case CallResult.CUT if trouble is Trouble.UNREACHABLE:
            return f"The server could not be reached any more; {_LATER}"
        case CallResult.CUT if trouble is Trouble.DISTRUSTED:
            return "The server showed a certificate that is not trusted; check what stands between it and you."
        case CallResult.CUT:
            return f"The connection broke before the answer was whole; {_LATER}"
        case CallResult.EXPIRED:
            return f"The list grew older than the server keeps, twice (410); {_LATER}"
        case CallResult.UNREADABLE if trouble is Trouble.TOO_LARGE:
            return "One object is larger than any that a cluster stores; look at who serves this kind."
        case CallResult.UNREADABLE:
            return f"The server does not answer as the API promises (status {status}); look at who serves this kind."
        case CallResult.INTERRUPTED:
            return "The run was ended before the list was read; go on with `auditor collect --resume`."
        case CallResult.INCONSISTENT | CallResult.NOT_SERVED | CallResult.NOT_ASKED:
            return ""
        case _:
            assert_never(result)


def broken(what: str) -> str:
    """Return why pages that came make no list."""
    return f"The list cannot be trusted: {what}; collect again, and look at what stands between the server and you."


def malformed(count: int) -> str:
    """Return why a list that came to its end is not complete."""
    return f"Objects without the shape of one: {count}; they were not kept. Look at who serves this kind."
