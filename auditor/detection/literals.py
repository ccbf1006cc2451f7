"""Takes every credential out of one object while it is read, and describes what was looked at.

After `take_out` the object holds no credential: not where it stood, not a copy of it elsewhere in the object, not its
base64 form. Nothing here keeps a value longer than the call. Places that hold literals by design (environment,
ConfigMap, Secret, Helm values, generators) are described one by one; everywhere else only credentials are.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from auditor.detection import command_lines, kinds
from auditor.detection.classify import Classification, examine
from auditor.model.resource import REDACTED, Confidence, Literal, LiteralKind, Path, Place
from auditor.patterns import compile_
from auditor.redaction.names import Label, label, last_words
from auditor.redaction.notation import Notation
from auditor.redaction.redactor import mask
from auditor.redaction.spans import Span, decoded, spans
from auditor.workloads import Workload

_APPLIED = frozenset({"kubectl.kubernetes.io/last-applied-configuration", "kapp.k14s.io/original"})
"""Annotations in which a tool keeps the object that it applied, as JSON."""
_NO_ANNOTATIONS = '"annotations":{}'
"""What kubectl writes into its copy of an object that has none."""
_DEEPEST = 200
_CERTAIN_LENGTH = 6
_NO_WORD = 16
_WORDLIKE = compile_(r"[A-Za-z]+(?:[-_.][A-Za-z]+)*")
_SHORTEST_FORM = 8
"""Text up to this length cannot be a credential by its own form (`a://u:p@h` has nine characters)."""
_Fingerprint = Callable[[str], str]


def take_out(
    type_: str,
    body: dict[str, Any],
    *,
    workload: Workload | None,
    fingerprint: _Fingerprint,
    copies: frozenset[str] = frozenset(),
) -> tuple[Literal, ...]:
    """Replace every credential in `body` (in place) by `REDACTED` and return what was looked at.

    `copies` names annotations that hold the object a second time: they are looked into, and then lose their whole
    value, whatever was found.
    """
    taker = _Taker(fingerprint, copies)
    taker.object(type_, body, workload)
    if taker.taken:
        _sweep(body, taker.taken)
    return tuple(taker.literals)


class _Where(NamedTuple):
    """Where a literal stands, and the name beside it."""

    path: Path
    place: Place
    key: str
    container: str = ""


class _Taker:
    """One call of `take_out`: what it found so far."""

    def __init__(self, fingerprint: _Fingerprint, copies: frozenset[str] = frozenset()) -> None:
        self.fingerprint = fingerprint
        self.copies = copies
        self.literals: list[Literal] = []
        self.taken: set[str] = set()
        self._containers: dict[int, Mapping[str, Any]] = {}

    # Whole objects

    def object(  # noqa: C901, PLR0912 - one branch a kind
        self, type_: str, body: dict[str, Any], workload: Workload | None
    ) -> None:
        """Take out by what the type keeps where."""
        metadata = body.get("metadata")
        if type(metadata) is dict:
            self._metadata(type_, metadata, ("metadata",))
        match type_:
            case "kubernetes/Secret":
                self._secret(body)
            case "kubernetes/ConfigMap":
                self._config_map(body)
            case "file/Dockerfile":
                self._dockerfile(body)
            case "file/github-workflow" | "file/github-action" | "file/gitlab-ci" | "file/pre-commit":
                self._definition(body, ())
            case "file/jenkinsfile":
                self._jenkinsfile(body)
            case "file/helm-values":
                self._tree(body, (), Place.HELM_VALUE, record=True)
            case "file/kustomization" | "kubernetes/Kustomization":
                self._kustomization(body)
            case "kubernetes/SealedSecret.bitnami.com":
                self._sealed(body)
            case "kubernetes/EncryptionConfiguration" | "kubernetes/Config":
                self._key_file(body)
            case _ if type_ in kinds.WITHOUT_VALUES:
                return
            case _:
                if workload is not None:
                    self._containers = {id(container): container for _, container in workload.containers(body)}
                    template = workload.template_metadata(body)
                    if type(template) is dict and template is not metadata:
                        self._metadata(type_, template, workload.metadata)
                self._spec(type_, body)

    def _spec(self, type_: str, body: dict[str, Any]) -> None:
        references = type_ in kinds.OF_REFERENCES
        helm = kinds.HELM_PLACES.get(type_, ())
        for key, value in body.items():
            if key not in kinds.ENVELOPE and isinstance(value, (dict, list)):
                self._walk(value, (key,), references=references, helm=helm)

    def _metadata(self, type_: str, metadata: dict[str, Any], path: Path) -> None:
        for field, place in (("annotations", Place.ANNOTATION), ("labels", Place.LABEL)):
            values = metadata.get(field)
            if type(values) is not dict:
                continue
            for key, value in values.items():
                if type(value) is str and len(value) > 3:
                    if key in _APPLIED:
                        self._applied(type_, values, key, (*path, field, key))
                    elif len(value) > 8 or label(key) >= Label.SECRET:
                        self._string(values, key, str(key), (*path, field), place)
                    if key in self.copies:
                        values[key] = REDACTED

    def _applied(self, type_: str, annotations: dict[str, Any], key: str, path: Path) -> None:
        text = annotations[key]
        dropped = key in self.copies
        if dropped and type_ in kinds.WITHOUT_VALUES and _NO_ANNOTATIONS in text:
            # Most objects of a large cluster are of these kinds, and there is no place in them for a value.
            return
        import json  # noqa: PLC0415 - start-up: a commit waits

        try:
            applied = json.loads(text)
        except (ValueError, RecursionError):
            applied = None
        if type(applied) is not dict:
            if type_ == "kubernetes/Secret" and text != REDACTED:
                self._record(_Where(path, Place.ANNOTATION, key), _SECRET_VALUE, text)
                annotations[key] = REDACTED
            else:
                self._string(annotations, key, key, path[:-1], Place.ANNOTATION)
            return
        inner = _Taker(self.fingerprint)
        inner_type = type_
        if applied.get("kind") in ("Secret", "ConfigMap") and applied.get("apiVersion") == "v1":
            inner_type = f"kubernetes/{applied['kind']}"
        inner.object(inner_type, applied, None)
        found = [literal for literal in inner.literals if literal.kind is LiteralKind.CREDENTIAL]
        if inner.taken:
            self.taken |= inner.taken
            if not dropped:
                _sweep(applied, inner.taken)
                annotations[key] = json.dumps(applied, separators=(",", ":"), ensure_ascii=False)
        for literal in found:
            self.literals.append(
                Literal(
                    path=path,
                    place=Place.ANNOTATION,
                    key=f"{key}: {literal.key}",
                    kind=literal.kind,
                    rule=literal.rule,
                    confidence=literal.confidence,
                    fingerprint=literal.fingerprint,
                    length=literal.length,
                    container=literal.container,
                )
            )

    # Secrets and configuration

    def _secret(self, body: dict[str, Any]) -> None:
        docker = body.get("type") in {"kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"}
        for field in ("data", "stringData"):
            values = body.get(field)
            if type(values) is not dict:
                continue
            for key, raw in values.items():
                if raw is None:
                    self._record(_Where((field, key), Place.SECRET, str(key)), _EMPTY, "")
                    continue
                if type(raw) is not str:
                    # Not valid in Kubernetes, but a value all the same.
                    if isinstance(raw, (dict, list)):
                        self._record(_Where((field, key), Place.SECRET, str(key)), _UNLIKELY_SECRET, "")
                        values[key] = REDACTED
                        continue
                    raw = str(raw)  # noqa: PLW2901
                value = raw if field == "stringData" else (_unpacked(raw) or raw)
                verdict = secret_value(str(key), value, docker=docker)
                self._record(_Where((field, key), Place.SECRET, str(key)), verdict, value)
                if verdict.kind is LiteralKind.CREDENTIAL:
                    values[key] = REDACTED
                    self._remember(value, sure=verdict.confidence is not Confidence.POSSIBLE)

    def _config_map(self, body: dict[str, Any]) -> None:
        data = body.get("data")
        if type(data) is dict:
            for key, value in data.items():
                if type(value) is str:
                    self._string(data, key, str(key), ("data",), Place.CONFIG, record=True)
        packed = body.get("binaryData")
        if type(packed) is dict:
            for key, value in packed.items():
                text = _unpacked(value) if type(value) is str else ""
                verdict, found = examine(str(key), text, place=Place.CONFIG) if text else (_PUBLIC, [])
                for span in found:
                    self._remember(text[span.start : span.end])
                self._record(_Where(("binaryData", key), Place.CONFIG, str(key)), verdict, text)
                if found:
                    packed[key] = REDACTED

    def _sealed(self, body: dict[str, Any]) -> None:
        spec = body.get("spec")
        values = spec.get("encryptedData") if type(spec) is dict else None
        if type(values) is dict:
            for key, value in values.items():
                if type(value) is str:
                    self._record(_Where(("spec", "encryptedData", key), Place.SECRET, str(key)), _SEALED, value)
        template = spec.get("template") if type(spec) is dict else None
        if type(template) is dict:
            self._walk(template, ("spec", "template"), references=False, helm=())

    def _key_file(self, node: Any, path: Path = (), depth: int = 0) -> None:
        """Take out keys of an EncryptionConfiguration (`keys[].secret`) and of a kubeconfig."""
        if depth > _DEEPEST:
            return
        if type(node) is list:
            for index, item in enumerate(node):
                self._key_file(item, (*path, index), depth + 1)
        elif type(node) is dict:
            for key, value in node.items():
                if type(value) is not str:
                    self._key_file(value, (*path, key), depth + 1)
                elif key in kinds.KEY_FIELDS:
                    verdict = secret_value(str(key), _unpacked(value) or value, docker=False)
                    self._record(_Where((*path, key), Place.KEY_FILE, str(key)), verdict, value)
                    if verdict.kind is LiteralKind.CREDENTIAL:
                        node[key] = REDACTED
                        self._remember(value)
                elif len(value) > 8:
                    self._string(node, key, str(key), path, Place.CONFIG)

    def _kustomization(self, body: dict[str, Any]) -> None:
        for field in ("secretGenerator", "configMapGenerator"):
            for index, generator in enumerate(_items(body.get(field))):
                literals = generator.get("literals")
                if type(literals) is not list:
                    continue
                for number, literal in enumerate(literals):
                    if type(literal) is str and "=" in literal:
                        path = (field, index, "literals", number)
                        self._assignment(literals, number, path, secret=field == "secretGenerator")
        for key, value in body.items():
            if key not in {"secretGenerator", "configMapGenerator", "metadata"} and isinstance(value, (dict, list)):
                self._walk(value, (key,), references=False, helm=())

    def _assignment(self, literals: list[Any], number: int, path: Path, *, secret: bool) -> None:
        key, _, value = literals[number].partition("=")
        if secret:
            verdict = secret_value(key, value.strip("'\""), docker=False)
            found = [Span(0, len(value), key, verdict.rule, verdict.confidence)]
        else:
            verdict, found = examine(key, value, place=Place.GENERATOR)
        if verdict.kind is LiteralKind.CREDENTIAL:
            for span in found:
                self._remember(value[span.start : span.end])
            literals[number] = f"{key}={mask(value, [(s.start, s.end) for s in found])}"
        self._record(_Where(path, Place.GENERATOR, key), verdict, value)

    def _dockerfile(self, body: dict[str, Any]) -> None:
        for index, instruction in enumerate(_items(body.get("instructions"))):
            arguments = instruction.get("arguments")
            if type(arguments) is not str:
                continue
            path = ("instructions", index, "arguments")
            name = str(instruction.get("instruction", "")).upper()
            found = []
            if name in {"ENV", "ARG", "LABEL"}:
                for key, start, end in command_lines.assignments(arguments):
                    value = arguments[start:end]
                    verdict, inner = examine(key, value, place=Place.IMAGE)
                    found += [s._replace(start=s.start + start, end=s.end + start, key=key) for s in inner]
                    if verdict.kind is not LiteralKind.CREDENTIAL:
                        self._record(_Where(path, Place.IMAGE, key), verdict, value)
            else:
                found = spans(arguments, Notation.SHELL)
            self._spans(instruction, "arguments", arguments, found, _Where(path, Place.IMAGE, name))

    # CI definitions

    def _definition(self, node: Any, path: Path, *, depth: int = 0) -> None:
        """Take out of a CI definition in YAML: variables and inputs by their names, all else by its own form."""
        if depth > _DEEPEST:
            return
        for key, value in node.items() if type(node) is dict else enumerate(node):
            script = next((step for step in reversed((*path, key)) if type(step) is str), "") in kinds.SCRIPTS
            if type(value) is str:
                if len(value) > _SHORTEST_FORM:
                    self._string(node, key, "", path, Place.ARGUMENT if script else Place.CONFIG)
            elif type(value) is dict and key in kinds.VARIABLES:
                self._variables(value, (*path, key), Place.ENV if kinds.VARIABLES[key] else Place.CONFIG, depth=depth)
            elif type(value) is dict or type(value) is list:
                self._definition(value, (*path, key), depth=depth + 1)

    def _variables(self, node: dict[Any, Any], path: Path, place: Place, *, depth: int) -> None:
        for key, value in node.items():
            if type(value) is str:
                self._string(node, key, str(key), path, place, record=place is Place.ENV)
            elif type(value) is dict and type(value.get("value")) is str:
                # GitLab: a variable with a description.
                self._string(value, "value", str(key), (*path, key), place, record=place is Place.ENV)
            elif type(value) is dict or type(value) is list:
                self._definition(value, (*path, key), depth=depth + 1)

    def _jenkinsfile(self, body: dict[str, Any]) -> None:
        for index, setting in enumerate(_items(body.get("settings"))):
            if type(setting.get("value")) is str:
                self._string(setting, "value", str(setting.get("name")), ("settings", index), Place.ENV, record=True)
        for part in ("commands", "logins", "stages"):
            for index, entry in enumerate(_items(body.get(part))):
                for field in ("text", "name", "stage", "when"):
                    if type(entry.get(field)) is str and len(entry[field]) > _SHORTEST_FORM:
                        self._string(entry, field, "", (part, index), Place.ARGUMENT)
        for part in ("libraries", "starts", "calls"):
            if type(body.get(part)) is list:
                self._definition(body[part], (part,))

    # Workloads

    def _container(self, container: dict[str, Any], path: Path) -> None:
        name = container.get("name")
        name = name if type(name) is str else ""
        for index, variable in enumerate(_items(container.get("env"))):
            value = variable.get("value")
            if type(value) is str:
                key = variable.get("name")
                key = key if type(key) is str else ""
                self._string(variable, "value", key, (*path, "env", index), Place.ENV, record=True, container=name)
        self._commands(container, path, name)
        for field, value in container.items():
            if field in kinds.HOOKS and type(value) is dict:
                self._hook(value, (*path, field), name)
            elif field in {"script", "source"} and type(value) is str:
                self._string(container, field, "", path, Place.ARGUMENT, container=name)

    def _commands(self, holder: dict[str, Any], path: Path, container: str) -> None:
        lists = [
            (field, holder[field]) for field in ("command", "args") if type(holder.get(field)) is list and holder[field]
        ]
        if not lists:
            return
        program = " ".join(str(item)[:64] for _, items in lists for item in items[:3])
        for field, items in lists:
            for found in command_lines.examine_list(items, program):
                self._found_argument(items, found, (*path, field, found.position), container)

    def _found_argument(self, items: list[Any], found: "command_lines.Argument", path: Path, container: str) -> None:
        text = items[found.position]
        if found.spans:
            self._spans(items, found.position, text, found.spans, _Where(path, Place.ARGUMENT, found.key, container))
        else:
            self._record(_Where(path, Place.ARGUMENT, found.key, container), found.verdict, found.value)

    def _hook(self, node: dict[str, Any], path: Path, container: str) -> None:
        """Take out of a probe or lifecycle hook: commands, headers and the query of a URL."""
        for key, value in node.items():
            if type(value) is dict:
                self._hook(value, (*path, key), container)
            elif key == "httpHeaders":
                for index, header in enumerate(_items(value)):
                    if type(header.get("value")) is str:
                        where = (*path, key, index)
                        self._string(
                            header, "value", str(header.get("name")), where, Place.ARGUMENT, container=container
                        )
            elif key == "path" and type(value) is str and len(value) > 8:
                self._string(node, key, key, path, Place.ARGUMENT, container=container)
        self._commands(node, path, container)

    # Anything else

    def _walk(self, node: Any, path: Path, *, references: bool, helm: tuple[Path, ...], depth: int = 0) -> None:
        """Take credentials out of `node`, whose shape is not known.

        `references`: fields of this kind name where secrets are, so only what is a credential by its own form counts.
        """
        if depth > _DEEPEST:
            return
        if type(node) is list:
            for index, item in enumerate(node):
                if type(item) is str:
                    if len(item) > _SHORTEST_FORM:
                        self._string(node, index, "", path, Place.CONFIG)
                elif isinstance(item, (dict, list)):
                    self._walk(item, (*path, index), references=references, helm=helm, depth=depth + 1)
        elif id(node) in self._containers:
            self._container(node, path)
        elif path in helm:
            self._tree(node, path, Place.HELM_VALUE, record=True)
        else:
            self._map(node, path, references=references, helm=helm, depth=depth)

    def _map(self, node: dict[Any, Any], path: Path, *, references: bool, helm: tuple[Path, ...], depth: int) -> None:
        refers = references or _refers(node, path)
        for key, value in node.items():
            if key in kinds.PLAIN_FIELDS:
                continue
            if type(value) is str:
                name = "" if refers else str(key)
                if len(value) > _SHORTEST_FORM or (value and label(name) >= Label.SECRET):
                    self._string(node, key, "values.yaml" if (*path, key) in helm else name, path, Place.CONFIG)
            elif value and isinstance(value, (dict, list)):
                self._walk(value, (*path, key), references=references, helm=helm, depth=depth + 1)
        if not references and type(node.get("name")) is str and type(node.get("value")) is str:
            self._string(node, "value", node["name"], path, Place.HELM_VALUE if helm else Place.CONFIG)

    def _tree(self, node: Any, path: Path, place: Place, *, record: bool, depth: int = 0) -> None:
        """Take credentials out of nested configuration; `record` describes every string under a credential's name."""
        if depth > _DEEPEST:
            return
        entries = node.items() if type(node) is dict else enumerate(node) if type(node) is list else ()
        refers = type(node) is dict and _refers(node, path)
        for key, value in entries:
            kind = type(value)
            if kind is str:
                name = str(key) if type(key) is str and not refers else ""
                named = label(name) >= Label.SECRET
                if value or named:
                    self._string(node, key, name, path, place, record=record and named)
            elif kind is dict or kind is list:
                self._tree(value, (*path, key), place, record=record, depth=depth + 1)
        if type(node) is dict and type(node.get("name")) is str and type(node.get("value")) is str:
            self._string(node, "value", node["name"], path, place, record=label(node["name"]) >= Label.SECRET)

    # One string

    def _string(
        self,
        holder: Any,
        step: str | int,
        key: str,
        path: Path,
        place: Place,
        *,
        record: bool = False,
        container: str = "",
    ) -> None:
        value = holder[step]
        verdict, found = examine(key, value, place=place, describe=record)
        if found and (record or verdict.confidence is not Confidence.POSSIBLE):
            self._spans(holder, step, value, found, _Where((*path, step), place, key, container))
            return
        if verdict.rule == "prose":
            # Words under a credential's name are no finding, and a passphrase all the same: they are not kept.
            holder[step] = REDACTED
            self._remember(value)
        if record:
            self._record(_Where((*path, step), place, key, container), verdict, value)

    def _spans(self, holder: Any, step: str | int, value: str, found: list[Span], where: _Where) -> None:
        if not found:
            return
        for span in found:
            secret = value[span.start : span.end]
            named = f"{where.key}: {span.key}" if where.key and span.key and span.key != where.key else ""
            verdict = Classification(LiteralKind.CREDENTIAL, span.rule, span.confidence)
            line = value.count("\n", 0, span.start)
            self._record(where._replace(key=named or where.key or span.key), verdict, secret, line=line)
            self._remember(secret, sure=span.confidence is not Confidence.POSSIBLE)
        holder[step] = mask(value, [(span.start, span.end) for span in found])

    def _record(self, where: _Where, verdict: Classification, value: str, *, line: int = -1) -> None:
        self.literals.append(
            Literal(
                path=where.path,
                place=where.place,
                key=where.key,
                kind=verdict.kind,
                rule=verdict.rule,
                confidence=verdict.confidence,
                fingerprint=self.fingerprint(value) if verdict.kind is LiteralKind.CREDENTIAL else "",
                length=len(value),
                container=where.container,
                line=line,
            )
        )

    def _remember(self, value: str, *, sure: bool = True) -> None:
        """Keep `value` for the sweep, unless it is a word that may well stand elsewhere and mean itself."""
        if sure and len(value) >= _CERTAIN_LENGTH and (len(value) >= _NO_WORD or not _WORDLIKE.fullmatch(value)):
            self.taken.add(value)


_SECRET_VALUE = Classification(LiteralKind.CREDENTIAL, "secret-value", Confidence.LIKELY)
_UNLIKELY_SECRET = Classification(LiteralKind.CREDENTIAL, "secret-value", Confidence.POSSIBLE)
_DOCKER_AUTH = Classification(LiteralKind.CREDENTIAL, "docker-auth", Confidence.LIKELY)
_SEALED = Classification(LiteralKind.ENCRYPTED, "sealed-secret", Confidence.CERTAIN)
_EMPTY = Classification(LiteralKind.PLACEHOLDER, "empty", Confidence.LIKELY)
_PUBLIC = Classification(LiteralKind.PUBLIC, "binary", Confidence.LIKELY)
_MEASURED = frozenset({"prose", "switch", "number", "duration", "size", "url", "hash", "access-key-id"})
_STAYS = frozenset({LiteralKind.PLACEHOLDER, LiteralKind.REFERENCE, LiteralKind.ENCRYPTED})


_SETTING = compile_(r"(?P<name>[A-Z][A-Z_]{2,60})=\S{1,200}")
"""One that a file of settings is made up of: `ENABLED=false`."""


def secret_value(key: str, value: str, *, docker: bool) -> Classification:
    """Return what a value is that stands in a Secret: a credential, unless it is plainly something else."""
    if docker or key in {".dockerconfigjson", ".dockercfg"}:
        return _docker_auth(value)
    verdict, _ = examine(key, value, place=Place.SECRET)
    # Inside of a Secret the name of another one would be no use to anybody.
    if (verdict.kind in _STAYS and verdict.rule != "object-name") or verdict.rule == "public-key":
        return verdict
    if verdict.kind is LiteralKind.CREDENTIAL and verdict.confidence is not Confidence.POSSIBLE:
        return verdict
    words = last_words(key)
    while len(words) > 1 and (words[-1] in {"in", "out"} or words[-1].isdigit()):
        words.pop()
    described = (
        (words and (words[-1] in kinds.PLAIN_SECRET_WORDS or words[-1].endswith(kinds.PLAIN_SECRET_ENDS)))
        or key.lower().endswith(kinds.SETTINGS_FILES)
        or verdict.rule in _MEASURED
        or verdict.kind is LiteralKind.PATH
        or value.strip().count("\n") > 2
        or value.count(" ") > 3
        or ((setting := _SETTING.fullmatch(value)) is not None and label(setting["name"]) < Label.SECRET)
    )
    return _UNLIKELY_SECRET if described else _SECRET_VALUE


def _docker_auth(value: str) -> Classification:
    import json  # noqa: PLC0415 - start-up: a commit waits

    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        verdict, _ = examine("", value, place=Place.SECRET)
        return verdict if verdict.kind in _STAYS else _DOCKER_AUTH
    auths = parsed.get("auths", parsed) if type(parsed) is dict else {}
    return _DOCKER_AUTH if auths else _EMPTY


def _refers(node: dict[Any, Any], path: Path) -> bool:
    """Return whether `node` names a Secret and keys in it: `{secretName: x, password: password}`."""
    return "secretName" in node or (
        bool(path) and str(path[-1]).lower().endswith(("secretref", "keyref", "keyselector"))
    )


def _unpacked(packed: str) -> str:
    return decoded("".join(packed.split())) if packed != REDACTED else ""


def _items(value: Any) -> list[dict[str, Any]]:
    return [item if type(item) is dict else {} for item in value] if type(value) is list else []


def _sweep(body: dict[str, Any], taken: set[str]) -> None:
    """Replace copies of taken values, and of their base64, URL-encoded and JSON forms, anywhere in `body`."""
    import json  # noqa: PLC0415 - start-up: only where something was taken out
    from urllib.parse import quote  # noqa: PLC0415 - as above

    forms: set[str] = set()
    for value in taken:
        packed = base64.b64encode(value.encode("utf-8", "surrogatepass")).decode()
        forms |= {value, value.strip(), packed, packed.rstrip("="), quote(value, safe="", errors="replace")}
        if _ESCAPED.search(value):
            plain = json.dumps(value, ensure_ascii=False)[1:-1]
            forms |= {plain, json.dumps(value)[1:-1], plain.translate(_AS_GO_WRITES)}
    ordered = sorted(
        (form for form in forms if len(form) >= _CERTAIN_LENGTH and form not in REDACTED), key=len, reverse=True
    )
    _replace(body, ordered, 0)


_ESCAPED = compile_(r"[^ !#-%'-;=?-\[\]-~]")
_AS_GO_WRITES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
"""Go's JSON, and so kubectl's, escapes these as well, since the text might stand in a web page."""


def _replace(node: Any, forms: list[str], depth: int) -> None:
    if depth > _DEEPEST:
        return
    entries = node.items() if type(node) is dict else enumerate(node)
    for key, value in entries:
        kind = type(value)
        if kind is str:
            for form in forms:
                if form in value:
                    value = value.replace(form, REDACTED)  # noqa: PLW2901
                    node[key] = value
        elif kind is dict or kind is list:
            _replace(value, forms, depth + 1)
