"""What policies see of a subject beside its body, computed once for all of them."""

from collections.abc import Mapping
from typing import Any

from auditor.model.record import field, record
from auditor.model.resource import Path


@record
class Views:
    """The views of one resource or fact."""

    names: frozenset[str] = frozenset()
    """Views that the resource has (`pod_spec`, ...): `applies_to` of a policy names these or a resource type."""
    variables: Mapping[str, Any] = field(default_factory=dict)
    """Value of CEL's `variables`. Every variable that a view promises is there (empty list, not missing)."""
    paths: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    """For a list variable whose elements were read from the body: where each element sits, in the same order.
    Elements of other lists are maps with their own `path` (a JSON pointer)."""
