"""Programs that fetch secrets from a store when they run: a table, and how one is recognised in a container.

A container is looked at as a whole: a wrapper around the main program (`chamber exec web -- /app`) fetches as well as
an init container does. Only a fetch counts: `aws s3 cp` and `vault operator init` are none.
"""

import re
from functools import cache
from typing import Any

from auditor.facts.shapes import elements, text

_OPTIONS = r"(?:\s+-\S+(?:[ =][^\s-]\S*)?)*"

_COMMANDS = (
    ("vault-agent", rf"\bvault{_OPTIONS}\s+(?:agent|proxy)\b"),
    ("vault", rf"\b(?:vault|bao){_OPTIONS}\s+(?:read|unwrap|kv{_OPTIONS}\s+get)\b"),
    ("vault-agent", rf"\bbao{_OPTIONS}\s+(?:agent|proxy)\b"),
    ("consul-template", r"\bconsul-template\b"),
    ("envconsul", r"\benvconsul\b"),
    ("vault-env", r"\bvault-env\b"),
    ("aws", rf"\baws{_OPTIONS}\s+secretsmanager{_OPTIONS}\s+(?:batch-)?get-secret-value\b"),
    ("aws", rf"\baws{_OPTIONS}\s+ssm{_OPTIONS}\s+get-parameters?(?:-by-path)?\b"),
    ("gcloud", rf"\bgcloud(?:\s+(?:alpha|beta))?{_OPTIONS}\s+secrets\s+versions\s+access\b"),
    ("az", r"\baz\s+keyvault\s+secret\s+(?:show|download)\b"),
    ("berglas", r"\bberglas\s+(?:access|exec)\b"),
    ("chamber", r"\bchamber\s+(?:exec|env|export|read)\b"),
    ("doppler", r"\bdoppler\s+(?:run|secrets)\b"),
    ("infisical", r"\binfisical\s+(?:run|export|agent|secrets)\b"),
    ("1password", r"\bop\s+(?:inject|run|read)\b"),
    ("summon", r"\bsummon\s+-"),
    ("bitwarden", r"\bbws\s+(?:run|secret)\b"),
    ("akeyless", r"\bakeyless\s+get-secret-value\b"),
    ("aws-env", r"\baws-env\b"),
)
_HINT = re.compile("vault|bao|consul|aws|gcloud|az |berglas|chamber|doppler|infisical|op |summon|bws|akeyless")
"""A word of one of the commands: nearly no container has one, and looking for it costs a tenth."""

_IMAGES = {
    "vault-agent": "vault-agent",
    "vault-env": "vault-env",
    "consul-template": "consul-template",
    "envconsul": "envconsul",
    "secrets-init": "secrets-init",
    "aws-secrets-manager-secret-sidecar": "aws",
    "secretless-broker": "conjur",
    "secrets-provider-for-k8s": "conjur",
    "conjur-authn-k8s-client": "conjur",
    "berglas": "berglas",
    "chamber": "chamber",
    "doppler-cli": "doppler",
    "akeyless-sidecar": "akeyless",
}
"""Name of an image, without registry, folders and tag, and what it is. An image of this name does nothing else."""

_LONGEST = 20_000
"""Characters of a command that are looked at; a script longer than that is data."""


def fetcher(container: dict[str, Any]) -> str:
    """Return the name of the fetcher that `container` runs, or `""`."""
    image = text(container.get("image"))
    if image:
        found = _IMAGES.get(image_name(image))
        if found:
            return found
    command, arguments = elements(container.get("command")), elements(container.get("args"))
    if not command and not arguments:
        return ""
    words = [text(word) for word in (*command, *arguments)]
    if not command:
        # The image's own entry point runs; these images are called after theirs.
        words.insert(0, image_name(image).removesuffix("-cli"))
    line = " ".join(words)[:_LONGEST]
    match = _any().search(line) if _HINT.search(line) else None
    return _COMMANDS[int((match.lastgroup or "f0")[1:])][0] if match else ""


@cache
def _any() -> re.Pattern[str]:
    """Return all commands as one pattern; it takes 1 ms, and most runs need none."""
    return re.compile("|".join(f"(?P<f{index}>{pattern})" for index, (_, pattern) in enumerate(_COMMANDS)))


def image_name(image: str) -> str:
    """Return the last step of an image's name: `registry:5000/team/app:1.2@sha256:0` gives `app`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]
