"""Whether something belongs to production, by what people call it: labels, the namespace, the folder.

| word | environment |
|---|---|
| `prod`, `production`, `prd`, `live` | `prod` |
| `dev`, `develop`, `development`, `test`, `testing`, `tst`, `qa`, `stage`, `staging`, `stg`, `uat`, `sandbox`, `sbx`, \
`preview`, `demo`, `integration`, `ci`, `e2e`, `local`, `nonprod`, `non-prod`, `preprod`, `pre-prod` | `non-prod` |

A word counts where it stands alone between separators: `payments-prod` says production, `products` says nothing.
A name that says both says nothing. `live` counts only as a whole name, since `live-chat` is no environment.
"""

import re
from functools import lru_cache
from typing import Any

from auditor.facts.shapes import mapping, text

PROD = "prod"
NON_PROD = "non-prod"
UNKNOWN = "unknown"

_LABELS = (
    "environment",
    "env",
    "app.kubernetes.io/environment",
    "app.kubernetes.io/env",
    "tags.datadoghq.com/env",
    "stage",
)
_PRODUCTION = frozenset({"prod", "production", "prd"})
_OTHER = frozenset(
    {
        "dev",
        "develop",
        "development",
        "test",
        "testing",
        "tst",
        "qa",
        "stage",
        "staging",
        "stg",
        "uat",
        "sandbox",
        "sbx",
        "preview",
        "demo",
        "integration",
        "ci",
        "e2e",
        "local",
        "nonprod",
        "nonproduction",
        "preprod",
        "preproduction",
    }
)
_NEGATED = re.compile(r"(?<![a-z0-9])(?:non|pre|not)[-_. ]?(?=prod)")
_WORD = re.compile(r"[a-z0-9]+")


def of_labels(body: Any) -> str:
    """Return the environment that the labels of an object say."""
    labels = mapping(mapping(mapping(body).get("metadata")).get("labels"))
    for key in _LABELS:
        found = of_name(text(labels.get(key)))
        if found != UNKNOWN:
            return found
    return UNKNOWN


@lru_cache(maxsize=4096)
def of_name(name: str) -> str:
    """Return the environment that one name says: a namespace, a label's value, a folder."""
    name = name.lower()
    if name == "live":
        return PROD
    words = set(_WORD.findall(_NEGATED.sub("pre", name)))
    production, other = not words.isdisjoint(_PRODUCTION), not words.isdisjoint(_OTHER)
    if production == other:
        return UNKNOWN
    return PROD if production else NON_PROD


def of_file(file: str) -> str:
    """Return the environment that the path of a file says; the innermost step that says anything decides."""
    for step in reversed(file.split("/")):
        found = of_name(step)
        if found != UNKNOWN:
            return found
    return UNKNOWN
