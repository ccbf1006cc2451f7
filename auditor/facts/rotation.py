"""What a store of a live system shows of a credential that leaked: it stands there still, or was not changed since.

Values of Secrets are never read, so a Secret is known by its name and judged by what the API keeps beside its values:
when a key was last written (`managedFields`, which also move with a label, so that a later time proves nothing),
whether it may be changed at all, and what the operator that fills it says. Everything else (a variable, a ConfigMap)
holds values that have fingerprints; one that agrees is the same value.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from auditor.facts import owners
from auditor.facts.estate import Sighting
from auditor.facts.extent import Extent
from auditor.facts.shapes import dig, elements, mapping, text, texts
from auditor.facts.times import moment_of
from auditor.model.lifecycle import Store, StoreState
from auditor.model.record import record
from auditor.model.resource import Resource

SECRET = "kubernetes/Secret"  # noqa: S105 - a type
INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since"
"""Label that the API server's controller sets when it refuses a token for good:
https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#legacy-serviceaccount-token-cleaner"""
TOKEN = "kubernetes.io/service-account-token"  # noqa: S105 - a type of Secret


@record(order=True)
class Held:
    """A Secret that a manifest of the repository defines with the credential in it."""

    namespace: str
    """Empty where the manifest names none."""
    name: str
    key: str
    type: str = ""
    """As the manifest says."""


@record
class System:
    """What of one live system matters here."""

    name: str
    extent: Extent
    moment: datetime | None
    """When it was read, by its own clock; `None` for an export, which does not say when it was taken."""
    incomparable: str
    """Why its fingerprints cannot be compared with ours; empty where they can."""
    uses: Mapping[str, Sequence[Sighting]]
    """Fingerprint to where the value stands."""
    objects: Mapping[str, Resource]
    """Those of `uses`, by id."""
    secrets: Mapping[tuple[str, str], Resource]
    """By namespace and name."""
    makers: Mapping[tuple[str, str], Resource]
    """What fills a Secret from elsewhere, by the Secret's namespace and name."""
    namespaces: Mapping[str, Resource]


def stores(fingerprint: str, held: Iterable[Held], system: System, detected: datetime | None) -> list[Store]:
    """Return what `system` shows of a credential that is known to have leaked since `detected`."""
    found = [_used(sighting, system, detected) for sighting in system.uses.get(fingerprint, ())]
    found.extend(_secret(one, system, detected) for one in sorted(set(held)))
    return found


def _used(sighting: Sighting, system: System, detected: datetime | None) -> Store:
    resource = system.objects.get(sighting.subject)
    kind, _, rest = sighting.subject.partition("@")[0].partition(":")
    when = f" on {_day(system.moment)}" if system.moment else ", when the export was taken"
    return Store(
        source=system.name,
        name=f"{kind.partition('/')[2]} {rest.strip('/')}, {sighting.label}",
        state=StoreState.USED,
        proof=f"the very value stands there{when}",
        days=_days(detected, system.moment),
        owners=_owners(resource, system) if resource else (),
    )


def _secret(held: Held, system: System, detected: datetime | None) -> Store:
    there = _meant(held, system)
    key = f", key {held.key}" if held.key else ""
    name = f"Secret {held.namespace}/{held.name}{key}" if held.namespace else f"Secret {held.name}{key}"
    if len(there) != 1:
        state, proof = _not_one(held, there, system)
        return Store(source=system.name, name=name, state=state, proof=proof)
    (resource,) = there
    state, proof = _shown(held, resource, system, detected)
    return Store(
        source=system.name,
        name=f"Secret {resource.namespace}/{resource.name}{key}",
        state=state,
        proof=proof,
        days=_days(detected, system.moment),
        owners=_owners(resource, system),
    )


def _meant(held: Held, system: System) -> list[Resource]:
    """Return the Secrets that a manifest means: where it names no namespace, those of that name in any."""
    if held.namespace:
        exact = system.secrets.get((held.namespace, held.name))
        return [] if exact is None else [exact]
    return [resource for (_, name), resource in sorted(system.secrets.items()) if name == held.name]


def _not_one(held: Held, there: Sequence[Resource], system: System) -> tuple[StoreState, str]:
    if there:
        places = ", ".join(resource.namespace for resource in there)
        return StoreState.UNKNOWN, f"the manifest names no namespace, and {places} have a Secret of that name"
    unread = system.extent.unread(SECRET, held.namespace or None)
    if unread:
        return StoreState.UNKNOWN, unread
    return (
        StoreState.MISSING,
        f"{system.name} has no such Secret: it was removed, renamed, or belongs to another system",
    )


def _shown(held: Held, resource: Resource, system: System, detected: datetime | None) -> tuple[StoreState, str]:
    """Return the state of a Secret that is there, and what shows it."""
    body = mapping(resource.body)
    refused = texts(dig(body, "metadata", "labels")).get(INVALID_SINCE)
    if refused and held.type == TOKEN and body.get("type") == TOKEN:
        return StoreState.REVOKED, f"the API server refuses the token since {refused} (label {INVALID_SINCE})"
    keys = body.get("keys")
    if held.key and isinstance(keys, list) and held.key not in keys:
        return StoreState.UNKNOWN, "the Secret has no such key any more"
    if detected is None:
        return (
            StoreState.UNKNOWN,
            "nothing says since when the credential is known, so no change can be dated against it",
        )
    written = moment_of(body.get("lastWrite"))
    created = moment_of(dig(body, "metadata", "creationTimestamp"))
    if body.get("immutable") is True and created is not None:
        written = created
    return _dated(written, created, detected, lambda: _fetched(resource, system, detected))


def _dated(
    written: datetime | None, created: datetime | None, detected: datetime, more: Callable[[], str]
) -> tuple[StoreState, str]:
    if created is not None and created > detected:
        return StoreState.WRITTEN, f"it was made on {_day(created)}; with which value, nothing says"
    if written is None:
        return StoreState.UNKNOWN, "nothing says when its values were written (it has no managedFields)"
    if written > detected:
        return (
            StoreState.WRITTEN,
            f"it was written on {_day(written)}; a changed label moves that time as well, so this proves no new value",
        )
    return StoreState.UNCHANGED, f"it was last written on {_day(written)}{more()}"


def _fetched(resource: Resource, system: System, detected: datetime) -> str:
    """Return what the operator that fills a Secret adds: a fetch that changed nothing shows the store behind it."""
    maker = system.makers.get((resource.namespace, resource.name))
    if maker is None:
        return ""
    what = maker.type.partition("/")[2].partition(".")[0]
    fetched = moment_of(dig(maker.body, "status", "refreshTime"))
    if fetched is not None and fetched > detected:
        again = f"{what} {maker.name} fetched it again on {_day(fetched)} without a change"
        return f", and {again}: the store behind it holds the same"
    issued = moment_of(dig(maker.body, "status", "notBefore"))
    if issued is not None and issued <= detected:
        return f", and {what} {maker.name} is the one issued on {_day(issued)}"
    return f"; {what} {maker.name} fills it"


def _owners(resource: Resource, system: System) -> tuple[str, ...]:
    """Return who owns an object: what it says itself, what made it, else what its namespace says."""
    body = mapping(resource.body)
    found = list(owners.of_object(body))
    for reference in elements(dig(body, "metadata", "ownerReferences")):
        kind, name = text(mapping(reference).get("kind")), text(mapping(reference).get("name"))
        if kind and name:
            found.append(f"made by {kind} {name}")
    space = system.namespaces.get(resource.namespace)
    if not found and space is not None:
        found = [f"{owner} (of namespace {resource.namespace})" for owner in owners.of_object(mapping(space.body))]
    return tuple(dict.fromkeys(found))


def _days(detected: datetime | None, moment: datetime | None) -> int:
    return -1 if detected is None or moment is None else max((moment - detected).days, 0)


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
