"""Which policies run: by id, glob, tag, severity or framework; and why the others do not."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from auditor.model.errors import InputError
from auditor.model.record import record
from auditor.model.verdict import Severity
from auditor.policy.document import Policy


@record
class Selected:
    """What runs and what does not."""

    policies: tuple[Policy, ...]
    severities: Mapping[str, Severity]
    """By policy id: the one that holds in this run."""
    deselected: tuple[tuple[str, str], ...]
    """Policy id and why, sorted."""


def select(
    policies: Sequence[Policy],
    *,
    chosen: Sequence[str] = (),
    ignored: Sequence[str] = (),
    severities: Mapping[str, Severity] | None = None,
    named: bool = False,
) -> Selected:
    """Return the policies that match any of `chosen` (all where it is empty) and none of `ignored`.

    `named`: the words of `chosen` are the command's arguments, not those of an option.
    Raises `InputError` for a word that matches no policy at all: a misspelt `--select` must not pass as a clean run.
    """
    own = severities or {}
    effective = {policy.id: own.get(policy.id, policy.severity) for policy in policies}
    for option, words in (("" if named else "--select ", chosen), ("--ignore ", ignored)):
        for word in words:
            if not any(_matches(policy, word, effective) for policy in policies):
                raise InputError(f"{option}{word} matches no policy", hint=hint(policies, word))
    unknown = sorted(set(own) - set(effective))
    if unknown:
        raise InputError(
            f"`severity` names {', '.join(unknown)}, which is no policy", hint="`auditor policy list` shows the ids."
        )
    running: list[Policy] = []
    deselected: list[tuple[str, str]] = []
    for policy in policies:
        reason = _reason(policy, chosen, ignored, effective)
        if reason:
            deselected.append((policy.id, reason))
        else:
            running.append(policy)
    if not running:
        raise InputError("no policy is left to run", hint="Loosen --select and --ignore.")
    return Selected(policies=tuple(running), severities=effective, deselected=tuple(deselected))


def hint(policies: Sequence[Policy], word: str) -> str:
    """Return what to do about a word that matches no policy."""
    if word.endswith((".yaml", ".yml")) or "/" in word:
        return (
            "Here a policy is named by its id; a folder with your own is named with --policy, for example "
            "`auditor policy test ACME-01 --policy rules/`."
        )
    from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

    known = [text for policy in policies for text in (policy.id, policy.name)]
    near = get_close_matches(word.upper(), known, n=3) or get_close_matches(word, known, n=3)
    meant = f"Did you mean {' or '.join(near)}? " if near else ""
    return (
        f"{meant}`auditor policy list` shows them all; write an id or glob, tag:NAME, severity:LEVEL or framework:ID."
    )


def _reason(policy: Policy, chosen: Sequence[str], ignored: Sequence[str], effective: Mapping[str, Severity]) -> str:
    if chosen and not any(_matches(policy, word, effective) for word in chosen):
        return f"not selected by {', '.join(chosen)}"
    for word in ignored:
        if _matches(policy, word, effective):
            return f"ignored by {word}"
    return ""


def _matches(policy: Policy, word: str, effective: Mapping[str, Severity]) -> bool:
    kind, separator, value = word.partition(":")
    if not separator:
        return fnmatchcase(policy.id, word) or policy.name == word
    if kind == "tag":
        return value in policy.tags
    if kind == "severity":
        return effective[policy.id].value == value
    if kind == "framework":
        return any(link.requirement.split("/")[0] == value for link in policy.links)
    return False
