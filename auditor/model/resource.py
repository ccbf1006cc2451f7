"""What a collector yields: one object as its source describes it, redacted, and the credentials met in it.

A `Fact` is derived from many resources (an effective grant, a copy of a secret) and is judged by policies as a
resource is; it therefore has the same shape, and only its type (`fact/...`) tells the difference.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from auditor.model.record import field, record

Path = tuple[str | int, ...]
"""Steps from the root of an object to an item in it, e.g. `("spec", "containers", 0, "env", 2)`."""


@record(order=True)
class Location:
    """Where a person finds a thing. Lines and columns count from 1; `None` means unknown."""

    file: str
    """POSIX path relative to the working folder, or `-` for standard input."""
    line: int | None = None
    column: int | None = None
    pointer: str = ""
    """JSON pointer inside the object, e.g. `/spec/containers/0/env/2`."""
    rendered_from: str = ""
    """What was rendered to get the object, e.g. `Helm chart charts/web`; empty for a file read as it is."""


@record(order=True)
class Origin:
    """Where a resource was read, precise enough to find the line of any item in it again."""

    file: str
    """As `Location.file`."""
    document: int = 0
    """Position of the YAML document in the file, from 0, counting every document, also skipped ones."""
    line: int | None = 1
    """First line of that document in the file, from 1. `None` where lines mean nothing (rendered output)."""
    column: int = 1
    """Where in that line it begins, from 1; of what is no document, such as a credential."""
    prefix: Path = ()
    """Steps from the document's root to this object, for objects inside a `List`: `("items", 3)`."""
    rendered_from: str = ""
    """As `Location.rendered_from`."""
    source: str = ""
    """Name of the live source or export that it was collected from; empty for manifests. Then `file` is where it
    stands there: `kubernetes://prod/apis/apps/v1/namespaces/shop/deployments/web`."""


class LiteralKind(StrEnum):
    """What a literal string in a manifest is. Only `CREDENTIAL` is a finding by itself."""

    CREDENTIAL = "credential"
    REFERENCE = "reference"
    """Names where the value is: `${VAR}`, `{{ .Values.x }}`, `vault:secret/data/x`, a Secret's name."""
    PATH = "path"
    """A file or URL path such as `/run/secrets/db`."""
    PLACEHOLDER = "placeholder"
    """Meant to be replaced, and no secret till then: empty, `<your-token>`, `xxxx`."""
    ENCRYPTED = "encrypted"
    """SOPS, SealedSecrets, age or Vault transit ciphertext."""
    PUBLIC = "public"
    """A certificate, a public key, a key id, a number, a boolean, plain words: no secret."""


class Confidence(StrEnum):
    """How sure a classification is."""

    CERTAIN = "certain"
    """A vendor's token format, with checksum where there is one, or a private key block."""
    LIKELY = "likely"
    """A name that labels a credential, with a literal value; a password in a URL."""
    POSSIBLE = "possible"
    """Entropy or a weak name alone. Reported at a lower tier; never fails a policy by itself."""


class Place(StrEnum):
    """Where in an object a literal was met; policies choose by it."""

    ENV = "env"
    ARGUMENT = "argument"
    """`command`, `args`, or the command, headers or URL of a probe or lifecycle hook."""
    ANNOTATION = "annotation"
    LABEL = "label"
    CONFIG = "config"
    """ConfigMap `data` and `binaryData`."""
    SECRET = "secret"  # noqa: S105 - the name of a place
    """Secret `data` and `stringData`."""
    HELM_VALUE = "helm-value"
    GENERATOR = "generator"
    """Literals of a Kustomize `secretGenerator` or `configMapGenerator`."""
    IMAGE = "image"
    """`ENV`, `ARG`, `LABEL` or `RUN` of a Dockerfile or Containerfile."""
    KEY_FILE = "key-file"
    """Keys written into an `EncryptionConfiguration` or a kubeconfig."""


@record
class Literal:
    """One value that was taken out of a manifest while it was read, and what it was. Never holds the value."""

    path: Path
    """From the root of the resource's body to the value."""
    place: Place
    key: str
    """The name that labels it: the environment variable, the key of the ConfigMap, the flag."""
    kind: LiteralKind
    rule: str
    """What recognised it: `named-credential`, `url-password`, `aws-access-key-id`, `private-key`, ..."""
    confidence: Confidence
    fingerprint: str
    """Keyed fingerprint of the value (`redaction.fingerprint`), or empty where it holds no secret."""
    length: int
    """Characters of the value (of the decoded value for Secret `data`)."""
    container: str = ""
    """Name of the container whose environment or arguments hold it."""
    line: int = field(default=-1, compare=False)
    """Line inside of the value, from 0, where a part of a longer text is meant; -1: the value as a whole."""


@record
class Resource:
    """One object, redacted.

    `body` is plain JSON-like data in which every credential is replaced by `REDACTED`; what was taken out is
    described in `literals`. Treat it as read-only.
    """

    type: str
    """`kubernetes/Pod` for built-in groups (core, `apps`, `batch`, `*.k8s.io`), else `kubernetes/Kind.group`.
    Facts: `fact/...`. Files that are not API objects: `file/Dockerfile`, `file/helm-values`, `file/kustomization`."""
    name: str
    namespace: str = ""
    """Empty for cluster-scoped objects and where the manifest names none (`default` is not assumed)."""
    body: Mapping[str, Any]
    origin: Origin
    literals: tuple[Literal, ...] = ()
    related: tuple[tuple[str, "Origin", Path], ...] = ()
    """For facts: (what it is, where, item in it) of each further object that made the fact, e.g. the binding."""
    digest: str = field(default="", compare=False)

    @property
    def id(self) -> str:
        """Stable name, free of file and line: `kubernetes/Deployment:payments/web`, collected ones with `@SOURCE`."""
        name = f"{self.type}:{self.namespace}/{self.name}"
        return f"{name}@{self.origin.source}" if self.origin.source else name


REDACTED = "[redacted]"
"""Stands in a resource's body where a credential was."""


def pointer(path: Path) -> str:
    """Return `path` as a JSON pointer (RFC 6901): `("a", 0, "b/c")` gives `/a/0/b~1c`."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def parse_pointer(text: str) -> Path:
    """Return the path of a JSON pointer; steps of digits become integers, so it suits lists, not digit keys."""
    steps = (step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:])
    return tuple(int(step) if step.isdigit() else step for step in steps)
