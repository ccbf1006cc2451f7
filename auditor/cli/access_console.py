"""Answers of `auditor access` for people: a table of who can, and the chain behind one answer."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from auditor.access.kubernetes.answers import Answer, Decision, Doubt, DoubtKind, Grant
from auditor.access.kubernetes.bindings import Principal, PrincipalKind
from auditor.access.kubernetes.explaining import Explanation
from auditor.access.kubernetes.grants import label
from auditor.access.kubernetes.holders import BY_SELECTOR, Holder, Holders, Where
from auditor.access.kubernetes.impersonation import Impersonation, Mode
from auditor.access.kubernetes.rbac import Request
from auditor.model.resource import Origin
from auditor.model.resource import Path as Steps
from auditor.pipeline.access import Cluster
from auditor.reports.figures import plural

HEAD = ("PRINCIPAL", "WHERE", "THROUGH", "RULE", "NAMES", "PLACE")
_BUILT_IN = "built in"
_WIDTH = 100


def holders(
    request: Request, where: Where, answers: Sequence[tuple[Cluster, Holders]], *, system: bool, width: int | None
) -> Iterator[str]:
    """Yield the answer of `who-can`; where it does not fit into `width` columns, in several lines a row."""
    for number, (cluster, found) in enumerate(answers):
        if number:
            yield ""
        yield from _of_cluster(request, where, cluster, found, system=system, width=width)


def _of_cluster(
    request: Request, where: Where, cluster: Cluster, found: Holders, *, system: bool, width: int | None
) -> Iterator[str]:
    shown = [row for row in found.rows if system or not row.system]
    hidden = {row.principal for row in found.rows if row.system} if not system else set()
    who = {row.principal for row in shown}
    yield f"{_heading(cluster)}{_words(request)}{_places(request, where)}: {_count(who)}"
    if shown:
        yield ""
        yield from table([HEAD, *(_row(row, request, cluster) for row in shown)], width)
    if hidden:
        yield ""
        yield f"and {plural(len(hidden), 'principal')} of the platform itself (--system lists them)"
    yield from _unknown(found.doubts, cluster)
    yield from _limits(cluster)


def _count(who: Iterable[Principal]) -> str:
    who = set(who)
    if not who:
        return "nobody, as far as the input goes"
    groups = sum(principal.kind is PrincipalKind.GROUP for principal in who)
    open_ended = sum(principal.open_ended for principal in who)
    told = [plural(groups, "group") if groups else "", f"{open_ended} of them open-ended" if open_ended else ""]
    inside = ", ".join(filter(None, told))
    return plural(len(who), "principal") + (f" ({inside})" if inside else "")


def _row(row: Holder, request: Request, cluster: Cluster) -> tuple[str, ...]:
    where = "where it is applied" if row.unplaced else f"namespace {row.scope}" if row.scope else "everywhere"
    if (request.api_group, request.resource) == ("", "namespaces") and row.scope:
        where = "itself"
    if row.grant is None:
        return row.principal.key, where, "no authoriser is asked", "everything", "any", ""
    names = ", ".join(row.names) or "any"
    if row.names and not request.name and request.verb in BY_SELECTOR:
        names += " (by field selector)"
    grant = row.grant
    through = f"{grant.binding.label} -> {grant.role.kind} {grant.role.name}"
    return _principal(row.principal), where, through, _rule(grant), names, _binding_place(grant, cluster)


def _principal(principal: Principal) -> str:
    if principal.open_ended:
        return f"{principal.key} (open-ended)"
    if principal.kind is PrincipalKind.SERVICE_ACCOUNT and not principal.namespace:
        return f"{principal.key} (of a namespace that is not named)"
    return principal.key


def _rule(grant: Grant) -> str:
    taken = f", from {grant.rule.aggregated_from}" if grant.rule.aggregated_from else ""
    return f"{label({**grant.rule.content, 'resourceNames': []})}{taken}"


def _binding_place(grant: Grant, cluster: Cluster) -> str:
    return _place(grant.binding.origin, ("subjects", grant.position), cluster)


def _place(origin: Origin | None, steps: Steps, cluster: Cluster) -> str:
    if origin is None:
        return _BUILT_IN
    found = cluster.locate(origin, steps)
    place = f"{found.file}:{found.line}" if found.line else found.file
    return f"{place} ({found.rendered_from})" if found.rendered_from else place


def table(rows: Sequence[Sequence[str]], width: int | None) -> Iterator[str]:
    """Yield rows in columns, the first as their heads; where they do not fit into `width`, in several lines a row."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    if width is None or sum(widths) + 2 * (len(widths) - 1) <= width:
        for row in rows:
            yield "  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip()
        return
    for number, (principal, where, through, rule, names, place) in enumerate(rows[1:]):
        if number:
            yield ""
        yield f"{principal}, {where}"
        yield f"  {through}"
        yield f"  {rule}" + ("" if names == "any" else f", only {names}")
        if place:
            yield f"  --> {place}"


def _unknown(doubts: Sequence[Doubt], cluster: Cluster) -> Iterator[str]:
    if not doubts:
        return
    yield ""
    yield "not known:"
    by_text: dict[tuple[DoubtKind, str], list[Doubt]] = {}
    for doubt in doubts:
        by_text.setdefault((doubt.kind, doubt.text), []).append(doubt)
    for (_, text), same in by_text.items():
        yield from _wrapped(text, "  ")
        for doubt in same:
            if doubt.binding is not None and doubt.principal is not None:
                place = _place(doubt.binding.origin, ("subjects", doubt.position), cluster)
                yield f"    {doubt.binding.label} names {doubt.principal.key}  --> {place}"


def _limits(cluster: Cluster) -> Iterator[str]:
    """Yield what could not be read, and what the answer takes for granted."""
    evaluator = cluster.evaluator
    told = [f"{gap.file}{f':{gap.line}' if gap.line else ''}: {gap.reason.replace('-', ' ')}" for gap in cluster.gaps]
    if told:
        yield ""
        yield f"{plural(len(told), 'thing')} in scope could not be read, so there may be others:"
        yield from (f"  {text}" for text in told)
    granted = []
    if not evaluator.live:
        granted.append(f"what every cluster has by itself is that of Kubernetes {evaluator.platform.version}")
    if evaluator.dialect.authorisers is None:
        granted.append("RBAC is all that decides; which authorisers the cluster asks is not known (--authorizers)")
    if granted:
        yield ""
        yield "taken for granted:"
        for text in granted:
            yield from _wrapped(text, "  ")


def explanations(answers: Sequence[tuple[Cluster, Explanation]]) -> Iterator[str]:
    """Yield the answer of `explain`."""
    for number, (cluster, found) in enumerate(answers):
        if number:
            yield ""
        yield from _explanation(found, cluster)


def _explanation(found: Explanation, cluster: Cluster) -> Iterator[str]:
    answer = {Answer.ALLOW: "yes", Answer.DENY: "no", Answer.UNKNOWN: "not known"}[found.answer]
    acting = f" as {found.target.user} (impersonated)" if found.target else ""
    where = _places(found.request, Where.NAMESPACE if found.request.namespace else Where.EVERYWHERE)
    yield f"{_heading(cluster)}{found.asker.principal.key}{acting}, {_words(found.request)}{where}: {answer}"
    if found.impersonation is not None:
        yield from _impersonation(found.impersonation, cluster)
        if found.caller is None:
            return
        yield ""
        yield f"the request of {found.caller.user}, in {', '.join(sorted(found.caller.groups)) or 'no group'}:"
    yield from _decision(found.decision, cluster, "  ")
    yield from _others(found, cluster)
    yield from _refused(found, cluster)
    yield from _unknown(found.doubts, cluster)
    if found.entering is not None and found.entering.answer is not found.decision.answer:
        yield ""
        yield from _wrapped(_entering(found), "")
    if found.reservations:
        yield ""
        yield "taken for granted:"
        for text in found.reservations:
            yield from _wrapped(text, "  ")


def _decision(decision: Decision, cluster: Cluster, margin: str) -> Iterator[str]:
    if decision.by:
        yield f"{margin}by {decision.by}"
    if decision.grant is not None:
        yield from _chain(decision.grant, cluster, margin)


def _chain(grant: Grant, cluster: Cluster, margin: str) -> Iterator[str]:
    rule = grant.rule
    within = f" (of {rule.role.kind} {rule.role.name}, aggregated)" if rule.aggregated_from else ""
    yield f"{margin}{grant.principal.key}"
    rows = (
        (f"-> {grant.binding.label}", _binding_place(grant, cluster)),
        (f"-> {grant.role.kind} {grant.role.name}", _place(grant.role.origin, (), cluster)),
        (f"-> {label(rule.content)}{within}", _place(rule.role.origin, rule.path, cluster)),
    )
    width = max(len(text) for text, _ in rows)
    for text, place in rows:
        yield f"{margin}{text.ljust(width)}  {place}".rstrip()


def _others(found: Explanation, cluster: Cluster) -> Iterator[str]:
    """Yield the further bindings that grant it, each once."""
    first = found.decision.grant.binding.identity if found.decision.grant else None
    each = {grant.binding.identity: grant for grant in reversed(found.grants)}
    others = [grant for identity, grant in reversed(each.items()) if identity != first]
    if others:
        yield ""
        yield f"also through {plural(len(others), 'other binding')}:"
        for grant in others:
            place = _binding_place(grant, cluster)
            yield f"  {grant.binding.label} -> {grant.role.kind} {grant.role.name}  --> {place}"


def _refused(found: Explanation, cluster: Cluster) -> Iterator[str]:
    if found.misses:
        yield ""
        yield "nearest:"
        for miss in found.misses:
            yield from _wrapped(miss.text, "  ")
            yield f"    --> {_place(miss.binding.origin, ('subjects', miss.position), cluster)}"
    elif found.decision.answer is Answer.DENY:
        yield "  no binding that names them comes near"
    if found.memberships:
        yield ""
        yield "allowed as a member of (who is in a group is not in the cluster; --group says so):"
        for one in found.memberships:
            grant = one.grant
            place = _binding_place(grant, cluster)
            yield f"  {one.group}: {grant.binding.label} -> {grant.role.kind} {grant.role.name}  --> {place}"


def _impersonation(found: Impersonation, cluster: Cluster) -> Iterator[str]:
    yield ""
    match found.answer:
        case Answer.ALLOW if found.mode is not None:
            how = "the verb impersonate" if found.mode is Mode.LEGACY else f"impersonation mode {found.mode.value}"
            yield f"may act as them, by {how}:"
        case Answer.UNKNOWN:
            yield "may perhaps act as them:"
        case _:
            yield "may not act as them:"
    for asked, decision in found.checks:
        yield f"  {_words(asked)}: {decision.answer.value}"
        yield from _decision(decision, cluster, "    ")


def _entering(found: Explanation) -> str:
    what = f"a connection to pods/{found.request.subresource}"
    match found.entering.answer if found.entering else None:
        case Answer.ALLOW:
            return f"{what} would be let through"
        case Answer.UNKNOWN:
            reasons = "; ".join(doubt.text for doubt in (found.entering.doubts if found.entering else ()))
            return f"whether {what} would be let through is not known: {reasons}"
        case _:
            return f"{what} would be refused all the same: from Kubernetes 1.35 on the server also asks for create"


def _heading(cluster: Cluster) -> str:
    return f"{cluster.name}: " if cluster.name else ""


def _words(request: Request) -> str:
    if request.url:
        return f"{request.verb} {request.url}"
    group = f".{request.api_group}" if request.api_group else ""
    below = f"/{request.subresource}" if request.subresource else ""
    named = f" named {request.name}" if request.name else ""
    return f"{request.verb} {request.resource}{group}{below}{named}"


def _places(request: Request, where: Where) -> str:
    if request.url:
        return ""
    match where:
        case Where.NAMESPACE:
            return f" in namespace {request.namespace}"
        case Where.EVERYWHERE:
            return ", over all namespaces at once"
        case Where.ANYWHERE:
            return ", anywhere"


def _wrapped(text: str, margin: str) -> Iterator[str]:
    yield from textwrap.wrap(
        text, _WIDTH, initial_indent=margin, subsequent_indent=f"{margin}  ", break_on_hyphens=False
    )
