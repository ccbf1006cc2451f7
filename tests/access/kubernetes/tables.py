"""Writes the tables of what a Kubernetes API server has by itself, from what a running one answers.

`pytest tests/access/kubernetes/test_platform.py --renew-goldens` writes them again; the tests there hold them to the
running server otherwise.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

FIELDS = (
    ("verbs", "verbs"),
    ("apiGroups", "groups"),
    ("resources", "resources"),
    ("resourceNames", "names"),
    ("nonResourceURLs", "urls"),
)
VERBS = {
    "read": ("get", "list", "watch"),
    "write": ("create", "delete", "deletecollection", "patch", "update"),
    "all": ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"),
}
BOOTSTRAPPING = ("kubernetes.io/bootstrapping", "rbac-defaults")
AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"
_WIDTH = 116

ROLES_HEAD = """\
# The roles and bindings that the API server of Kubernetes {version} makes by itself; roles of add-ons are not here.
# Written from a running server by tests/access/kubernetes/tables.py, and compared with one in the tests.
#
# A role: `name`, `namespace` (then it is a Role), `rules`, `aggregate_to` (labels) and `aggregates` (selectors; then
# the rules are those of the roles that they select). Every one also has the label kubernetes.io/bootstrapping.
# A rule: `verbs`, `groups` and `resources`, or `urls`; `names` are resourceNames. `$read` and the like stand for the
# verbs below. A binding: `name`, `namespace` (then it is a RoleBinding), `role` (a ClusterRole; with `in_namespace` a
# Role of the binding's namespace), and who holds it: `users`, `groups`, `accounts` (namespace/name).
"""
RESOURCES_HEAD = """\
# The resources that the API server of Kubernetes {version} serves with its default settings, by API group, in the order
# in which a name without a group is looked up. What is not served but asked for in authorisation is in
# kubernetes-platform.yaml.
# Written from a running server by tests/access/kubernetes/tables.py, and compared with one in the tests.
"""


def roles_text(objects: Iterable[Mapping[str, Any]], version: str) -> str:
    """Return the table of the roles and bindings among `objects` that the server made itself."""
    own = sorted((item for item in objects if is_bootstrap(item)), key=_place)
    lines = [ROLES_HEAD.format(version=version).rstrip(), f'version: "{version}"', "", "verbs:"]
    lines += [f"  {name}: [{', '.join(verbs)}]" for name, verbs in VERBS.items()]
    lines += ["", "roles:"]
    for item in own:
        if not item["kind"].endswith("Binding"):
            lines += _role(item)
    lines += ["", "bindings:"]
    for item in own:
        if item["kind"].endswith("Binding"):
            lines += _binding(item)
    return "\n".join(lines) + "\n"


def resources_text(discovery: Sequence[Mapping[str, Any]], version: str) -> str:
    """Return the table of the resources in aggregated discovery documents (`APIGroupDiscoveryList`)."""
    lines = [RESOURCES_HEAD.format(version=version).rstrip(), f'version: "{version}"', "", "served:"]
    for document in discovery:
        for group in document["items"]:
            found: dict[str, Mapping[str, Any]] = {}
            for served in group["versions"]:
                for resource in served["resources"]:
                    found.setdefault(resource["resource"], resource)
            lines.append(f"  {_word(group['metadata'].get('name', ''))}:")
            lines += [_resource(name, resource) for name, resource in sorted(found.items())]
    return "\n".join(lines) + "\n"


def is_bootstrap(item: Mapping[str, Any]) -> bool:
    """Return whether the server made an object itself."""
    key, value = BOOTSTRAPPING
    return bool(item["metadata"].get("labels", {}).get(key) == value)


def _place(item: Mapping[str, Any]) -> tuple[bool, str, str]:
    metadata = item["metadata"]
    return "namespace" in metadata, metadata.get("namespace", ""), metadata["name"]


def _role(item: Mapping[str, Any]) -> list[str]:
    metadata = item["metadata"]
    lines = [f"  - name: {_word(metadata['name'])}"]
    if "namespace" in metadata:
        lines.append(f"    namespace: {metadata['namespace']}")
    given = sorted(label.removeprefix(AGGREGATE) for label in metadata["labels"] if label.startswith(AGGREGATE))
    if given:
        lines.append(f"    aggregate_to: [{', '.join(given)}]")
    selectors = (item.get("aggregationRule") or {}).get("clusterRoleSelectors", [])
    if selectors:
        taken = [key.removeprefix(AGGREGATE) for selector in selectors for key in selector["matchLabels"]]
        return [*lines, f"    aggregates: [{', '.join(taken)}]"]
    rules = item.get("rules") or []
    if rules:
        lines.append("    rules:")
        for rule in rules:
            lines += _rule(rule)
    return lines


def _rule(rule: Mapping[str, Any]) -> list[str]:
    parts = []
    for field, name in FIELDS:
        values = sorted(rule.get(field) or [])
        if values:
            parts.append((name, _verbs(values) if name == "verbs" else values))
    line = "      - {" + ", ".join(f"{name}: {_list(values)}" for name, values in parts) + "}"
    if len(line) <= _WIDTH:
        return [line]
    lines = []
    for position, (name, values) in enumerate(parts):
        lead = "      - " if position == 0 else "        "
        line = f"{lead}{name}: {_list(values)}"
        if len(line) <= _WIDTH:
            lines.append(line)
        else:
            lines.append(f"{lead}{name}:")
            lines += [f"          - {_word(value)}" for value in values]
    return lines


def _verbs(values: list[str]) -> list[str]:
    for name, verbs in VERBS.items():
        if tuple(values) == verbs:
            return [f"${name}"]
    return values


def _binding(item: Mapping[str, Any]) -> list[str]:
    metadata, role = item["metadata"], item["roleRef"]
    lines = [f"  - name: {_word(metadata['name'])}"]
    if "namespace" in metadata:
        lines.append(f"    namespace: {metadata['namespace']}")
    lines.append(f"    role: {_word(role['name'])}")
    if role["kind"] == "Role":
        lines.append("    in_namespace: true")
    for name, kind in (("users", "User"), ("groups", "Group"), ("accounts", "ServiceAccount")):
        subjects = [subject for subject in item.get("subjects") or [] if subject["kind"] == kind]
        if subjects:
            held = sorted(
                f"{subject['namespace']}/{subject['name']}" if kind == "ServiceAccount" else subject["name"]
                for subject in subjects
            )
            lines.append(f"    {name}: {_list(held)}")
    return lines


def _resource(name: str, resource: Mapping[str, Any]) -> str:
    parts = [f"namespaced: {'true' if resource['scope'] == 'Namespaced' else 'false'}"]
    parts.append(f"singular: {resource['singularResource']}")
    if resource.get("shortNames"):
        parts.append(f"short: {_list(resource['shortNames'])}")
    below = sorted(entry["subresource"] for entry in resource.get("subresources", []))
    if below:
        parts.append(f"subresources: {_list(below)}")
    line = f"    {name}: {{{', '.join(parts)}}}"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"    {name}:", *(f"      {part}" for part in parts)])


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_word, values))}]"


def _word(text: str) -> str:
    plain = text and text not in {"*", "no", "yes", "on", "off"} and not text.startswith("*") and not text.endswith(":")
    return text if plain and ": " not in text else f'"{text}"'
