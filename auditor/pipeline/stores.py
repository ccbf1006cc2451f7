"""What leaked credentials have to do with live systems: which Secrets hold them, and what snapshots show of those."""

from collections.abc import Callable, Collection, Iterable, Sequence

from auditor.collectors import manifests
from auditor.collectors.sources import Source, kind_of
from auditor.facts import sources
from auditor.facts.estate import Sighting, sightings_of
from auditor.facts.extent import of_source
from auditor.facts.rotation import SECRET, Held, System
from auditor.facts.shapes import mapping, text
from auditor.model.resource import Place, Resource
from auditor.pipeline.collected import Collected
from auditor.workloads import Workloads

_NAMESPACE = "kubernetes/Namespace"
TYPES = frozenset({SECRET, _NAMESPACE, *sources.TYPES})
"""What is read of a system by its type; everything else for the values in it."""


def held(
    files: Iterable[tuple[str, bytes]],
    wanted: Collection[str],
    *,
    workloads: Workloads,
    fingerprint: Callable[[str], str],
) -> dict[str, list[Held]]:
    """Return, by fingerprint, the Secrets that the manifests among `files` (path, content) define with a credential.

    What is no manifest, or cannot be read as one, defines none; that it holds a credential was told already.
    """
    given = [
        Source(file=path, kind=kind, size=len(content), content=content)
        for path, content in files
        if (kind := kind_of(path.rpartition("/")[2])) is not None
    ]
    found: dict[str, list[Held]] = {}
    for resource in manifests.read(given, workloads=workloads, fingerprint=fingerprint).resources:
        if resource.type != SECRET:
            continue
        type_ = text(mapping(resource.body).get("type"))
        for literal in resource.literals:
            if literal.place is Place.SECRET and literal.fingerprint in wanted:
                key = str(literal.path[1]) if len(literal.path) > 1 else ""
                one = Held(namespace=resource.namespace, name=resource.name, key=key, type=type_)
                found.setdefault(literal.fingerprint, []).append(one)
    return found


def system(collected: Collected, wanted: Collection[str], *, key: str) -> System:
    """Return what of one source concerns the credentials `wanted`; `key` names the key of their fingerprints."""
    source = collected.source
    why = _incomparable(source.fingerprint_key_id, key)
    uses: dict[str, list[Sighting]] = {}
    objects: dict[str, Resource] = {}
    secrets: dict[tuple[str, str], Resource] = {}
    makers: dict[tuple[str, str], Resource] = {}
    namespaces: dict[str, Resource] = {}
    for resource in collected.read():
        if resource.type == SECRET:
            secrets[resource.namespace, resource.name] = resource
        elif resource.type == _NAMESPACE:
            namespaces[resource.name] = resource
        elif resource.type in sources.TYPES:
            makers.update({(namespace, name): resource for namespace, name, *_ in sources.made_by(resource)})
        if resource.literals and not why:
            for sighting in sightings_of(resource):
                if sighting.fingerprint in wanted:
                    uses.setdefault(sighting.fingerprint, []).append(sighting)
                    objects[resource.id] = resource
    return System(
        name=source.name,
        extent=of_source(source, collected.calls),
        moment=collected.moment if source.kind == "live" else None,
        incomparable=why,
        uses=uses,
        objects=objects,
        secrets=secrets,
        makers=makers,
        namespaces=namespaces,
    )


def _incomparable(theirs: str, ours: str) -> str:
    if theirs == ours:
        return ""
    if ours.startswith("random:"):
        return (
            "this run has no fingerprint key, so nobody can say whether the same value stands there "
            "(set AUDITOR_FINGERPRINT_KEY to the key of the collection)"
        )
    return (
        "its fingerprints were made with another key, so nobody can say whether the same value stands there "
        "(collect it with the same AUDITOR_FINGERPRINT_KEY)"
    )


def systems(collected: Sequence[Collected], wanted: Collection[str], *, key: str) -> list[System]:
    """Return what concerns the credentials `wanted`, of each source."""
    return [system(one, wanted, key=key) for one in collected]
