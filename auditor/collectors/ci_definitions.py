"""What a file that is a CI definition by its name holds: the body that policies see, or that it is none after all.

Bodies are as Kubernetes' reader sees YAML, but for one key: `on` of a GitHub workflow is the boolean `true` in YAML
1.1, and is called `on` again.
"""

from typing import Any

from auditor.model.ci import CiFile

_ON = "true"


def body(kind: CiFile, value: Any) -> dict[str, Any] | None:
    """Return the body of a definition that was read from YAML, `None` where `value` is something else."""
    if not isinstance(value, dict) or ("apiVersion" in value and "kind" in value):
        return None
    match kind:
        case CiFile.GITHUB_WORKFLOW:
            named = {"on" if key == _ON else key: item for key, item in value.items()}
            return named if "on" in named and isinstance(named.get("jobs"), dict) else None
        case CiFile.GITHUB_ACTION:
            runs = value.get("runs")
            return value if isinstance(runs, dict) and runs.get("using") == "composite" else None
        case CiFile.GITLAB_CI:
            # A file may begin with a header (`spec: inputs`) as a document of its own.
            return None if value.keys() == {"spec"} else value
        case CiFile.PRE_COMMIT:
            return value if isinstance(value.get("repos"), list) else None
        case CiFile.JENKINSFILE | CiFile.OTHER:
            return None
