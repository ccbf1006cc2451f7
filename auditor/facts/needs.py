"""Which lists of a cluster a policy needs: those of its own subjects, and those that its variables rest on.

Two things happen when a list was not read. What a policy would say of the objects in it is not said at all: that is
the policy's population. And a verdict about another object may rest on what is not in it: that is a variable's need,
and the variable itself says so (`auditor.facts.extent`). This table tells both beforehand, for `auditor doctor`; a test
removes one list at a time and holds the table to what then becomes of every verdict.
"""

import re
from collections.abc import Collection, Iterable

from auditor.facts import copies, grants, hosts, issued, lists, principals, sources
from auditor.facts.accounts import TYPE as ACCOUNT
from auditor.facts.views import CI, CI_TRUST, CONTROL_PLANE, OBJECT, POD_SPEC, STORE
from auditor.model.ci import TEKTON, TRUST_TYPES
from auditor.model.record import record
from auditor.model.stores import TYPES as STORES
from auditor.workloads import Workloads

EVERY = "kubernetes/*"
"""Stands for every type that is asked for."""

_NAMESPACE = "kubernetes/Namespace"
_BINDINGS = (grants.ROLE_BINDING, grants.CLUSTER_ROLE_BINDING)

JOINS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("variables.service_account", "found|automount|annotations|unread", (ACCOUNT,)),
    ("variables.service_account", "bound|bindings_unread", _BINDINGS),
    ("variables.automount", "value|by", (ACCOUNT,)),
    ("variables.secret_refs", "source|by|why", sources.MAKERS),
    ("variables.certificates", "", (issued.CERTIFICATE, issued.REQUEST)),
    ("variables.tls_hosts", "", (hosts.INGRESS, hosts.GATEWAY)),
    ("variables.holder", "", (ACCOUNT,)),
    ("object.copies", "environment", (_NAMESPACE,)),
)
"""What an expression names, one of the words that stand in it after a dot (any, where empty), and the types on whose
absence the answer rests."""

_FACTS: dict[str, tuple[str, ...]] = {
    grants.FACT: grants.TYPES,
    principals.TYPE: grants.TYPES,
    copies.TYPE: (EVERY,),
    lists.TYPE: (),
}

FILES = frozenset(
    {
        "kubernetes/EncryptionConfiguration",
        "kubernetes/KubeletConfiguration",
        "kubernetes/Policy",
    }
)
"""Types that lie in files alone: no API serves them."""

_SUBJECT = re.compile(r"variables\.subject\.\w+")
"""Says what the subject is, in words that other variables have, too."""


@record
class Needs:
    """The lists that one policy needs."""

    population: frozenset[str]
    """Types of its subjects, or of what its facts are made from; `EVERY` for all that are asked for."""
    joins: frozenset[str]
    """Types of which an absence decides about another object."""


def needs(applies_to: Iterable[str], expressions: Iterable[str], workloads: Workloads) -> Needs:
    """Return what a policy needs that applies to these views and types and says these CEL texts."""
    entries = tuple(applies_to)
    text = _SUBJECT.sub("", "\n".join(expressions))
    if not _FACTS.keys() & set(entries):
        text = text.replace("object.", "")
    return Needs(
        population=frozenset(type_ for entry in entries for type_ in _population(entry, workloads)),
        joins=frozenset(
            type_
            for variable, words, types in JOINS
            if variable in text and re.search(rf"\.(?:{words or '.*'})\b", text)
            for type_ in types
        ),
    )


def concerned(of: Needs, unread: Collection[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return which of the `unread` types leave a part of the population, and which a join, without an answer."""
    return (
        frozenset(unread) if EVERY in of.population else of.population & frozenset(unread),
        of.joins & frozenset(unread),
    )


def asked(applies_to: Iterable[str], workloads: Workloads) -> frozenset[str]:
    """Return every type that a cluster must be asked for, so that policies on `applies_to` can say all they can."""
    types = {type_ for entry in applies_to for type_ in _population(entry, workloads)}
    types |= {type_ for *_, joined in JOINS for type_ in joined}
    return frozenset(types - {EVERY})


def on_cluster(applies_to: Iterable[str]) -> bool:
    """Return whether a policy asks anything of a cluster, and not of files of a repository alone."""
    return any(entry in _VIEWS or entry in _FACTS or entry.startswith("kubernetes/") for entry in applies_to)


_OTHERS: dict[str, Iterable[str]] = {
    STORE: STORES,
    CI: TEKTON,
    CI_TRUST: frozenset(type_ for type_ in TRUST_TYPES if type_.startswith("kubernetes/")),
    **_FACTS,
}
_VIEWS = frozenset({OBJECT, POD_SPEC, CONTROL_PLANE, STORE, CI, CI_TRUST})


def _population(entry: str, workloads: Workloads) -> Iterable[str]:
    if entry == OBJECT:
        return (EVERY,)
    if entry in {POD_SPEC, CONTROL_PLANE}:
        return workloads.types
    if entry in _OTHERS:
        return _OTHERS[entry]
    return (entry,) if entry.startswith("kubernetes/") and entry not in FILES else ()
