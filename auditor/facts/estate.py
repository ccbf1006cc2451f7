"""The part of all resources that judging one of them can need. Small, mergeable, picklable.

A worker that parsed some of the files adds its resources; the estates of all workers are merged and handed back.

Which object a name means is `auditor.facts.names`' business.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from auditor.facts import environments, hosts, issued, sources
from auditor.facts.extent import EVERYWHERE, MANIFESTS, Extent
from auditor.facts.issued import Issued, Request
from auditor.facts.names import ANY_NAMESPACE, Names
from auditor.facts.shapes import mapping, maps, text
from auditor.model import ci
from auditor.model.resource import Confidence, LiteralKind, Origin, Path, Resource

if TYPE_CHECKING:
    from auditor.facts.ci.definitions import Definitions

JOINED_TYPES = frozenset(
    {
        "kubernetes/ServiceAccount",
        "kubernetes/Role",
        "kubernetes/ClusterRole",
        "kubernetes/RoleBinding",
        "kubernetes/ClusterRoleBinding",
        "kubernetes/Namespace",
    }
)
"""Types of which others need the whole object."""

DISCOVERY_ROLES = frozenset(
    {"system:discovery", "system:basic-user", "system:public-info-viewer", "system:service-account-issuer-discovery"}
)
"""Built-in roles that every account holds through a group; they are no reason to mount a token."""

_BINDINGS = ("kubernetes/RoleBinding", "kubernetes/ClusterRoleBinding")
_DEFAULT = "default"
_ACCOUNT_USER = "system:serviceaccount:"
_ACCOUNTS_OF_NAMESPACE = "system:serviceaccounts:"


class MadeSecret(NamedTuple):
    """A Secret that something in the input makes."""

    namespace: str
    name: str
    source: str
    by: str
    """On a cluster: who wrote the values."""
    file: str


class SecretSource(NamedTuple):
    """Where the values of a Secret come from, as `secret_refs` says it."""

    source: str
    by: str = ""
    why: str = ""
    """Why the source is unknown, where a cluster was read."""


class ServedHost(NamedTuple):
    """A host name that an Ingress or Gateway serves with a Secret."""

    namespace: str
    secret: str
    host: str
    file: str


class Sighting(NamedTuple):
    """One place where a credential stood. Holds no value."""

    fingerprint: str
    rule: str
    environment: str
    """As far as the object itself says it (its labels)."""
    subject: str
    namespace: str
    origin: Origin
    path: Path
    label: str
    """The place in words: `container web, env DB_PASSWORD`."""


@dataclass(slots=True)
class _Index:
    """Look-up tables over a merged estate; made on first use, never sent to another process."""

    objects: dict[str, Names[Resource]]
    secrets: Names[MadeSecret]
    hosts: Names[ServedHost]
    bound: Names[str]
    """Accounts that bindings name; the item is the name of the binding."""
    bound_namespaces: frozenset[str]
    """Namespaces all of whose accounts a binding names by their group."""
    issued: Names[Issued]
    requests: Names[Request]
    unread_makers: dict[str, str] = field(default_factory=dict)
    """Namespace to why something unread may make a Secret there."""
    definitions: "Definitions | None" = None


@dataclass(slots=True)
class Estate:
    """Resources by type, for joins; of manifests all together, of clusters one for each."""

    extent: Extent = MANIFESTS
    joined: dict[str, list[Resource]] = field(default_factory=dict)
    made_secrets: list[MadeSecret] = field(default_factory=list)
    served_hosts: list[ServedHost] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    issued: list[Issued] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    ci: list[Resource] = field(default_factory=list)
    """CI definitions: what one of them does depends on what it calls."""
    lost: list[str] = field(default_factory=list)
    """Files of which something could not be read."""
    _made_index: _Index | None = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in _KEPT)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        for name, value in zip(_KEPT, state, strict=True):
            setattr(self, name, value)
        self._made_index = None

    def add(self, resource: Resource) -> None:
        """Take in what others may need of `resource`."""
        type_ = resource.type
        if type_ in JOINED_TYPES:
            self.joined.setdefault(type_, []).append(resource)
        if type_ in sources.TYPES:
            file = resource.origin.file
            made = (MadeSecret(*made, file) for made in sources.made_by(resource))
            # What is made in many namespaces is there on a cluster, in each of them.
            self.made_secrets.extend(item for item in made if not self.extent.live or item.namespace != ANY_NAMESPACE)
        if type_ in hosts.TYPES:
            file = resource.origin.file
            self.served_hosts.extend(ServedHost(*served, file) for served in hosts.served_by(resource))
        if self.extent.live and type_ in issued.TYPES:
            self.issued.extend(issued.certificates_of(resource))
            self.requests.extend(issued.requests_of(resource))
        if type_ in ci.MEMBERS:
            self.ci.append(resource)
        if resource.literals:
            self.sightings.extend(sightings_of(resource))
        self._made_index = None

    def resources(self, type_: str) -> Sequence[Resource]:
        """Return every resource of a joined type, in the order of the input."""
        return self.joined.get(type_, ())

    def find(self, type_: str, namespace: str, name: str, *, near: Origin, strict: bool = False) -> Resource | None:
        """Return the object of that identity, or `None`. Overlays repeat objects: of several, the nearest to `near`.

        `strict`, for names that every namespace has (the account `default`): as in `Names.meant`.
        """
        names = self._index.objects.get(type_)
        if names is None:
            return None
        found = (
            names.exact(namespace, name)
            if self.extent.live
            else names.meant(namespace, name, file=near.file, strict=strict)
        )
        return found[0] if found else None

    def source_of(self, namespace: str, name: str, *, near: Origin) -> SecretSource:
        """Return what makes the Secret of that name: `unknown` where nothing in the input does."""
        secrets = self._index.secrets
        if self.extent.live:
            return self._source_on_cluster(namespace, name, secrets.exact(namespace, name))
        made = [item.source for item in secrets.meant(namespace, name, file=near.file)]
        if not made and (base := sources.without_hash(name)):
            generated = secrets.meant(namespace, base, file=near.file)
            made = [item.source for item in generated if item.source == sources.GENERATOR]
        return SecretSource(next((source for source in sources.PREFERENCE if source in made), sources.UNKNOWN))

    def _source_on_cluster(self, namespace: str, name: str, made: Sequence[MadeSecret]) -> SecretSource:
        """Return what made it. An operator's object speaks for itself; what was not read may contradict the rest."""
        delivered = [item for item in made if item.source in sources.DELIVERED]
        if delivered:
            best = min(delivered, key=lambda item: sources.PREFERENCE.index(item.source))
            return SecretSource(best.source, best.by)
        unread = self._unread_makers(namespace)
        if unread:
            return SecretSource(sources.UNKNOWN, why=unread)
        if not made:
            return SecretSource(sources.UNKNOWN, why=f"Secret {name} does not exist")
        (item, *_) = made
        if item.source != sources.UNKNOWN:
            return SecretSource(item.source, item.by)
        said = (
            f"was written by {item.by}, which may take values from anywhere" if item.by else "does not say who wrote it"
        )
        return SecretSource(sources.UNKNOWN, item.by, f"Secret {name} {said}")

    def _unread_makers(self, namespace: str) -> str:
        known = self._index.unread_makers
        if namespace not in known:
            reasons = (self.extent.unread(type_, namespace) for type_ in sources.MAKERS)
            known[namespace] = next(filter(None, reasons), "")
        return known[namespace]

    def tls_hosts(self, namespace: str, secret: str, *, near: Origin) -> list[str]:
        """Return the host names that something in the input serves with that Secret, sorted."""
        names = self._index.hosts
        live = self.extent.live
        served = names.exact(namespace, secret) if live else names.every(namespace, secret, file=near.file)
        return sorted({item.host for item in served})

    def tls_hosts_unread(self, namespace: str) -> str:
        """Return why a host that is served with a Secret of the namespace may be missing."""
        return self.extent.unread(hosts.INGRESS, namespace) or self.extent.unread(hosts.GATEWAY, EVERYWHERE)

    def certificate_of(self, namespace: str, secret: str) -> tuple[Issued | None, tuple[str, ...]]:
        """Return what cert-manager says of the certificate in that Secret, and every certificate it issued for it."""
        index = self._index
        found = index.issued.exact(namespace, secret)
        if not found:
            return None, ()
        return found[0], tuple(request.certificate for request in index.requests.exact(namespace, found[0].name))

    def is_bound(self, namespace: str, name: str, *, near: Origin) -> bool:
        """Return whether a binding in the input names the account, its user name or the group of its namespace.

        What every account holds says nothing about one of them: bindings to the groups of all accounts and to the
        built-in discovery roles do not count. A subject always names a namespace in a cluster; where
        the account's manifest leaves it out, a binding in the same folder (or one above or below) that names an
        account of that name counts. Every namespace has an account `default`: where neither side names the namespace,
        only a binding in such a folder means it.
        """
        index = self._index
        if namespace in index.bound_namespaces:
            return True
        if self.extent.live:
            return bool(index.bound.exact(namespace, name))
        return bool(index.bound.every(namespace, name, file=near.file, strict=name == _DEFAULT))

    def bindings_unread(self) -> str:
        """Return why an account that no binding names may be bound all the same: a binding anywhere could name it."""
        return self.extent.unread(_BINDINGS[1], "") or self.extent.unread(_BINDINGS[0], EVERYWHERE)

    @property
    def definitions(self) -> "Definitions":
        """The CI definitions of the input, for look-ups among them."""
        index = self._index
        if index.definitions is None:
            from auditor.facts.ci.definitions import Definitions  # noqa: PLC0415 - start-up: only where one is met

            index.definitions = Definitions(self.ci)
        return index.definitions

    @property
    def _index(self) -> _Index:
        if self._made_index is None:
            self._made_index = _build(self)
        return self._made_index


_KEPT = ("extent", "joined", "made_secrets", "served_hosts", "sightings", "issued", "requests", "ci", "lost")
"""Fields that travel between processes."""


def merge(estates: Iterable[Estate]) -> Estate:
    """Return one estate with everything of `estates`, in an order that does not tell how the input was divided."""
    estates = tuple(estates)
    merged = Estate(estates[0].extent if estates else MANIFESTS)
    for estate in estates:
        for type_, resources in estate.joined.items():
            merged.joined.setdefault(type_, []).extend(resources)
        merged.made_secrets.extend(estate.made_secrets)
        merged.served_hosts.extend(estate.served_hosts)
        merged.sightings.extend(estate.sightings)
        merged.issued.extend(estate.issued)
        merged.requests.extend(estate.requests)
        merged.ci.extend(estate.ci)
        merged.lost.extend(estate.lost)
    for resources in merged.joined.values():
        resources.sort(key=lambda resource: _place(resource.origin))
    merged.ci.sort(key=lambda resource: _place(resource.origin))
    merged.lost.sort()
    merged.made_secrets.sort()
    merged.served_hosts.sort()
    merged.issued.sort()
    merged.requests.sort()
    merged.sightings.sort(key=lambda sighting: (_place(sighting.origin), _steps(sighting.path), sighting.label))
    return merged


def _place(origin: Origin) -> tuple[str, int, tuple[str, ...]]:
    return (origin.file, origin.document, _steps(origin.prefix))


def _steps(path: Path) -> tuple[str, ...]:
    # Positions as digits of one width, so that the tenth comes after the ninth and keys compare with them.
    return tuple(f"{step:09}" if isinstance(step, int) else step for step in path)


def sightings_of(resource: Resource) -> Iterable[Sighting]:
    """Yield where the credentials stand that were taken out of `resource`, but those that only look like some."""
    environment = ""
    for literal in resource.literals:
        if (
            literal.kind is not LiteralKind.CREDENTIAL
            or not literal.fingerprint
            or literal.confidence is Confidence.POSSIBLE
        ):
            continue
        environment = environment or environments.of_labels(resource.body)
        container = f"container {literal.container}, " if literal.container else ""
        yield Sighting(
            fingerprint=literal.fingerprint,
            rule=literal.rule,
            environment=environment,
            subject=resource.id,
            namespace=resource.namespace,
            origin=resource.origin,
            path=literal.path,
            label=f"{container}{literal.place} {literal.key}".rstrip(),
        )


def _build(estate: Estate) -> _Index:
    bound: list[tuple[str, str, str, str]] = []
    namespaces: set[str] = set()
    for type_ in _BINDINGS:
        for binding in estate.resources(type_):
            _take_subjects(binding, bound, namespaces)
    return _Index(
        objects={
            type_: Names((item.namespace, item.name, item.origin.file, item) for item in resources)
            for type_, resources in estate.joined.items()
        },
        secrets=Names((made.namespace, made.name, made.file, made) for made in estate.made_secrets),
        hosts=Names((served.namespace, served.secret, served.file, served) for served in estate.served_hosts),
        bound=Names(bound),
        bound_namespaces=frozenset(namespaces),
        issued=Names((item.namespace, item.secret, "", item) for item in estate.issued),
        requests=Names((item.namespace, item.name, "", item) for item in estate.requests),
    )


def _take_subjects(binding: Resource, bound: list[tuple[str, str, str, str]], namespaces: set[str]) -> None:
    body = mapping(binding.body)
    if text(mapping(body.get("roleRef")).get("name")) in DISCOVERY_ROLES:
        return
    file = binding.origin.file
    for _, subject in maps(body.get("subjects")):
        kind, name = subject.get("kind"), text(subject.get("name"))
        if kind == "ServiceAccount":
            namespace = text(subject.get("namespace")) or binding.namespace
            bound.append((namespace, name, file, binding.name))
        elif kind == "User" and name.startswith(_ACCOUNT_USER):
            namespace, _, account = name.removeprefix(_ACCOUNT_USER).partition(":")
            bound.append((namespace, account, file, binding.name))
        elif kind == "Group" and name.startswith(_ACCOUNTS_OF_NAMESPACE):
            namespaces.add(name.removeprefix(_ACCOUNTS_OF_NAMESPACE))
