"""From collected systems to one assessment: each judged as its own, every hole a gap, and nothing green by silence."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from auditor.configuration import Configuration
from auditor.facts import needs
from auditor.model.assessment import Assessment
from auditor.model.collection import COMPLETE, CallResult
from auditor.model.coverage import GapReason
from auditor.model.errors import InputError, NothingCollectedError
from auditor.model.policy import Strength
from auditor.model.verdict import Outcome, PolicyResult
from auditor.pipeline import audit as pipeline
from auditor.pipeline import rules
from auditor.pipeline.collected import Collected, open_all
from auditor.pipeline.rules import Terms
from auditor.reports import figures
from auditor.snapshot import writing
from tests.facts.builders import WORKLOADS
from tests.pipeline.systems import LIBRARY, NOW, collected, live
from tests.snapshot import builders

SECRET = "kubernetes/Secret"
INCOMPLETE = sorted(set(CallResult) - COMPLETE)


def audit(*systems: Collected, select: Iterable[str] = (), jobs: int = 1, **more: Any) -> Assessment:
    judged_by = rules.load(Terms(configuration=Configuration(), select=tuple(select)), now=NOW)
    given: dict[str, Any] = {"arguments": ("x",), "digests": (), "now": NOW, "progress": lambda _: None} | more
    return pipeline.of_collected(systems, judged_by, jobs=jobs, **given)


def result(assessment: Assessment, policy: str) -> PolicyResult:
    (found,) = (entry for entry in assessment.results if entry.policy_id == policy)
    return found


def whole(assessment: Assessment, policy: str) -> list[str]:
    """Return what is open of a policy as a whole."""
    return [why for index, why in result(assessment, policy).not_evaluated if index < 0]


def test_every_subject_names_its_source_and_its_api_path() -> None:
    assessment = audit(collected())
    assert {subject.source for subject in assessment.subjects} == {"prod"}
    assert all(subject.id.endswith("@prod") for subject in assessment.subjects)
    assert all(subject.location.file.startswith("kubernetes://prod/") for subject in assessment.subjects)
    assert {subject.location.line for subject in assessment.subjects} == {None}


def test_sources_and_calls_travel_with_the_assessment() -> None:
    system = collected()
    assessment = audit(system)
    assert assessment.sources == (system.source,)
    assert assessment.calls == system.calls
    assert assessment.complete


@pytest.mark.parametrize("how", [how for how in INCOMPLETE if how is not CallResult.NOT_ASKED])
def test_each_list_that_did_not_end_well_is_a_gap_and_no_requirement_passes(how: CallResult) -> None:
    assessment = audit(collected(unread={SECRET: how}))
    ((gap,),) = (part.gaps for part in assessment.coverage)
    expected = "unreadable-answer" if how is CallResult.UNREADABLE else how.value
    assert (gap.file, gap.reason) == ("kubernetes://prod/api/secret", GapReason(expected))
    assert gap.detail == "The identity may not list it."
    assert not assessment.complete
    assert Outcome.PASS not in {requirement.outcome for requirement in assessment.requirements}


def test_what_the_user_left_out_is_no_gap_and_yet_nothing_passes_that_needs_it() -> None:
    """`secrets: references`: the run is whole as it was meant, and the coverage says what was not in it."""
    assessment = audit(collected(unread={SECRET: CallResult.NOT_ASKED}))
    assert assessment.complete
    (coverage,) = assessment.coverage
    assert coverage.gaps == ()
    assert ("lists left out by the configuration", 1) in coverage.skipped
    needing = {policy.id for policy in LIBRARY if SECRET in needs.needs(policy.applies_to, (), WORKLOADS).population}
    assert {"K-TOK-02", "K-SEC-15"} <= needing
    for policy in needing:
        assert any("the list of Secret was not read (not asked)" in why for why in whole(assessment, policy)), policy
    for requirement in assessment.requirements:
        if needing & {policy for policy, strength, _ in requirement.policies if strength is Strength.DIRECT}:
            assert requirement.outcome is not Outcome.PASS, requirement.requirement_id


def test_what_an_export_does_not_tell_is_a_gap() -> None:
    assessment = audit(collected(unread={SECRET: CallResult.NOT_ASKED}, kind="export"))
    assert [gap.reason for part in assessment.coverage for gap in part.gaps] == [GapReason.NOT_ASKED]
    assert not assessment.complete
    assert Outcome.PASS not in {requirement.outcome for requirement in assessment.requirements}


def test_a_kind_that_is_not_served_leaves_no_hole() -> None:
    assessment = audit(collected(unread={"kubernetes/Certificate.cert-manager.io": CallResult.NOT_SERVED}))
    assert assessment.complete


def test_a_source_that_could_not_be_read_at_all_is_one_gap_and_open_everywhere() -> None:
    failed = collected((), name="dr", asked=(), failure="no address answered")
    assessment = audit(collected(), failed)
    gaps = [gap for part in assessment.coverage for gap in part.gaps]
    assert [(gap.file, gap.reason) for gap in gaps] == [("kubernetes://dr", GapReason.SOURCE_FAILED)]
    assert "dr: no address answered" in whole(assessment, "K-SEC-01")
    assert "dr: no address answered" in whole(assessment, "K-CTL-01")
    assert not any(why.startswith("prod") for why in whole(assessment, "K-SEC-01"))


def test_a_source_that_gave_nothing_is_no_pass_of_what_another_gave() -> None:
    """K-CTL-03 finds its subject in one cluster, and the question stays open for the other."""
    other = collected(live("{apiVersion: v1, kind: Namespace, metadata: {name: a}}", source="dev"), name="dev")
    assessment = audit(collected(), other)
    assert len(result(assessment, "K-CTL-03").passed) == 1
    (why,) = whole(assessment, "K-CTL-03")
    assert why.startswith("dev: The input holds no admission policy")


@pytest.mark.parametrize(
    ("provider", "told"),
    [("eks", "prod: Amazon EKS runs the control plane."), ("", "prod: The input holds neither")],
)
def test_what_a_provider_decides_is_said_and_not_passed(provider: str, told: str) -> None:
    bare = live("{apiVersion: v1, kind: Namespace, metadata: {name: a}}")
    assessment = audit(collected(bare, provider=provider))
    for policy in ("K-CTL-01", "K-ENC-01", "K-ENC-03", "K-AUD-01"):
        (why,) = whole(assessment, policy)
        assert why.startswith(told)


def test_what_is_absent_is_not_said_of_what_was_not_read() -> None:
    bare = live("{apiVersion: v1, kind: Namespace, metadata: {name: a}}")
    assessment = audit(collected(bare, unread={"kubernetes/Pod": CallResult.FORBIDDEN}))
    assert whole(assessment, "K-CTL-01") == ["prod: the list of Pod was not read (forbidden)"]


def test_many_lists_that_were_not_read_are_one_reason() -> None:
    kinds = ("Pod", "Job", "CronJob", "DaemonSet", "Deployment", "StatefulSet", "ReplicaSet")
    holes = {f"kubernetes/{kind}": CallResult.FORBIDDEN for kind in kinds} | {"kubernetes/Pod": CallResult.CUT}
    (why,) = whole(audit(collected(unread=holes)), "K-SEC-01")
    assert why == ("prod: 7 lists were not read (cut, forbidden): CronJob, DaemonSet, Deployment, Job, Pod and 2 more")


VALUE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: app, namespace: shop}
data: {DB_PASSWORD: correct-horse-battery-9}
"""


def shared(*keys: str) -> Assessment:
    systems = [
        collected(live(VALUE, source=name), name=name, fingerprint_key_id=key)
        for name, key in zip(("prod-eu", "test-eu"), keys, strict=True)
    ]
    return audit(*systems, select=["K-SEC-12"])


def test_values_are_compared_across_sources_of_one_key() -> None:
    (finding,) = shared("k", "k").findings
    assert "kubernetes/ConfigMap:shop/app@prod-eu" in finding.message
    assert "kubernetes/ConfigMap:shop/app@test-eu" in finding.message


def test_values_of_sources_with_different_keys_are_said_to_be_incomparable() -> None:
    assessment = shared("k", "another")
    assert assessment.findings == ()
    why = whole(assessment, "K-SEC-12")[-1]
    assert why.startswith("the values of prod-eu and those of test-eu have fingerprints of different keys")


@pytest.mark.parametrize(
    ("keys", "told"), [(("k", "k"), "k"), (("k", "l"), ""), (("random:1", "random:1"), ""), (("", ""), "")]
)
def test_only_a_key_that_another_run_can_have_makes_values_comparable_with_it(keys: tuple[str, str], told: str) -> None:
    assert shared(*keys).run.fingerprint_key_id == told


def test_ages_count_from_the_collection_by_the_clock_of_the_source() -> None:
    """A snapshot of January says in March what was so in January."""
    text = """
apiVersion: v1
kind: Secret
metadata: {name: r, namespace: shop, creationTimestamp: "2026-11-01T00:00:00Z"}
type: kubernetes.io/dockerconfigjson
keys: [.dockerconfigjson]
"""
    system = collected(live(text), clock_offset_seconds=86_400.0)
    assert system.moment == NOW + timedelta(days=1)
    for later in (timedelta(0), timedelta(days=900)):
        assessment = audit(system, select=["K-SEC-15"], now=NOW + later)
        assert len(result(assessment, "K-SEC-15").passed) == 1


def test_processes_change_nothing() -> None:
    many = [replace(entry, name=f"{entry.name}-{number}") for number in range(250) for entry in collected().read()]
    one, three = (audit(collected(many), jobs=jobs) for jobs in (1, 3))
    assert len(one.subjects) > 2 * pipeline._WORTH_A_PROCESS  # else there is one process only
    assert figures.canonical(one) == figures.canonical(three)


def test_nothing_at_all_is_an_error() -> None:
    with pytest.raises(NothingCollectedError, match="nothing to judge was found in x"):
        audit(collected(()))


def test_a_list_of_the_ledger_is_a_subject_of_its_own() -> None:
    assessment = audit(collected(unread={SECRET: CallResult.FORBIDDEN}), select=["G-COV-01"])
    found = result(assessment, "G-COV-01")
    ids = [subject.id for subject in assessment.subjects]
    assert [(ids[index], why) for index, why in found.not_evaluated] == [
        ("fact/kubernetes-list:/Secret@prod", "The identity may not list it.")
    ]
    assert len(found.passed) == len(assessment.calls) - 1


# ---- snapshots on the disk ------------------------------------------------------------------------------------------


def test_snapshots_are_opened_by_source_and_named_by_their_digest(tmp_path: Path) -> None:
    builders.write(tmp_path / "a", builders.estate())
    writer = writing.create(tmp_path / "b", run=builders.run(sources=("dev",)), clock=builders.Ticking())
    builders.fill(writer, {}, name="dev")
    writer.finish()
    systems, digests = open_all([tmp_path / "a", tmp_path / "b"])
    assert [system.source.name for system in systems] == ["dev", "prod"]
    assert [(Path(name).name, len(digest)) for name, digest in digests] == [("a", 64), ("b", 64)]
    assert len(list(systems[1].read())) == len(list(systems[1].read())) == 6


def test_two_snapshots_of_one_source_are_refused(tmp_path: Path) -> None:
    """The same object at two times is no two objects."""
    for name in ("a", "b"):
        builders.write(tmp_path / name, builders.estate())
    with pytest.raises(InputError, match=r"the source prod stands in .*a and in .*b"):
        open_all([tmp_path / "a", tmp_path / "b"])


def test_a_source_whose_record_was_never_written_is_interrupted(tmp_path: Path) -> None:
    writer = writing.create(tmp_path / "s", run=builders.run(sources=("lost", "prod")), clock=builders.Ticking())
    builders.fill(writer, builders.estate())
    writer.call(builders.call(builders.ROLE, source="lost"))
    writer.finish()
    systems, _ = open_all([tmp_path / "s"])
    lost = next(system for system in systems if system.source.name == "lost")
    assert lost.interrupted
    assert [(gap.file, gap.reason) for gap in lost.coverage.gaps] == [("kubernetes://lost", GapReason.INTERRUPTED)]
    assert [call.type for call in lost.calls] == [builders.ROLE]


def test_lists_that_the_end_of_a_run_cut_off_are_one_gap(tmp_path: Path) -> None:
    cut = [builders.call(f"kubernetes/Kind{number}", result=CallResult.INTERRUPTED) for number in range(9)]
    refused = builders.call("kubernetes/Other", result=CallResult.FORBIDDEN)
    builders.write(tmp_path / "s", builders.estate(), *cut, refused)
    ((system,), _) = open_all([tmp_path / "s"])
    gaps = system.coverage.gaps
    assert [(gap.file.rpartition("/")[2], gap.reason.value) for gap in gaps] == [
        ("prod", "interrupted"),
        ("Other", "forbidden"),
    ]
    assert "before 9 lists were read; go on with `auditor collect --resume`" in gaps[0].detail
    assert list(system.gaps({builders.ROLE})) == [], "of what was read nothing is missing"
    (one,) = system.gaps({"kubernetes/Kind3"})
    assert one.file.endswith("Kind3")
