"""What a resource is called: from what people write (as kubectl reads it) to what requests and rules say.

Understood are plurals, singulars and short names in any case, `secrets/NAME`, `pods/exec`, `pods/NAME/exec`,
`deployments.apps`, `deployments.v1.apps`, `*`, and any resource of a group that the tables do not know: it is taken as
it is written. Without a group, a name that no API server serves by itself is an error, since the group decides.
"""

import difflib
import re
from collections.abc import Mapping, Sequence

from auditor.access.kubernetes.built_in import ApiResource
from auditor.access.kubernetes.rbac import ANY
from auditor.model.errors import InputError
from auditor.model.record import record

_VERSIONED = re.compile(r"v\d+(?:(?:alpha|beta)\d+)?(?:\.|$)")
_OF_EVERYTHING = frozenset({"status", "scale", "finalizers"})
"""Subresources that custom resources may have, or that are asked for in authorisation."""
_FREE = frozenset({"userextras"})
"""Resources whose subresource is any text, slashes included: the key of an extra field."""


@record
class Named:
    """A resource that somebody named."""

    group: str
    plural: str
    subresource: str = ""
    name: str = ""
    namespaced: bool | None = None
    """`None`: not known, as of a custom resource."""
    also: tuple[str, ...] = ()
    """Other groups in which the same name means another resource."""

    @property
    def label(self) -> str:
        """The resource in words: `pods/exec`, `deployments.apps/scale`."""
        group = f".{self.group}" if self.group else ""
        return f"{self.plural}{group}/{self.subresource}" if self.subresource else f"{self.plural}{group}"


def resolve(text: str, resources: Sequence[ApiResource], *, seen: Mapping[str, Sequence[str]]) -> Named:
    """Return what `text` names. `seen` are the groups of each resource that rules of the input name, for hints.

    Raises `InputError` for what is no resource.
    """
    first, *below = text.split("/")
    if not first or "" in below:
        raise InputError(f"{text} is no resource", hint="Write it as secrets, secrets/NAME, pods/exec or jobs.batch.")
    found = _named(first, resources, seen)
    known = next((one for one in resources if (one.group, one.plural) == (found.group, found.plural)), None)
    subresources = (known.subresources if known else frozenset()) | _OF_EVERYTHING
    if found.plural in _FREE:
        return _with(found, subresource="/".join(below))
    match below:
        case []:
            return found
        case [one] if one.lower() in subresources or found.plural == ANY:
            return _with(found, subresource=one.lower())
        case [one]:
            return _with(found, name=one)
        case [name, subresource]:
            return _with(found, name=name, subresource=subresource.lower())
        case _:
            raise InputError(f"{text} has too many parts", hint="Write it as pods/NAME/exec at most.")


def _with(found: Named, *, subresource: str = "", name: str = "") -> Named:
    return Named(
        group=found.group,
        plural=found.plural,
        subresource=subresource,
        name=name,
        namespaced=found.namespaced,
        also=found.also,
    )


def _named(text: str, resources: Sequence[ApiResource], seen: Mapping[str, Sequence[str]]) -> Named:
    word, dot, group = text.partition(".")
    if dot:
        version = _VERSIONED.match(group)
        return _of_group(word, group[version.end() :] if version else group, resources)
    if word == ANY:
        return Named(group=ANY, plural=ANY)
    # What has no singular exists in authorisation alone and needs its group: `nodes` are those of the core group.
    meant = [one for one in resources if one.singular and _means(one, word.lower())]
    if not meant:
        raise _unknown(word, resources, seen)
    first = meant[0]
    return Named(
        group=first.group,
        plural=first.plural,
        namespaced=first.namespaced,
        also=tuple(one.group for one in meant[1:]),
    )


def _of_group(word: str, group: str, resources: Sequence[ApiResource]) -> Named:
    for one in resources:
        if one.group == group and _means(one, word.lower()):
            return Named(group=group, plural=one.plural, namespaced=one.namespaced)
    return Named(group=group, plural=word)


def _means(resource: ApiResource, word: str) -> bool:
    return word in {resource.plural, resource.singular} or word in resource.short


def _unknown(word: str, resources: Sequence[ApiResource], seen: Mapping[str, Sequence[str]]) -> InputError:
    groups = [f"{word.lower()}.{group}" for group in seen.get(word.lower(), ()) if group not in {"", ANY}]
    if groups:
        hint = f"Roles in the input name {', '.join(groups)}: write it with its group."
    else:
        names = {one.plural for one in resources}
        near = difflib.get_close_matches(word.lower(), sorted(names), n=2, cutoff=0.7)
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        hint += "A custom resource needs its API group: externalsecrets.external-secrets.io."
    return InputError(f"{word} is no resource of Kubernetes itself", hint=hint)
