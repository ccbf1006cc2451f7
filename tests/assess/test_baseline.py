from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.assess import baseline
from auditor.assess.baseline import Baseline
from auditor.authored import MistakesError
from auditor.model.errors import InputError
from auditor.model.resource import Location
from auditor.model.verdict import Finding, Outcome
from tests.assess.builders import OTHER_VALUE, SUBJECTS, VALUE, assessment, finding


def written(tmp_path: Path, *findings: Finding, key: str = "") -> Baseline:
    file = tmp_path / "baseline.json"
    file.write_bytes(baseline.write(assessment(*findings, key=key)))
    return baseline.load(file)


def test_what_is_known_does_not_count_as_new(tmp_path: Path) -> None:
    known = written(tmp_path, finding())
    found, use = baseline.apply([finding(), finding(index=1)], known, key_id="")
    assert [entry.known for entry in found] == [True, False]
    assert (use.known, use.fixed, use.incomparable, use.written) == (1, 0, 0, "2026-11-24")


def test_a_moved_line_and_a_renamed_file_stay_known(tmp_path: Path) -> None:
    moved = replace(finding(), location=Location(file="renamed/web.yaml", line=99, column=1))
    (found,), _ = baseline.apply([moved], written(tmp_path, finding()), key_id="")
    assert found.known


def test_what_is_no_longer_found_is_fixed(tmp_path: Path) -> None:
    _, use = baseline.apply([], written(tmp_path, finding(), finding(index=1)), key_id="")
    assert (use.known, use.fixed) == (0, 2)


def test_a_policy_that_did_not_run_has_fixed_nothing(tmp_path: Path) -> None:
    known = written(tmp_path, finding(), finding("K-SEC-01"))
    _, use = baseline.apply([], known, key_id="", policies={"K-SEC-01"})
    assert use.fixed == 1


def test_one_more_of_the_same_is_new(tmp_path: Path) -> None:
    """The same object in two overlays has one fingerprint twice; a third overlay is a new finding."""
    known = written(tmp_path, finding(), finding())
    found, use = baseline.apply([finding()] * 3, known, key_id="")
    assert [entry.known for entry in found] == [True, True, False]
    _, fewer = baseline.apply([finding()], known, key_id="")
    assert (use.fixed, fewer.fixed) == (0, 1)


def test_a_changed_secret_is_new_and_the_old_one_fixed(tmp_path: Path) -> None:
    known = written(tmp_path, finding(value=VALUE), key="k1")
    (found,), use = baseline.apply([finding(value=OTHER_VALUE)], known, key_id="k1")
    assert (found.known, use.fixed, use.incomparable) == (False, 1, 0)
    (same,), _ = baseline.apply([finding(value=VALUE)], known, key_id="k1")
    assert same.known


@pytest.mark.parametrize(("before", "after"), [("", ""), ("k1", ""), ("", "k1"), ("k1", "k2")])
def test_values_of_two_keys_are_never_compared(tmp_path: Path, before: str, after: str) -> None:
    """Even equal fingerprints mean nothing then: they count as new, and the entry is neither known nor fixed."""
    known = written(tmp_path, finding(value=VALUE), key=before)
    (found,), use = baseline.apply([finding(value=VALUE)], known, key_id=after)
    assert (found.known, use.known, use.fixed, use.incomparable) == (False, 0, 0, 1)


def test_findings_about_no_value_are_known_under_any_key(tmp_path: Path) -> None:
    (found,), _ = baseline.apply([finding()], written(tmp_path, finding(), key="k1"), key_id="k2")
    assert found.known


def test_waived_findings_are_not_written() -> None:
    """When the waiver ends they must fail again."""
    waived = replace(finding(), outcome=Outcome.WAIVED, waiver_id="W-1")
    assert b'fingerprint":' not in baseline.write(assessment(waived)).replace(b"fingerprint_key_id", b"")


def test_a_baseline_names_what_it_holds_one_finding_a_line() -> None:
    """Reviewers read it in a pull request."""
    assert baseline.write(assessment(finding())).decode() == (
        "{\n"
        '  "baseline_version": "1.0",\n'
        '  "written": "2026-11-24",\n'
        '  "tool_version": "1.0",\n'
        '  "fingerprint_key_id": "",\n'
        '  "findings": [\n'
        '    {"policy": "K-SEC-02", "subject": "kubernetes/Deployment:shop/web", "item": '
        f'"spec.containers[web].env[TOKEN]", "fingerprint": "{finding().fingerprint}"}}\n'
        "  ]\n"
        "}\n"
    )


FINDINGS = st.lists(
    st.builds(
        finding,
        st.sampled_from(["K-SEC-01", "K-SEC-02"]),
        index=st.integers(0, len(SUBJECTS) - 1),
        item=st.sampled_from(["a", "b"]),
        value=st.sampled_from(["", VALUE, OTHER_VALUE]),
    ),
    max_size=8,
)


@given(FINDINGS, FINDINGS, st.sampled_from([("k", "k"), ("k", ""), ("", "")]))
def test_every_entry_and_every_finding_is_accounted_for(
    before: list[Finding], after: list[Finding], keys: tuple[str, str]
) -> None:
    """Nothing is lost: each entry is known, fixed or incomparable, and no finding takes two of them."""
    entries = tuple(
        baseline.Entry(
            policy=entry.policy_id, subject="s", fingerprint=entry.fingerprint, value=entry.value_fingerprint
        )
        for entry in before
    )
    known = Baseline(file="b", written="2026-01-01", key_id=keys[0], entries=entries)
    found, use = baseline.apply(after, known, key_id=keys[1])
    assert use.known + use.fixed + use.incomparable == len(before)
    assert [replace(entry, known=False) for entry in found] == after
    held = Counter((entry.fingerprint, entry.value) for entry in entries)
    assert Counter((entry.fingerprint, entry.value_fingerprint) for entry in found if entry.known) <= held


@given(FINDINGS, st.randoms(use_true_random=False))
def test_the_order_of_findings_does_not_change_what_is_written(findings: list[Finding], shuffle: object) -> None:
    mixed = list(findings)
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    assert baseline.write(assessment(*mixed)) == baseline.write(assessment(*findings))


@pytest.mark.parametrize(
    ("content", "told"),
    [("{", "is not JSON"), ("[]", "is no baseline"), ('{"schema_version": "1.0"}', "is no baseline"), ("\xff", "JSON")],
)
def test_another_file_is_refused(tmp_path: Path, content: str, told: str) -> None:
    file = tmp_path / "baseline.json"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match=told):
        baseline.load(file)


def test_mistakes_are_told_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    content = baseline.write(assessment(finding(), finding(index=1))).decode()
    file.write_text(content.replace('"fingerprint": "', '"fingerprint": "zz'), encoding="utf-8")
    with pytest.raises(MistakesError) as caught:
        baseline.load(file)
    assert [mistake.line for mistake in caught.value.mistakes] == [7, 8]


def test_another_version_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(baseline.write(assessment()).decode().replace('"1.0",\n  "written', '"2.0",\n  "written'))
    with pytest.raises(MistakesError, match="baseline_version"):
        baseline.load(file)


def test_mistakes_in_json_that_is_no_yaml_are_told_too(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    file.write_text('{\n\t"baseline_version": "1.0",\n\t"findings": 7\n}', encoding="utf-8")
    with pytest.raises(MistakesError, match="findings must be a list"):
        baseline.load(file)
