"""Log files, searched for credentials: what was found in which record, and what could not be read to its end."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from auditor.collectors import logs
from auditor.collectors.logs import Counts, Seen
from auditor.collectors.searching import Search
from auditor.collectors.unpacking import UnpackingError
from auditor.detection.engine import Engine
from auditor.model.coverage import Gap, GapReason
from auditor.model.errors import InputError
from auditor.model.sighting import Sighting, Where
from auditor.pipeline.sightings import sighting

_MOST = 10_000
"""Distinct credentials of one log that are told one by one: a log of tokens that change must not fill the memory."""
_STDIN = "-"


def search(
    paths: Sequence[str], engine: Engine, *, told: Callable[[int], None]
) -> tuple[list[Sighting], Search, list[Gap]]:
    """Return what was found in the logs `paths` (`-`: standard input), what was read, and what could not be.

    Raises `InputError` for a file that is not there.
    """
    whole, sightings, gaps = Search(), list[Sighting](), list[Gap]()
    for path in paths:
        counts = Counts()
        found: dict[tuple[str, ...], Sighting] = {}
        more = 0
        try:
            with open(0 if path == _STDIN else path, "rb", closefd=path != _STDIN) as file:
                for seen in logs.search(file, engine, counts, told=told):
                    more += not _taken(path, seen, found)
        except FileNotFoundError:
            raise InputError(f"the log {path} does not exist", hint="Check --log.") from None
        except IsADirectoryError:
            hint = "Name each file, e.g. --log a.log --log b.log, or search the folder as files: without --log."
            raise InputError(f"the log {path} is a folder", hint=hint) from None
        except (OSError, UnpackingError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            detail = f"It could not be read to its end ({why}); {counts.records:,} records of it were."
            gaps.append(Gap(file=path, reason=GapReason.UNREADABLE, detail=detail))
        if more:
            detail = (
                f"It holds more than {_MOST:,} distinct credentials; {more:,} further places are not told one by one."
            )
            gaps.append(Gap(file=path, reason=GapReason.TOO_LARGE, detail=detail))
        sightings += found.values()
        whole.read += 1
        whole.bytes_read += counts.bytes_read
    return sightings, whole, gaps


def _taken(path: str, seen: Seen, found: dict[tuple[str, ...], Sighting]) -> bool:
    """Take a credential in: the first place of each, and how often it came; return whether there was room."""
    record, hit = seen
    value = (record.stream, hit.rule, hit.key, hit.fingerprint)
    known = found.get(value)
    if known is not None:
        found[value] = replace(known, times=known.times + 1)
    elif len(found) >= _MOST:
        return False
    else:
        found[value] = sighting(Where.LOG, path, hit, line=record.number, inside=record.stream)
    return True
