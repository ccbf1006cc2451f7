"""Waivers are what an auditor asks about first: who accepted what, why, and until when."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from auditor.assess import waivers
from auditor.authored import MistakesError
from auditor.model.errors import InputError
from auditor.model.verdict import Outcome
from tests.assess.builders import OTHER_VALUE, SUBJECTS, TODAY, VALUE, finding, waiver

ENTRY = """
  - policy: K-SEC-02
    subject: kubernetes/Deployment:shop/*
    reason: moved to files in January
    owner: shop team
    approver: security
    ticket: OPS-1
    expires: 2027-01-31
"""
USUAL = f"waivers:{ENTRY}"


def mistakes(text: str) -> list[str]:
    with pytest.raises(MistakesError) as caught:
        waivers.parse(text, file="waivers.yaml")
    return [str(mistake) for mistake in caught.value.mistakes]


def test_an_entry_is_read_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(USUAL, encoding="utf-8")
    (read,) = waivers.load(file)
    assert (read.policy, read.expires, read.owner) == ("K-SEC-02", date(2027, 1, 31), "shop team")
    assert (read.location.file, read.location.line) == (file.as_posix(), 2)


@pytest.mark.parametrize("text", ["", "waivers:\n", "waivers: []\n", "# nothing yet\n"])
def test_an_empty_file_waives_nothing(text: str) -> None:
    assert waivers.parse(text, file="waivers.yaml") == ()


@pytest.mark.parametrize("key", ["reason", "expires", "owner", "approver", "ticket", "policy", "subject"])
def test_an_entry_without_what_it_needs_is_refused(key: str) -> None:
    lines = [line for line in USUAL.splitlines() if f"{key}:" not in line]
    text = "\n".join(lines).replace("    subject", "  - subject", 1) if key == "policy" else "\n".join(lines)
    assert any(f"`{key}` is missing" in mistake for mistake in mistakes(text))


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("expires: 2027-01-31", "expires: never", "waivers.yaml:8:5: waivers.0.expires must be a date"),
        ("expires: 2027-01-31", "expires: 2027-02-30", "waivers.yaml:8:5: waivers.0.expires must be a date"),
        ("reason: moved to files in January", "reason: ' '", "waivers.yaml:4:5: waivers.0.reason does not have"),
        ("owner: shop team", "owners: shop team", "waivers.yaml:5:5: unknown key `owners`"),
        ("owner: shop team", "owner: Security ", "waivers.yaml:6:5: waivers.0 is approved by its own owner"),
    ],
    ids=["no-date", "no-such-day", "blank-reason", "misspelt-key", "self-approved"],
)
def test_a_mistake_is_told_with_its_line(was: str, becomes: str, told: str) -> None:
    assert any(mistake.startswith(told) for mistake in mistakes(USUAL.replace(was, becomes)))


def test_all_mistakes_are_told_at_once() -> None:
    """Also those that a schema cannot see, beside those that it can."""
    self_approved = ENTRY.replace("approver: security", "approver: shop team")
    without_end = ENTRY.replace("    expires: 2027-01-31\n", "").replace("K-SEC-02", "K-SEC-03")
    told = mistakes(f"waivers:{self_approved}{without_end}{ENTRY}")
    assert [line.split(": ", 1)[0] for line in told] == ["waivers.yaml:6:5", "waivers.yaml:10:5", "waivers.yaml:17:5"]
    assert "own owner" in told[0]
    assert "`expires` is missing" in told[1]
    assert "says the same as waivers.0" in told[2]


def test_two_waivers_cannot_share_an_id() -> None:
    named = ENTRY.replace("  - policy", "  - id: W-7\n    policy")
    told = mistakes(f"waivers:{named}{named.replace('shop/*', 'payments/*')}")
    assert "has the id as waivers.0" in told[0]


def test_text_that_is_no_yaml_is_told_with_its_line() -> None:
    assert mistakes("waivers:\n  - [\n")[0].startswith("waivers.yaml:3:1: not YAML")


def test_a_second_document_is_no_place_to_hide_in() -> None:
    assert mistakes(f"{USUAL}---\n{USUAL}") == ["waivers.yaml:9:1: a second document; write all waivers into one"]


@pytest.mark.parametrize(
    "text",
    [
        "waivers: []\n# \x00",
        "a: [" * 3000,
        "waivers:\n- policy: &a [*a]\n",
        f"{USUAL}  - <<: *usual\n",
        "waivers: !!python/object:os.system x",
        "waivers: {? [a] : b}",
    ],
    ids=["control-character", "too-deep", "recursive", "merged", "tagged", "odd-key"],
)
def test_odd_yaml_ends_in_a_message(text: str) -> None:
    assert mistakes(text)


def test_a_mark_at_the_start_of_the_file_is_no_mistake(tmp_path: Path) -> None:
    """Windows editors write one."""
    file = tmp_path / "waivers.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + USUAL.encode())
    assert len(waivers.load(file)) == 1


def test_no_value_of_the_file_is_quoted() -> None:
    """Somebody may have pasted a credential where a date belongs."""
    told = mistakes(USUAL.replace("2027-01-31", "hunter2-in-the-wrong-place"))
    assert not any("hunter2" in mistake for mistake in told)


def test_a_file_that_cannot_be_read_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        waivers.load(tmp_path / "missing.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        waivers.load(tmp_path / "binary.yaml")


def test_a_waived_finding_is_waived_and_not_passed() -> None:
    found, (use,) = waivers.apply([finding(), finding(index=1)], SUBJECTS, [waiver()], today=TODAY, key_id="")
    assert [(entry.outcome, entry.waiver_id) for entry in found] == [(Outcome.WAIVED, "W-1"), (Outcome.FAIL, "")]
    assert (use.used, use.expired, use.note) == (1, False, "")


@pytest.mark.parametrize(
    ("policy", "subject", "covers"),
    [
        ("K-*", "*", True),
        ("K-SEC-0?", "kubernetes/*:shop/web", True),
        ("K-SEC", "*", False),
        ("K-SEC-02", "kubernetes/Deployment:shop/we", False),
        ("K-SEC-02", "kubernetes/Deployment:shop/web#spec.containers[web].env[TOKEN]", True),
        ("K-SEC-02", "kubernetes/Deployment:shop/web#*env[TOKEN]", True),
        ("K-SEC-02", "kubernetes/Deployment:shop/web#*env[*]", True),
        ("K-SEC-02", "kubernetes/Deployment:shop/web#*env[OTHER]", False),
        ("K-SEC-02", "kubernetes/Deployment:shop/we[abc]", False),
        ("K-SEC-02", "kubernetes.Deployment:shop/web", False),
    ],
)
def test_a_glob_covers_what_it_names(policy: str, subject: str, *, covers: bool) -> None:
    """Brackets stand for themselves, because items carry them; a dot is a dot."""
    (found,), _ = waivers.apply([finding()], SUBJECTS, [waiver(policy=policy, subject=subject)], today=TODAY, key_id="")
    assert (found.outcome is Outcome.WAIVED) is covers


def test_a_waiver_holds_on_its_last_day_and_not_after() -> None:
    last = waiver(expires=TODAY)
    (on,), (held,) = waivers.apply([finding()], SUBJECTS, [last], today=TODAY, key_id="")
    assert (on.outcome, held.expired) == (Outcome.WAIVED, False)
    (after,), (ended,) = waivers.apply([finding()], SUBJECTS, [last], today=TODAY + timedelta(days=1), key_id="")
    assert (after.outcome, ended.expired, ended.used) == (Outcome.FAIL, True, 0)
    assert ended.note == "expired on 2026-11-24, 1 finding that it would cover fails again"


def test_a_waiver_that_nothing_needs_is_reported() -> None:
    _, (use,) = waivers.apply([], SUBJECTS, [waiver()], today=TODAY, key_id="")
    assert (use.used, use.note) == (0, "unused: nothing that fails matches it")


def test_the_first_of_two_waivers_takes_the_finding() -> None:
    second = waiver(id="W-2", subject="*")
    (found,), uses = waivers.apply([finding()], SUBJECTS, [waiver(), second], today=TODAY, key_id="")
    assert found.waiver_id == "W-1"
    assert [(use.used, use.note) for use in uses] == [
        (1, ""),
        (0, "everything that it covers is waived by W-1 already"),
    ]


def test_an_expired_waiver_leaves_the_finding_to_a_later_one() -> None:
    ended = waiver(expires=TODAY - timedelta(days=1))
    (found,), _ = waivers.apply([finding()], SUBJECTS, [ended, waiver(id="W-2")], today=TODAY, key_id="")
    assert found.waiver_id == "W-2"


def test_a_changed_value_on_a_waived_line_is_a_new_finding() -> None:
    accepted = waiver(value=VALUE)
    same, changed = finding(value=VALUE), finding(value=OTHER_VALUE)
    (kept,), _ = waivers.apply([same], SUBJECTS, [accepted], today=TODAY, key_id="k1")
    (new,), (use,) = waivers.apply([changed], SUBJECTS, [accepted], today=TODAY, key_id="k1")
    assert (kept.outcome, new.outcome) == (Outcome.WAIVED, Outcome.FAIL)
    assert "about another value" in use.note
    assert OTHER_VALUE in use.note


def test_a_finding_about_a_value_needs_the_value_in_the_waiver() -> None:
    """Otherwise the next password on that line would be accepted unseen."""
    (found,), (use,) = waivers.apply([finding(value=VALUE)], SUBJECTS, [waiver()], today=TODAY, key_id="k1")
    assert found.outcome is Outcome.FAIL
    assert f"add `value` to waive them (met: {VALUE})" in use.note


def test_under_a_random_key_no_value_is_recognised() -> None:
    accepted = waiver(value=VALUE)
    (found,), (use,) = waivers.apply([finding(value=VALUE)], SUBJECTS, [accepted], today=TODAY, key_id="")
    assert found.outcome is Outcome.FAIL
    assert "random for this run" in use.note


def test_a_waiver_for_a_value_covers_no_finding_without_one() -> None:
    (found,), (use,) = waivers.apply([finding()], SUBJECTS, [waiver(value=VALUE)], today=TODAY, key_id="k1")
    assert found.outcome is Outcome.FAIL
    assert "are about none" in use.note


def test_a_waiver_for_longer_than_a_year_is_remarked_upon() -> None:
    far = waiver(expires=TODAY + timedelta(days=367))
    _, (use,) = waivers.apply([finding()], SUBJECTS, [far], today=TODAY, key_id="")
    assert use.note == "holds for more than a year from now: have it reviewed sooner"
    _, (near,) = waivers.apply(
        [finding()], SUBJECTS, [replace(far, expires=TODAY + timedelta(days=366))], today=TODAY, key_id=""
    )
    assert near.note == ""
