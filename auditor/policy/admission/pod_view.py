"""The view `pod_spec` as variables of an admission policy, for the kinds that keep an ordinary pod spec.

The same decisions as `auditor.facts.pod_spec`, `secret_refs` and `control_plane`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from auditor.model.control_plane import HYPERKUBE, PROGRAMS, SHELLS, STARTERS
from auditor.model.record import record
from auditor.model.resource import Path
from auditor.policy.admission.constants import constant, names, with_name
from auditor.policy.admission.kinds import admitted, kind, of_group
from auditor.workloads import Workload

_USUAL: Path = ("spec", "template", "spec")

_BASE = 'substring({0}.lastIndexOf("/") + 1)'
_IMAGE = 'container.?image.orValue("")'
_IMAGE_NAME = with_name("path", f'{_IMAGE}.split("@")[0]', f'path.{_BASE.format("path")}.split(":")[0]')

_STARTED = (
    "(?:^\\s*|(?:^|\\s)(?:" + "|".join(sorted(STARTERS)) + ")\\s+)(?:\\S*/)?(?:" + "|".join(sorted(PROGRAMS)) + ")\\s"
)
_LAST_STEP = constant("[^\\s/]+$")
_NOT_SPACE = constant("\\S+")
_FLAG_NAME = constant("[^-\n][^=\n]*")
_UNQUOTED = "[^\"';](?:.*[^\"';])?"
_IN_SCRIPT = with_name(
    "scripts",
    f'line.map(word, word.replace("\\\\\\n", " ") + " ").filter(word, word.matches({constant(_STARTED)}))',
    "scripts.size() == 0 ? [] : "
    + with_name(
        "start",
        f"scripts[0].find({constant(_STARTED)})",
        f"[start.trim().find({_LAST_STEP})] + scripts[0].substring(scripts[0].indexOf(start) + start.size())"
        f".findAll({_NOT_SPACE}).map(word, word.find({constant(_UNQUOTED)}))",
    ),
)
_NAMES = names(PROGRAMS)
_HYPERKUBE = "{" + ", ".join(f"{constant(word)}: {constant(HYPERKUBE[word])}" for word in sorted(HYPERKUBE)) + "}"
_PROGRAM = (
    f'!({_IMAGE}.contains("kube") || {_IMAGE}.contains("etcd") || first.contains("kube") || first.contains("etcd")\n'
    f"    || first.{_BASE.format('first')} in {names(SHELLS)}) ? []\n"
    f"  : name in {names(SHELLS)} ? {_IN_SCRIPT}\n"
    '  : name == "hyperkube" && line.size() > 1\n'
    f'    ? [line[1] in {_NAMES} ? line[1] : {_HYPERKUBE}[?line[1]].orValue("")] + line\n'
    f"  : name in {_NAMES} ? [name] + line\n"
    f"  : command.size() == 0 && {_IMAGE_NAME} in {_NAMES} ? [{_IMAGE_NAME}] + line : []"
)
_PROGRAMS = (
    "variables.containers.map(container, "
    + with_name(
        "command",
        "container.?command.orValue([])",
        with_name(
            "line",
            "command + container.?args.orValue([])",
            with_name(
                "first",
                'command.size() > 0 ? command[0] : ""',
                with_name("name", f'line.size() > 0 ? line[0].{_BASE.format("line[0]")} : ""', _PROGRAM),
            ),
        ),
    )
    + ').filter(program, program.size() > 0 && program[0] != "")'
)

# Each word stands between line breaks of its own, so that the end of one and the start of the next are two.
_FLAG = "\n-+[^-=\n][^=\n]*(?:=[^\n]*\n|\n\n[^-\n][^\n]*\n|\n)"
_GIVEN = (
    'variables.program.map(word, "\\n" + word.replace("\\n", " ") + "\\n").join("")\n'
    f"  .findAll({constant(_FLAG)}).map(flag, flag.find({_FLAG_NAME})"
    '.replace("_", "-") + "="\n'
    '  + (flag.contains("\\n\\n") ? flag.substring(flag.indexOf("\\n\\n") + 2, flag.size() - 1)\n'
    '    : flag.contains("=") ? flag.substring(flag.indexOf("=") + 1, flag.size() - 1) : "true"))'
)

VARIABLES = {
    "containers": (
        "variables.pod.?containers.orValue([]) + variables.pod.?initContainers.orValue([])\n"
        "  + variables.pod.?ephemeralContainers.orValue([])"
    ),
    "volumes": "variables.pod.?volumes.orValue([])",
    "service_account": (
        '{"name": [string(variables.pod.?serviceAccountName.orValue("")),\n'
        '    string(variables.pod.?serviceAccount.orValue("")), "default"].filter(name, name != "")[0],\n'
        '  "namespace": string(object.metadata.?namespace.orValue(""))}'
    ),
    "programs": _PROGRAMS,
    "program": 'variables.programs.size() > 0 ? variables.programs[0] : [""]',
    "component": "string(variables.program[0])",
    "given_flags": _GIVEN,
}
"""Those that are the same whatever kinds are matched."""


def pod(workloads: Sequence[Workload]) -> str:
    """Return the expression of the variable `pod`."""
    return _by_kind({entry: entry.pod for entry in workloads})


def pod_metadata(workloads: Sequence[Workload]) -> str:
    """Return the expression of the variable `pod_metadata`."""
    found = _by_kind({entry: entry.metadata for entry in workloads})
    return with_name(
        "metadata",
        found,
        '{"labels": dyn(metadata.?labels.orValue({})), "annotations": dyn(metadata.?annotations.orValue({}))}',
    )


def flags(wanted: Iterable[str]) -> str:
    """Return the expression of the variable `flags`, with those of the `wanted` flags that are given."""
    entries = (
        f"?{constant(name)}: optional.ofNonZeroValue(variables.given_flags"
        f".filter(flag, flag.startsWith({constant(name + '=')})).map(flag, flag.substring({len(name) + 1})))"
        for name in sorted(wanted)
    )
    return "{" + ",\n  ".join(entries) + "}"


def _by_kind(places: dict[Workload, Path]) -> str:
    """Return CEL for the map at the place of each kind, the usual one last."""
    by_place: dict[Path, list[Workload]] = {}
    for workload, place in places.items():
        by_place.setdefault(place, []).append(workload)
    most = max(by_place, key=lambda place: len(by_place[place]), default=_USUAL)
    taken = Counter(kind(workload.type) for workload in places)
    text = ""
    for place in sorted(by_place):
        if place != most:
            text += f"{_one_of(by_place[place], taken)} ? {_at(place)}\n  : "
    return text + _at(most)


def _one_of(workloads: Sequence[Workload], taken: Mapping[str, int]) -> str:
    """Return CEL that tells whether the object is one of them; a kind that several groups have, by its group too."""
    kinds = {kind(workload.type) for workload in workloads}
    conditions = [f"object.kind in {names(name for name in kinds if taken[name] == 1)}"]
    for workload in workloads:
        if taken[kind(workload.type)] > 1 and (found := admitted(workload.type)):
            core = not found.group
            group = '!object.apiVersion.contains("/")' if core else of_group(found.group)
            conditions.append(f"object.kind == {constant(found.kind)} && {group}")
    return " || ".join(conditions)


def _at(place: Path) -> str:
    return "object" + "".join(f".?{step}" for step in place) + ".orValue({})" if place else "object"


@record
class References:
    """One of the lists that the view `secret_refs` is made of."""

    via: str
    outer: str
    """The list around it, of elements `place`; empty where there is none."""
    items: str
    """The list of elements `entry`, which may use `place`."""
    selector: str
    """What names the Secret, seen from `entry`: `?valueFrom.?secretKeyRef`; empty for the entry itself."""
    name: str = "name"

    @property
    def loops(self) -> list[tuple[str, str]]:
        """Loops around the elements, each a variable and its list."""
        return [("place_", self.outer)] if self.outer else []

    @property
    def elements(self) -> str:
        """The list of the elements of the view, as CEL."""
        selector = f"entry.{self.selector}" if self.selector else "entry"
        container = 'place_.?name.orValue("")' if self.outer == _CONTAINERS else '""'
        fields = {
            "name": f'{selector}.?{self.name}.orValue("")',
            "key": f'{selector}.?key.orValue("")',
            "via": constant(self.via),
            "container": container,
            "optional": f"{selector}.?optional.orValue(false) == true",
        }
        map_ = ", ".join(f"{constant(field)}: dyn({text})" for field, text in fields.items())
        return f'{self.items}.filter(entry, {fields["name"]} != "").map(entry, {{{map_}}})'


REFERENCE_FIELDS = frozenset({"name", "key", "via", "container", "optional"})
"""What an element of `secret_refs` has here; `source` needs other objects, `path` is for reports."""

_CONTAINERS = "variables.containers"
_OTHER_VOLUMES = ("cephfs", "cinder", "flexVolume", "rbd", "scaleIO", "iscsi", "storageos")

REFERENCES = (
    References(via="env", outer=_CONTAINERS, items="place_.?env.orValue([])", selector="?valueFrom.?secretKeyRef"),
    References(via="env-from", outer=_CONTAINERS, items="place_.?envFrom.orValue([])", selector="?secretRef"),
    References(via="volume", outer="", items="variables.volumes", selector="?secret", name="secretName"),
    References(
        via="projected",
        outer="variables.volumes",
        items="place_.?projected.?sources.orValue([])",
        selector="?secret",
    ),
    References(via="csi-publish", outer="", items="variables.volumes", selector="?csi.?nodePublishSecretRef"),
    References(via="other-volume", outer="", items="variables.volumes", selector="?azureFile", name="secretName"),
    *(
        References(via="other-volume", outer="", items="variables.volumes", selector=f"?{volume}.?secretRef")
        for volume in _OTHER_VOLUMES
    ),
    References(via="image-pull", outer="", items="variables.pod.?imagePullSecrets.orValue([])", selector=""),
)
"""Every list of the view `secret_refs`."""
