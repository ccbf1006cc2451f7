"""SARIF 2.1.0 with everything that it can carry: passes, what is open, waivers, the baseline, requirements.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html

Each finding is one result of kind `fail`. Passes, and what could not be judged, are one result a policy (and reason)
with their counts: one for each subject would be millions on a large estate. GitHub's code scanning takes every result
for an alert, whatever its kind, and does not look at suppressions; `sarif_github` writes what it can use.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from auditor.model.assessment import Assessment, Waiver, WaiverUse
from auditor.model.coverage import Coverage, Gap
from auditor.model.leaks import Leaks
from auditor.model.resource import Location
from auditor.model.verdict import Finding, Outcome, PolicyResult
from auditor.reports import figures, json_text, leaks, sarif_tool, systems
from auditor.reports.options import Options
from auditor.reports.text import visible

Json = dict[str, Any]

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
_PLACES = 10
"""Locations that a result about many subjects names."""
_DEPTH = 6
"""Down to one line for each result, rule and requirement."""
# `[text](target)` in a message is a link (section 3.11.6) unless its brackets are escaped.
_LINK = re.compile(r"\[([^\[\]]*)\]\(")


def render(assessment: Assessment, options: Options) -> bytes:
    """Return one SARIF log with one run, in UTF-8."""
    del options  # a program reads this: there is nothing to adapt
    log = _Log(assessment)
    log.name_population()
    results = [*log.failures(assessment.findings), *log.unsettled(), *log.passes()]
    return json_text.dump(log.whole(results), depth=_DEPTH)


def render_alerts(assessment: Assessment, findings: Sequence[Finding], *, left_out: int, past: int = 0) -> bytes:
    """Return one SARIF log whose results are `findings` alone, and that says how many were left out.

    `past` of them because they stand in the history alone.
    """
    log = _Log(assessment)
    # An alert needs a file, and an object of a cluster has none: its API path stands in for one.
    log.all_in_files = True
    results = list(log.failures(findings))
    if left_out:
        text = f"{left_out:,} findings are left out: GitHub refuses a file with more. The worst ones are here."
        log.notifications.append({"level": "warning", "message": {"text": text}})
    if past:
        stand = "finding stands" if past == 1 else "findings stand"
        text = f"{past:,} {stand} in the history alone, at no line that GitHub could show: see another report."
        log.notifications.append({"level": "warning", "message": {"text": text}})
    return json_text.dump(log.whole(results), depth=_DEPTH)


@dataclass(slots=True)
class _Log:
    """One log as it grows; what is named by position is collected here."""

    assessment: Assessment
    notifications: list[Json] = field(default_factory=list)
    all_in_files: bool = False
    _files: dict[str, int] = field(default_factory=dict)
    _targets: set[str] = field(default_factory=set)
    _commits: dict[str, None] = field(default_factory=dict)
    """Of findings that only the history holds, in the order in which they were met."""
    _rules: Mapping[str, int] = field(init=False)
    _waivers: Mapping[str, Waiver] = field(init=False)

    def __post_init__(self) -> None:
        self._rules = {policy.id: index for index, policy in enumerate(self.assessment.policies)}
        self._waivers = {use.waiver.id: use.waiver for use in self.assessment.waivers}

    def name_population(self) -> None:
        """List every file that holds a subject, whether something fails in it or not."""
        past = {finding.subject for finding in self.assessment.findings if leaks.revision(finding)}
        files = {subject.location.file for index, subject in enumerate(self.assessment.subjects) if index not in past}
        for file in sorted(file for file in files if not systems.lives(file)):
            self._targets.add(_uri(file))
            self._artifact(file)

    def failures(self, findings: Sequence[Finding]) -> Iterator[Json]:
        """Yield a result for each finding: new ones first, known and waived ones last, worst first within each."""
        for finding in sorted(findings, key=lambda finding: (finding.outcome is Outcome.WAIVED, finding.known)):
            yield self._failure(finding)

    def unsettled(self) -> Iterator[Json]:
        """Yield a result of kind `open` for each policy and reason for which something could not be judged."""
        for result in self.assessment.results:
            for reason, count in figures.open_reasons(result):
                indexes = [index for index, why in result.not_evaluated if why == reason and index >= 0]
                whole = not indexes
                text = f"Not evaluated: {reason}" + ("" if whole else f" ({figures.plural(count, 'subject')})")
                yield self._about_many(result, "open", text, indexes) | {"properties": {"verdicts": count}}

    def passes(self) -> Iterator[Json]:
        """Yield a result of kind `pass` for each policy that something passes."""
        for result in self.assessment.results:
            if result.passed:
                text = f"Passed by {len(result.passed):,} of {figures.plural(result.population, 'subject')}"
                found = self._about_many(result, "pass", text, result.passed)
                yield found | {"properties": {"verdicts": len(result.passed), "population": result.population}}

    def whole(self, results: Sequence[Json]) -> Json:
        """Return the log around `results`, which must have been made by this object."""
        run = self.assessment.run
        gaps = [self._gap(gap, part) for part in self.assessment.coverage for gap in part.gaps]
        unused = [self._waiver(use) for use in self.assessment.waivers if use.note or not use.used]
        taxonomies = [sarif_tool.taxonomy(framework) for framework in self.assessment.frameworks]
        artifacts = [
            {"location": {"uri": uri, "uriBaseId": _ROOT}}
            | ({"roles": ["analysisTarget"]} if uri in self._targets else {})
            for uri in self._files
        ]
        return {
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {"driver": sarif_tool.driver(self.assessment)},
                    "invocations": [
                        {
                            "executionSuccessful": self.assessment.complete,
                            "startTimeUtc": _utc(run.started),
                            "arguments": [visible(argument) for argument in run.arguments],
                            "toolExecutionNotifications": gaps + self.notifications,
                            "toolConfigurationNotifications": unused,
                        },
                        *map(_invocation, systems.systems(self.assessment)),
                    ],
                    "originalUriBaseIds": {
                        _ROOT: {"description": {"text": "The folder in which auditor ran; usually the checkout."}},
                        **{_base(commit): _tree(commit) for commit in self._commits},
                    },
                    **self._provenance(),
                    **({"artifacts": artifacts} if self._targets else {}),
                    "results": list(results),
                    **({"taxonomies": taxonomies} if taxonomies else {}),
                    "columnKind": "unicodeCodePoints",
                    "properties": {
                        "policyPackDigest": run.policy_pack_digest,
                        "inputDigest": run.input_digest,
                        "verdicts": dict(figures.verdicts(self.assessment)),
                        **({"leaks": _leaks(self.assessment.leaks)} if self.assessment.leaks else {}),
                    },
                }
            ],
        }

    def _failure(self, finding: Finding) -> Json:
        subject = self.assessment.subjects[finding.subject]
        result: Json = {
            "ruleId": finding.policy_id,
            "ruleIndex": self._rules[finding.policy_id],
            "kind": "fail",
            "level": sarif_tool.LEVELS[finding.severity],
            "message": {"text": _message(_sentence(finding))},
            "locations": [self._place(finding, name=subject.id)],
            "partialFingerprints": {"auditorFinding/v1": finding.fingerprint},
        }
        if finding.related:
            result["relatedLocations"] = [
                self._location(place) | {"id": number, "message": {"text": _message(what)}}
                for number, (what, place) in enumerate(finding.related)
            ]
        if self.assessment.waivers:
            result["suppressions"] = [self._suppression(finding)] if finding.outcome is Outcome.WAIVED else []
        if self.assessment.baseline is not None:
            result["baselineState"] = "unchanged" if finding.known else "new"
        if finding.evidence:
            result["properties"] = {
                "evidence": [f"{visible(name)}: {visible(value)}" for name, value in finding.evidence]
            }
        return result

    def _place(self, finding: Finding, *, name: str) -> Json:
        """Return where a finding stands; what only the history holds, in the tree of the commit that brought it."""
        commit = leaks.revision(finding)
        if commit:
            self._commits[commit] = None
        return self._location(finding.location, name=name, item=finding.item, commit=commit)

    def _provenance(self) -> Json:
        """Return which trees the bases of history stand for, where the repository has an address (3.14.13)."""
        searched = self.assessment.leaks.searched if self.assessment.leaks else ()
        address = next((part.repository for part in searched if part.repository), "")
        if not address:
            return {}
        head = next((part.head for part in searched if part.head), "")
        trees = [(head, _ROOT)] if head else []
        trees += [(commit, _base(commit)) for commit in self._commits]
        return {
            "versionControlProvenance": [
                {"repositoryUri": address, "revisionId": commit, "mappedTo": {"uriBaseId": base}}
                for commit, base in trees
            ]
        }

    def _about_many(self, result: PolicyResult, kind: str, text: str, indexes: Sequence[int]) -> Json:
        subjects = [self.assessment.subjects[index] for index in indexes[:_PLACES]]
        return {
            "ruleId": result.policy_id,
            "ruleIndex": self._rules[result.policy_id],
            "kind": kind,
            "level": "none",
            "message": {"text": _message(text)},
            "locations": [self._location(subject.location, name=subject.id) for subject in subjects]
            # Nothing in the input is it about, but a result without a place is refused by GitHub.
            or [self._location(Location(file="./"))],
        }

    def _location(self, location: Location, *, name: str = "", item: str = "", commit: str = "") -> Json:
        if systems.lives(location.file) and not self.all_in_files:
            return _in_system(location, name=name, item=item)
        # GitHub asks for a line; where it is not known (rendered output) it is the file's first.
        region: Json = {"startLine": location.line or 1}
        if location.line is not None and location.column is not None:
            region["startColumn"] = location.column
        past = {"uri": _uri(location.file), "uriBaseId": _base(commit)} if commit else None
        file = past or self._artifact(location.file)
        found: Json = {"physicalLocation": {"artifactLocation": file, "region": region}}
        if name:
            full = f"{name}#{item}" if item else name
            found["logicalLocations"] = [{"fullyQualifiedName": visible(full), "kind": "resource"}]
        return found

    def _artifact(self, file: str) -> Json:
        uri = _uri(file.replace("://", "/", 1) if systems.lives(file) else file)
        if uri.startswith("file:"):
            return {"uri": uri}
        place = {"uri": uri, "uriBaseId": _ROOT}
        return place | {"index": self._files.setdefault(uri, len(self._files))} if self._targets else place

    def _suppression(self, finding: Finding) -> Json:
        waiver = self._waivers.get(finding.waiver_id)
        why = visible(finding.waiver_id)
        if waiver is not None:
            why = visible(
                f"{waiver.id}: {waiver.reason} Owner {waiver.owner}, approved by {waiver.approver}, "
                f"{waiver.ticket}, until {waiver.expires}"
            )
        return {"kind": "external", "status": "accepted", "justification": why}

    def _gap(self, gap: Gap, part: Coverage) -> Json:
        text = f"{gap.file} was not read: {gap.reason.replace('-', ' ')}. {gap.detail}".strip()
        return {
            "level": "error",
            "message": {"text": _message(text)},
            "descriptor": {"id": gap.reason},
            "locations": [self._location(Location(file=gap.file, line=gap.line))],
            "properties": {"source": visible(part.source)},
        }

    def _waiver(self, use: WaiverUse) -> Json:
        note = use.note or "it matches nothing"
        return {
            "level": "warning",
            "message": {"text": _message(f"Waiver {use.waiver.id}: {note}")},
            "locations": [self._location(use.waiver.location)],
        }


def _base(commit: str) -> str:
    return f"COMMIT-{commit}"


def _tree(commit: str) -> Json:
    return {"description": {"text": f"The tree of commit {commit}, which is not what is checked out."}}


def _leaks(found: Leaks) -> Json:
    return {
        "summary": "; ".join(filter(None, (leaks.found(found), leaks.state(found)))),
        "searched": [visible(text) for text in leaks.searched(found)],
        "complete": found.complete,
        "credentials": found.credentials,
        "places": found.places,
        "files": found.files,
        "commits": found.commits,
        "since": _utc(found.since) if found.since else "",
        "present": found.present,
        "historical": found.historical,
        "waived": found.waived,
        "possible": found.possible,
        "rules": {entry.rule: {"credentials": entry.credentials, "places": entry.places} for entry in found.rules},
    }


def _in_system(location: Location, *, name: str, item: str) -> Json:
    """Return where an object of a live system is: by its name and by its API path, since there is no file."""
    full = f"{name}#{item}" if item else name
    logical = [{"fullyQualifiedName": visible(full), "kind": "resource"}] if name else []
    path = location.file + location.pointer
    return {"logicalLocations": [*logical, {"fullyQualifiedName": visible(path), "kind": "api-path"}]}


def _invocation(system: systems.System) -> Json:
    """Return the collection of one live system: an invocation of its own, by the identity that it saw."""
    source = system.estate.source
    if source is None:
        return {"executionSuccessful": False, "properties": {"source": visible(system.name)}}
    user = source.identity.user if source.identity else ""
    return {
        "executionSuccessful": system.estate.complete,
        "startTimeUtc": _utc(source.started),
        "endTimeUtc": _utc(source.ended),
        **({"account": visible(user)} if user else {}),
        "properties": {
            "source": visible(system.name),
            "plane": source.plane,
            "endpoint": visible(source.endpoint),
            "identifier": visible(source.identifier),
            "version": visible(source.version),
            "lists": system.lists,
            "listsRead": system.read,
            "objects": system.estate.kept,
        },
    }


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _sentence(finding: Finding) -> str:
    rendered = finding.location.rendered_from
    return f"{finding.message} (rendered from {rendered})" if rendered else finding.message


def _message(text: str) -> str:
    return _LINK.sub(r"\\[\1\\](", visible(text))


@lru_cache(maxsize=100_000)
def _uri(file: str) -> str:
    """Return `file` as a relative reference, or as a file URL where its path is absolute."""
    path = quote(file.encode("utf-8", "surrogateescape"), safe="/~")
    return f"file://{path}" if path.startswith("/") else path
