"""Points of time as Kubernetes writes them (RFC 3339), in whole days from now."""

import re
from datetime import UTC, datetime
from typing import Any

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")


def days_since(stamp: Any, *, now: datetime) -> int | None:
    """Return the whole days since `stamp`, 0 for a time to come, or `None` where it is no time."""
    moment = moment_of(stamp)
    return None if moment is None else max((now.astimezone(UTC) - moment).days, 0)


def days_until(stamp: Any, *, now: datetime) -> int | None:
    """Return the whole days until `stamp`, negative for a time gone by, or `None` where it is no time."""
    moment = moment_of(stamp)
    return None if moment is None else (moment - now.astimezone(UTC)).days


def moment_of(stamp: Any) -> datetime | None:
    """Return the point of time that `stamp` names, or `None` where it is none."""
    if not isinstance(stamp, str) or not _TIMESTAMP.fullmatch(stamp):
        return None
    try:
        return datetime.fromisoformat(stamp)
    except ValueError:
        return None
