"""Where the elements of a policy's loops stand in a resource, so that a failure has a path."""

import re
from collections.abc import Sequence

from auditor.model.record import record
from auditor.model.resource import Path, Resource
from auditor.model.views import Views
from auditor.policy import naming
from auditor.policy.document import Policy

_STEPS = re.compile(r"^(?P<root>object|variables\.(?P<view>\w+)|\w+)(?P<steps>(?:\.\??\w+)*?)(?:\.orValue\(\[\]\))?$")


@record(kw_only=False)
class Place:
    """Where the elements of a loop stand: below `base`, or in elements that carry their own `path`."""

    variable: str
    base: str
    """`object`, `view`, `loop` (an earlier loop variable) or `computed`."""
    name: str
    """The view's or the loop variable's name."""
    steps: tuple[str, ...]


def places(policy: Policy) -> tuple[Place, ...]:
    """Return the place of each loop of `policy`, from the outermost to the innermost."""
    known: set[str] = set()
    found = []
    for loop in policy.each:
        match = _STEPS.match(loop.items)
        place = Place(loop.variable, "computed", "", ())
        if match:
            steps = tuple(step.lstrip("?") for step in match["steps"].split(".") if step)
            root = match["root"]
            if match["view"]:
                place = Place(loop.variable, "view" if not steps else "computed", match["view"], steps)
            elif root == "object":
                place = Place(loop.variable, "object", "", steps)
            elif root in known:
                place = Place(loop.variable, "loop", root, steps)
        found.append(place)
        known.add(loop.variable)
    return tuple(found)


def path_of(
    position: tuple[int, ...], loops: Sequence[Place], *, pointer: str, resource: Resource, views: Views
) -> Path:
    """Return the path of the item at `position` (one index for each loop); `pointer` is what the item says itself."""
    if pointer:
        return naming.resolve(resource.body, pointer)
    paths: dict[str, Path] = {}
    path: Path = ()
    for place, index in zip(loops, position, strict=True):
        if place.base == "computed":
            continue
        if place.base == "view":
            known = views.paths.get(place.name)
            if known is None or index >= len(known):
                continue
            path = known[index]
        else:
            start = paths.get(place.name, ()) if place.base == "loop" else ()
            path = (*start, *place.steps, index)
        paths[place.variable] = path
    return path
