"""A collected system as an estate of its own, ready to be judged; and what of it no verdict can be reached about.

A name never means an object of another cluster. Only values are compared across sources, and only where their
fingerprints were made with the same key.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from auditor.facts import copies, lists, needs
from auditor.facts.estate import Estate, merge
from auditor.facts.extent import kind, of_source
from auditor.model.collection import MANAGED
from auditor.model.resource import Resource
from auditor.pipeline import judging
from auditor.pipeline.assemble import JudgedSubject
from auditor.pipeline.collected import Collected
from auditor.pipeline.judging import Judge
from auditor.pipeline.places import Places
from auditor.policy.document import Policy

_NAMED = 5
"""Lists that one reason names."""


class Cluster:
    """One source with its estate, and the judge whose clock is that of its collection."""

    def __init__(self, collected: Collected, judge: Judge) -> None:
        self.collected = collected
        self.name = collected.source.name
        self.by = replace(judge, now=collected.moment)
        self.resources = list(collected.read())
        estate = Estate(of_source(collected.source, collected.calls))
        for resource in self.resources:
            estate.add(resource)
        self.estate = merge([estate])

    def subjects(self) -> Iterable[Resource]:
        """Return its resources, the facts made from them, and the lists that brought them."""
        return (*self.resources, *judging.facts(self.estate), *lists.lists(self.collected.calls))

    def judge(self, subjects: Iterable[Resource]) -> list[JudgedSubject]:
        """Return what the policies say about those of its subjects that any of them applies to."""
        return judging.judge(subjects, self.estate, by=self.by, places=Places(()))


def shared(clusters: Sequence[Cluster]) -> list[tuple[int, Resource]]:
    """Return the facts of values in several places, for the sources of each key; with the first of them each."""
    by_key: dict[str, list[int]] = {}
    for index, cluster in enumerate(clusters):
        by_key.setdefault(_key(cluster), []).append(index)
    return [
        (indexes[0], fact)
        for indexes in by_key.values()
        for fact in judging.shared(*(clusters[index].estate for index in indexes))
    ]


def why_absent(policy: Policy, cluster: Cluster) -> str:
    """Return what it leaves open that `policy` finds no subject in `cluster`; empty where nothing."""
    if not policy.absent or not needs.on_cluster(policy.applies_to) or _why_unread(policy, cluster):
        return ""
    provider = MANAGED.get(cluster.collected.source.provider, "")
    if provider and policy.absent_managed:
        return f"{cluster.name}: {provider} runs the control plane. {policy.absent_managed}"
    return f"{cluster.name}: {policy.absent}"


def why_unread(policy: Policy, clusters: Sequence[Cluster]) -> tuple[str, ...]:
    """Return why a part of the population of `policy` was not read, one reason a source, and why values differ."""
    reasons = [_why_unread(policy, cluster) for cluster in clusters]
    if copies.TYPE in policy.applies_to:
        reasons.extend(copies.unseen(cluster.estate) for cluster in clusters)
        reasons.append(_incomparable(clusters))
    return tuple(filter(None, reasons))


def _why_unread(policy: Policy, cluster: Cluster) -> str:
    extent = cluster.estate.extent
    population = needs.needs(policy.applies_to, (), cluster.by.workloads).population
    if extent.failure:
        return f"{cluster.name}: {extent.failure}" if population else ""
    types = {type_ for type_, _ in extent.results} if needs.EVERY in population else population
    reasons = {type_: why for type_ in sorted(types) if (why := extent.unread_in_scope(type_))}
    if len(reasons) <= 1:
        return next(iter(reasons.values()), "")
    named = ", ".join(kind(type_) for type_ in list(reasons)[:_NAMED])
    more = f" and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
    how = sorted({why.rpartition("(")[2].rstrip(")") for why in reasons.values()})
    return f"{cluster.name}: {len(reasons)} lists were not read ({', '.join(how)}): {named}{more}"


def _incomparable(clusters: Sequence[Cluster]) -> str:
    by_key: dict[str, list[str]] = {}
    for cluster in clusters:
        by_key.setdefault(_key(cluster), []).append(cluster.name)
    if len(by_key) < 2:
        return ""
    groups = " and those of ".join(", ".join(names) for names in sorted(by_key.values()))
    return f"the values of {groups} have fingerprints of different keys, so nobody can say which are the same"


def _key(cluster: Cluster) -> str:
    return cluster.collected.source.fingerprint_key_id or f"unnamed, of {cluster.name}"
