"""`auditor secrets hook run`: what git starts. It has a tenth of a second, so it stands outside of the command tree.

It fails closed: whatever goes wrong, and whatever cannot be read, refuses the change with a text that says so and how
to pass by on purpose. No value is ever printed.
"""

import os
import sys
from typing import TYPE_CHECKING

from auditor.model.errors import AuditorError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from auditor.collectors.git.staged import Begun
    from auditor.pipeline.hook import Answer, Refusal, Request

REFUSED = 1
_LISTED = 20
_SKIPS = {
    "pre-commit": "To commit all the same, on purpose: git commit --no-verify",
    "pre-push": "To push all the same, on purpose: git push --no-verify",
    "pre-receive": "The repository refuses it for everybody; ask whoever runs it.",
}
_DEEDS = {"pre-commit": "this commit", "pre-push": "this push", "pre-receive": "what was pushed"}


def main(arguments: list[str]) -> int:
    """Return the exit code for git: 0 passes, anything else refuses."""
    stage = arguments[0] if arguments and arguments[0] in _SKIPS else "pre-commit"
    begun = None
    try:
        begun = _begun(stage)
        from auditor.pipeline.hook import judge  # noqa: PLC0415 - a failure to load refuses as well

        answer = judge(_request(arguments), begun=begun)
    except AuditorError as error:
        why = f"auditor: refused, since {_DEEDS[stage]} cannot be judged: {error}"
        return _refuse(stage, [why, *([f"hint: {error.hint}"] if error.hint else [])])
    except KeyboardInterrupt:
        return _refuse(stage, ["auditor: refused, since the search was interrupted"])
    except Exception as error:  # noqa: BLE001 - a bug must not let a credential through, nor print one
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "?"  # noqa: PTH119 - a name
        return _refuse(stage, [f"auditor: refused by an internal error: {type(error).__name__} at {where}"])
    finally:
        if begun is not None:
            begun.end()
    lines = list(_told(stage, answer))
    return _refuse(stage, lines) if lines else 0


def _begun(stage: str) -> "Begun | None":
    """Return git at work on the index, so that it compares while Python loads the rest."""
    if stage != "pre-commit":
        return None
    from auditor.collectors.git.command import Repository  # noqa: PLC0415 - a failure to load refuses as well
    from auditor.collectors.git.staged import Begun  # noqa: PLC0415 - as above

    return Begun(Repository(".", environ=os.environ, in_hook=True))


def _request(arguments: list[str]) -> "Request":
    """Return what git's words mean. Raises `InputError` for others: a hook that is called wrongly refuses."""
    from auditor.pipeline.hook import Request, Stage  # noqa: PLC0415 - as above

    name, *rest = arguments or [""]
    if name not in _SKIPS:
        raise InputError(f"no kind of hook is called {name!r}", hint=f"Choose one of {', '.join(_SKIPS)}.")
    stage = Stage(name)
    given: dict[str, list[str]] = {"--tier": [], "--rules": [], "--rule-off": []}
    while rest and rest[0] in given:
        if len(rest) < 2:
            raise InputError(f"{rest[0]} needs a value", hint="Install the hook again: `auditor secrets hook install`.")
        given[rest[0]].append(rest[1])
        rest = rest[2:]
    tiers = given["--tier"] or ["2"]
    if tiers[-1] not in {"1", "2"}:
        raise InputError("--tier is 1 or 2", hint="What only looks random never refuses a change.")
    return Request(
        stage=stage,
        environ=os.environ,
        arguments=tuple(rest),
        refs=b"" if stage is Stage.COMMIT else sys.stdin.buffer.read(),
        tier=int(tiers[-1]),
        rule_folders=tuple(_paths(given["--rules"])),
        rules_off=tuple(given["--rule-off"]),
        fingerprint_key=_key,
        waivers=_waivers,
    )


def _paths(names: list[str]) -> "list[Path]":
    if not names:
        return []
    from pathlib import Path  # noqa: PLC0415 - start-up

    return [Path(name) for name in names]


def _key() -> bytes | None:
    from pathlib import Path  # noqa: PLC0415 - only where something was found

    from auditor.redaction import fingerprint  # noqa: PLC0415 - as above

    return fingerprint.load_key(os.environ, usual=Path(".auditor/fingerprint.key"))


def _waivers() -> "Path | None":
    """Return the waivers file of the work tree: the one that its configuration names, else the usual one."""
    from pathlib import Path  # noqa: PLC0415 - only where something was found

    from auditor import configuration  # noqa: PLC0415 - as above
    from auditor.pipeline.hook import WAIVERS  # noqa: PLC0415 - as above

    settings = Path(configuration.FILE_NAME)
    named = configuration.load(settings).waivers if settings.is_file() else None
    if named is not None and not named.is_file():
        raise InputError(f"the waivers file {named} does not exist", hint=f"Check {configuration.FILE_NAME}.")
    usual = Path(WAIVERS)
    return named or (usual if usual.is_file() else None)


def _told(stage: str, answer: "Answer") -> "Iterator[str]":
    """Yield what to say; nothing where the change passes."""
    if answer.refused:
        count = len(answer.refused)
        yield f"auditor: refused: {_DEEDS[stage]} adds {count} credential{'s' if count > 1 else ''}."
        yield ""
        yield from (_shown(refusal, keyed=answer.keyed) for refusal in answer.refused[:_LISTED])
        yield from _more(count)
        yield ""
        yield from _advice(answer.refused)
        yield from _ways(answer)
    if answer.unread:
        yield f"auditor: refused, since not everything in {_DEEDS[stage]} could be read:"
        yield from (f"  {line}" for line in answer.unread[:_LISTED])
        yield from _more(len(answer.unread))


def _shown(refusal: "Refusal", *, keyed: bool) -> str:
    one = refusal.sighting
    named = f"{one.key}: " if one.key else ""
    masked = "" if one.masked == "***" else f", {one.masked}"
    commit = f", commit {one.commit[:12]}" if one.commit else ""
    fingerprint = f", fingerprint {one.fingerprint}" if keyed else ""
    unit = "digits" if one.rule == "card-number" else "characters"
    said = f"{one.rule}{masked}, {one.length} {unit}{commit}{fingerprint}"
    place = f"{one.path}, {one.inside}" if one.inside else one.path
    return f"  {place}:{one.line}:{one.column}: {named}{refusal.title} ({said})"


def _advice(refusals: "Sequence[Refusal]") -> "Iterator[str]":
    """Yield one piece of advice for each kind of file, with the name of the first credential in such a one."""
    from auditor.detection.instead import instead  # noqa: PLC0415 - only where something was found

    advised: set[str] = set()
    for refusal in refusals:
        one = refusal.sighting
        found = instead(one.path, key=one.key, rule=one.rule, content=refusal.content)
        if found.where not in advised:
            advised.add(found.where)
            yield f"Instead, {found.where}:"
            yield from (f"    {line}" for line in found.snippet.splitlines())
            yield ""


def _ways(answer: "Answer") -> "Iterator[str]":
    yield "Take the value out, put a reference in its place, and stage the file again."
    yield "Was the value ever used or shared? Then change it where it is issued: taking it out of a file is not enough."
    fingerprint = "its fingerprint" if answer.keyed else "its fingerprint (set AUDITOR_FINGERPRINT_KEY to see it)"
    yield f"No credential, or accepted? Waive it in .auditor/waivers.yaml by {fingerprint}; docs/secrets.md shows how."
    if answer.waived:
        yield f"Waived already: {answer.waived}."


def _more(count: int) -> "Iterator[str]":
    if count > _LISTED:
        yield f"  ... and {count - _LISTED} more"


def _refuse(stage: str, lines: list[str]) -> int:
    if sys.stderr is None:
        # Closed before we were started: nobody can be told.
        return REFUSED
    try:
        from auditor.cli.terminal import clean  # noqa: PLC0415 - only where something is said
    except Exception:  # noqa: BLE001 - a broken installation: our own words alone, without what they quote
        sys.stderr.write("auditor: refused, since the program cannot be loaded; install it again\n")
    else:
        sys.stderr.write(clean("\n".join([*lines, _SKIPS[stage]])) + "\n")
    return REFUSED
