"""Which program of the control plane a container runs, and with which flags.

Static pod manifests call the program directly (`command: [kube-apiserver, --anonymous-auth=false]`), older ones
through a shell (`command: [/bin/sh, -c, "exec kube-apiserver --anonymous-auth=false"]`) or through `hyperkube`.
"""

from collections.abc import Iterable
from typing import Any

from auditor.facts.fetchers import image_name
from auditor.facts.shapes import elements, text
from auditor.model.control_plane import HYPERKUBE, PROGRAMS, SHELLS, STARTERS


def component(containers: Iterable[dict[str, Any]]) -> tuple[str, dict[str, list[str]]]:
    """Return the views `component` and `flags`: of the first container that runs such a program."""
    for container in containers:
        image = text(container.get("image"))
        command = elements(container.get("command"))
        # Nearly every pod ends here: neither its image nor its first word is of the control plane.
        first = text(command[0]) if command else ""
        if not (_may_be(image) or _may_be(first) or first.rpartition("/")[2] in SHELLS):
            continue
        words = [text(word) for word in (*command, *elements(container.get("args")))]
        program, rest = _program(words, image if not command else "")
        if program:
            return program, flags(rest)
    return "", {}


def flags(words: list[str]) -> dict[str, list[str]]:
    """Return the values of each flag, in order; `_` in a name counts as `-`, as in Kubernetes' own parser.

    A flag followed by a word that is no flag takes it as its value; one without a value has `"true"`.
    """
    found: dict[str, list[str]] = {}
    for index, word in enumerate(words):
        if not word.startswith("-") or not word.strip("-"):
            continue
        name, equals, value = word.lstrip("-").partition("=")
        if not equals:
            following = words[index + 1] if index + 1 < len(words) else ""
            value = "true" if not following or following.startswith("-") else following
        found.setdefault(name.replace("_", "-"), []).append(value)
    return found


def _may_be(name: str) -> bool:
    return "kube" in name or "etcd" in name


def _program(words: list[str], image: str) -> tuple[str, list[str]]:
    name = words[0].rpartition("/")[2] if words else ""
    if name in SHELLS:
        return _in_script(words)
    if name == "hyperkube" and len(words) > 1:
        called = words[1] if words[1] in PROGRAMS else HYPERKUBE.get(words[1], "")
        return called, words[2:]
    if name in PROGRAMS:
        return name, words[1:]
    called = image_name(image)
    return (called, words) if called in PROGRAMS else ("", [])


def _in_script(words: list[str]) -> tuple[str, list[str]]:
    for script in words[1:]:
        parts = script.replace("\\\n", " ").split()
        for index, part in enumerate(parts):
            name = part.rpartition("/")[2]
            if name in PROGRAMS and (not index or parts[index - 1] in STARTERS):
                return name, [part.strip("\"';") for part in parts[index + 1 :]]
    return "", []
