"""From resources to findings: names that survive edits, places of items, and the same answer whoever does the work."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor import data, workloads
from auditor.collectors import manifests
from auditor.collectors.sources import Source, SourceKind
from auditor.facts.estate import Estate, merge
from auditor.model.verdict import Finding, Severity, SubjectKind
from auditor.pipeline import assemble, judging
from auditor.pipeline.assemble import JudgedSubject
from auditor.pipeline.judging import Judge
from auditor.pipeline.places import Places
from auditor.policy import document
from auditor.policy.engine import Engine
from auditor.redaction.fingerprint import Fingerprinter

NOW = datetime(2026, 11, 24, tzinfo=UTC)
FINGERPRINT = Fingerprinter(b"k" * 32).of

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  serviceAccountName: web
  containers:
    - name: web
      image: web:1
      env:
        - name: DB_PASS
          value: hunter2
        - name: API_TOKEN
          value: hunter3
"""
ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules:
  - apiGroups: [""]
    resources: [configmaps]
    verbs: [get]
  - apiGroups: [""]
    resources: [secrets]
    verbs: [get, list]
"""
BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects:
  - {kind: ServiceAccount, name: web, namespace: shop}
  - {kind: User, name: ada, apiGroup: rbac.authorization.k8s.io}
  - {kind: Group, name: staff, apiGroup: rbac.authorization.k8s.io}
"""
ACCOUNT = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web, namespace: shop}\n"


@cache
def library() -> Judge:
    table = workloads.load(data.policies() / "workloads.yaml")
    policies = document.load(document.built_in()).policies
    return Judge(engine=Engine(policies), severities=[policy.severity for policy in policies], workloads=table, now=NOW)


def judge(*shares: dict[str, str], by: Judge | None = None) -> list[JudgedSubject]:
    """Return what the library says about the files of all shares, each read by a process of its own."""
    by = by or library()
    sources = [
        [Source(file=name, kind=SourceKind.YAML, size=len(text), content=text.encode()) for name, text in share.items()]
        for share in shares
    ]
    readings = [manifests.read(share, workloads=by.workloads, fingerprint=FINGERPRINT) for share in sources]
    estates = []
    for reading in readings:
        own = Estate()
        for resource in reading.resources:
            own.add(resource)
        estates.append(own)
    estate = merge(estates)
    places = Places([source for share in sources for source in share])
    judged = [
        subject
        for reading in readings
        for subject in judging.judge(reading.resources, estate, by=by, places=places)
    ]  # fmt: skip
    return [*judged, *judging.judge([*judging.facts(estate), *judging.shared(estate)], estate, by=by, places=places)]


def findings(policy: str, *shares: dict[str, str]) -> list[Finding]:
    found = assemble.number(judge(*shares))[2]
    return [finding for finding in found if finding.policy_id == policy]


def test_each_item_has_its_own_line_and_its_own_fingerprint() -> None:
    first, second = findings("K-SEC-01", {"web.yaml": POD})
    assert (first.location.line, second.location.line) == (11, 13)
    assert first.location.pointer == "/spec/containers/0/env/0/value"
    assert first.item == "spec.containers[web].env[DB_PASS].value"
    assert first.fingerprint != second.fingerprint
    assert first.value_fingerprint == FINGERPRINT("hunter2")
    assert second.value_fingerprint == FINGERPRINT("hunter3")


def test_a_fingerprint_knows_neither_file_nor_line_nor_position_nor_value() -> None:
    moved = "# a comment\n---\n" + POD.replace(
        "        - name: DB_PASS\n          value: hunter2\n", "        - {name: A, value: b}\n"
    ).rstrip("\n") + "\n        - name: DB_PASS\n          value: changed\n"  # fmt: skip
    before = {finding.item: finding.fingerprint for finding in findings("K-SEC-01", {"web.yaml": POD})}
    after = {finding.item: finding.fingerprint for finding in findings("K-SEC-01", {"other/name.yaml": moved})}
    assert after == before


def test_a_fingerprint_knows_policy_subject_and_item() -> None:
    other = POD.replace("name: web, namespace", "name: other, namespace")
    found = assemble.number(judge({"a.yaml": POD, "b.yaml": other}))[2]
    assert len(found) >= 4
    assert len({finding.fingerprint for finding in found}) == len(found)


def test_a_finding_about_a_grant_points_to_the_rule_and_names_the_binding_beside_it() -> None:
    found = findings("K-RBAC-02", {"role.yaml": ROLE, "binding.yaml": BINDING, "account.yaml": ACCOUNT})
    assert found
    for finding in found:
        assert (finding.location.file, finding.location.line) == ("role.yaml", 8)
        assert [location.file for _, location in finding.related] == ["binding.yaml"]


def test_whose_account_a_grant_is_about_is_known_unless_a_group_may_hold_either() -> None:
    judged = judge({"role.yaml": ROLE, "binding.yaml": BINDING, "account.yaml": ACCOUNT, "web.yaml": POD})
    about = {
        entry.subject.id: entry.about for entry in judged if entry.subject.type == "kubernetes/Pod"
    }  # fmt: skip
    assert set(about.values()) == {SubjectKind.WORKLOAD}
    grants = [entry for entry in judged if entry.subject.type == "fact/kubernetes-grant"]
    kinds = {word: {entry.about for entry in grants if word in entry.subject.id} for word in ("User", "Group")}
    assert kinds == {"User": {SubjectKind.USER}, "Group": {SubjectKind.ANY}}
    assert SubjectKind.WORKLOAD in {entry.about for entry in grants}


def test_the_severity_is_the_one_the_caller_decided() -> None:
    by = replace(library(), severities=[Severity.INFO] * len(library().engine.policies))
    found = [finding for entry in judge({"web.yaml": POD}, by=by) for finding in entry.findings]
    assert {finding.severity for finding in found} == {Severity.INFO}


def test_messages_and_evidence_pass_the_redactor() -> None:
    """The redactor is the last line: what a policy quotes may be more than its author thought."""
    text = POD.replace("image: web:1", "image: https://ada:hunter4@registry.example/web:1")
    for entry in judge({"web.yaml": text}):
        for finding in entry.findings:
            said = finding.message + "".join(text for _, text in finding.evidence)
            assert not any(secret in said for secret in ("hunter2", "hunter3", "hunter4"))


FILES = {
    "pod.yaml": POD,
    "second.yaml": POD.replace("name: web, namespace", "name: second, namespace"),
    "role.yaml": ROLE,
    "binding.yaml": BINDING,
    "account.yaml": ACCOUNT,
    "more.yaml": f"{ROLE.replace('reader', 'lister')}---\n{BINDING.replace('reader', 'lister')}",
}


@settings(max_examples=25, deadline=None)
@given(st.permutations(list(FILES)), st.lists(st.integers(0, 2), min_size=len(FILES), max_size=len(FILES)))
def test_neither_the_order_of_files_nor_how_they_are_shared_out_changes_anything(
    order: list[str], worker: list[int]
) -> None:
    """The same estate read by one process in one order, and by up to three in any."""
    shares: list[dict[str, str]] = [{}, {}, {}]
    for name, number in zip(order, worker, strict=True):
        shares[number][name] = FILES[name]
    assert assemble.number(judge(*shares)) == assemble.number(judge(FILES))


def test_a_file_that_vanished_keeps_its_finding_and_loses_its_line() -> None:
    source = Source(file="nowhere/pod.yaml", kind=SourceKind.YAML, size=len(POD), content=POD.encode())
    by = library()
    reading = manifests.read((source,), workloads=by.workloads, fingerprint=FINGERPRINT)
    estate = Estate()
    for resource in reading.resources:
        estate.add(resource)
    judged = judging.judge(
        reading.resources, merge([estate]), by=by, places=Places((replace(source, content=None),))
    )  # fmt: skip
    found = [finding for entry in judged for finding in entry.findings if finding.policy_id == "K-SEC-01"]
    assert len(found) == 2
    assert all(finding.location.file == source.file for finding in found)
