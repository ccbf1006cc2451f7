import re
from dataclasses import replace

import pytest

from auditor import reports
from auditor.model.assessment import Assessment
from auditor.model.verdict import Parameter
from tests.reports import sample


def shown(assessment: Assessment, *, width: int = 100, colour: bool = False, show_all: bool = False) -> str:
    return reports.render("console", assessment, width=width, colour=colour, show_all=show_all).decode()


def test_last_line_counts_every_outcome() -> None:
    last = shown(sample.rich()).splitlines()[-1]
    assert last == "verdicts  5 pass, 8 fail, 1 waived, 4 not applicable, 5 not evaluated"


def test_last_line_is_there_when_nothing_was_judged() -> None:
    assert shown(sample.empty()).splitlines()[-1].startswith("verdicts  0 pass, 0 fail")


def test_a_finding_has_its_head_its_place_and_what_to_do() -> None:
    text = shown(sample.rich())
    assert "high[K-SEC-01]: Credential written into a manifest\n  --> deploy/payments/api.yaml:27:15\n" in text
    assert "  hint: Mount the Secret as a read-only volume" in text
    assert "  docs: auditor policy show K-SEC-01" in text


def test_a_threshold_stands_beside_what_it_decided_with_its_origin() -> None:
    assert "  with: min_bits = 2048 bits (tool-default)\n" in shown(sample.rich())


def test_hint_and_docs_stand_once_a_policy() -> None:
    text = shown(sample.large(200))
    assert text.count("hint: ") == text.count("docs: ") == len(set(re.findall(r"\[(K-LOAD-\d+)\]", text)))


def test_many_findings_are_folded_and_what_is_hidden_is_counted() -> None:
    text = shown(sample.large(15_000))
    hidden = sum(int(number.replace(",", "")) for number in re.findall(r"and ([\d,]+) more in", text))
    assert hidden + text.count("-->") == 15_000
    assert len(text.splitlines()) < 700


def test_show_all_hides_nothing() -> None:
    text = shown(sample.large(400), show_all=True)
    assert text.count("-->") == 400
    assert "--all" not in text


def test_the_findings_shown_come_from_as_many_files_as_possible() -> None:
    """Three lines of one file tell less than one line each of three files."""
    whole = sample.large(400, policies=1)
    crowded = [replace(finding, location=replace(finding.location, file="a.yaml")) for finding in whole.findings[:200]]
    text = shown(replace(whole, findings=(*crowded, *whole.findings[200:])))
    assert text.count("--> a.yaml") == 1
    assert text.count("-->") == 3


def test_what_the_baseline_holds_stands_apart_after_everything_new() -> None:
    """Who reads the log of a gate looks for what the change brought; it must not be sought among a thousand others."""
    whole = sample.large(400, policies=1)
    new = [replace(finding, location=replace(finding.location, file="a.yaml")) for finding in whole.findings[:200]]
    known = [replace(finding, known=True) for finding in whole.findings[200:]]
    text = shown(replace(whole, findings=(*new, *known)))
    above, heading, below = text.partition("\nKnown from the baseline, no failure of the gate: 200 findings\n")
    assert heading
    assert above.count("--> a.yaml") == above.count("-->") == 5
    assert "and 195 more in 1 file" in above
    assert "a.yaml" not in below
    assert below.count("-->") == 3
    assert "and 197 more in" in below


def test_a_known_finding_takes_one_line_and_no_hint() -> None:
    whole = sample.rich()
    findings = tuple(replace(finding, known=True) for finding in whole.findings if not finding.waiver_id)
    text = shown(replace(whole, findings=findings))
    assert "hint:" not in text
    assert "    --> deploy/payments/db.yaml:8:3  Secret payments/db\n" in text
    assert "findings  nothing new; 8 known" in text


def test_nothing_is_said_of_a_baseline_that_holds_none_of_the_findings() -> None:
    whole = sample.rich()
    findings = tuple(replace(finding, known=False) for finding in whole.findings)
    assert "Known from" not in shown(replace(whole, findings=findings))


def test_a_single_hidden_finding_is_shown_instead_of_counted() -> None:
    whole = sample.large(240)  # six a policy, of which five would be shown
    assert "and 1 more" not in shown(whole)


def test_policies_that_are_only_waived_have_no_block_but_are_counted() -> None:
    whole = sample.rich()
    waived = tuple(finding for finding in whole.findings if finding.waiver_id)
    text = shown(replace(whole, findings=waived))
    assert "-->" not in text.partition("Not read")[0]
    assert "findings  nothing new; 1 waived" in text


def test_expired_and_unused_waivers_are_named_with_their_owner() -> None:
    assert "W-2026-002 (K-SEC-*, owner payments team): expired on 2026-06-30" in shown(sample.rich())


def test_gaps_are_listed_with_the_next_step() -> None:
    assert "  deploy/broken.yaml:7: broken yaml. Mend the YAML at this line.\n" in shown(sample.rich())


def test_reasons_for_not_evaluated_are_summed_up() -> None:
    assert "  the ServiceAccount legacy is not in the input (2)\n    K-TOK-01\n" in shown(sample.rich())


def test_a_reason_of_many_policies_is_told_once() -> None:
    whole = sample.rich()
    reason = ((2, "the ClusterRole x is not in the input"),)
    results = tuple(replace(result, not_evaluated=reason) for result in whole.results[:3])
    text = shown(replace(whole, results=results))
    assert "  the ClusterRole x is not in the input (3)\n    K-ENC-01, K-RBAC-01, K-SEC-01\n" in text


def with_thresholds(*parameters: Parameter) -> Assessment:
    whole = sample.rich()
    return replace(whole, results=tuple(replace(result, parameters=parameters) for result in whole.results))


PATHS = Parameter(name="paths", value=", ".join(f"/var/lib/{n}" for n in range(50)), origin="tool-default")


def test_long_lists_that_nobody_set_are_named_in_one_line() -> None:
    whole = with_thresholds(PATHS, replace(PATHS, name="trees"), replace(PATHS, name="days", value="90"))
    text = shown(whole)
    assert "  with: days = 90 (tool-default)\n  with: lists of paths, trees (tool-default); --all shows them\n" in text
    assert "/var/lib" not in text
    assert "/var/lib/49 (tool-default)" in " ".join(shown(whole, show_all=True).split())


def test_a_long_list_of_the_users_own_is_cut() -> None:
    """Its beginning tells whether the configuration that was meant is in force."""
    text = shown(with_thresholds(replace(PATHS, origin="entity")))
    assert re.search(r"  with: paths = /var/lib/0, .*/var/lib/\d, ... \(entity\)\n", text)


ABSENT = ("The input holds no audit policy.", "The input holds no admission policy.")


def test_what_files_do_not_hold_is_one_line_with_its_count() -> None:
    """The same sentences come with every run on files: a reader learns to skip them, and what stands among them."""
    whole = sample.rich()
    results = (
        replace(whole.results[0], not_evaluated=((-1, ABSENT[0]),)),
        replace(whole.results[1], not_evaluated=((-1, ABSENT[1]), (2, "the ClusterRole x is not in the input"))),
    )
    whole = replace(whole, results=results)
    folded = "  the input holds nothing that these judge; --all says what each needs (2)\n    K-ENC-01, K-RBAC-01\n"
    assert folded in shown(whole)
    assert "the ClusterRole x" in shown(whole)
    assert "Not evaluated: 3 verdicts of 2 policies" in shown(whole)
    everything = " ".join(shown(whole, show_all=True).split())
    assert all(reason in everything for reason in ABSENT)


def test_a_single_thing_that_files_do_not_hold_is_told_in_its_words() -> None:
    whole = sample.rich()
    results = (replace(whole.results[0], not_evaluated=((-1, ABSENT[0]),)),)
    assert ABSENT[0] in shown(replace(whole, results=results))


def test_an_object_without_a_name_is_called_by_its_kind() -> None:
    whole = sample.rich()
    subjects = tuple(replace(subject, name="", namespace="") for subject in whole.subjects)
    findings = tuple(replace(finding, known=False) for finding in whole.findings)
    assert "\n      Secret: data[password]\n" in shown(replace(whole, subjects=subjects, findings=findings))


def test_untested_requirements_are_counted_and_never_pass() -> None:
    text = shown(sample.rich())
    assert "untested          1  no policy of this run touches them" in text
    assert "8.6.2*" in text, "a requirement that holds only under an undeclared condition is marked"


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 200])
def test_prose_fits_the_terminal(width: int) -> None:
    """Below 40 columns every word would stand alone; names and paths are never broken, so that they can be copied."""
    limit = max(width, 40)
    for line in shown(sample.clean(), width=width).splitlines()[1:]:
        assert len(line) <= limit or " " not in line.strip()


def test_a_path_is_never_broken() -> None:
    assert "deploy/payments/api.yaml:27:15" in shown(sample.rich(), width=20)


def test_colour_only_where_it_was_asked_for_and_words_do_not_depend_on_it() -> None:
    plain, coloured = shown(sample.rich()), shown(sample.rich(), colour=True)
    assert "\x1b" not in plain
    assert "\x1b[1;31mhigh[K-SEC-01]\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


def test_a_text_cannot_give_orders_to_a_ci_runner() -> None:
    """GitHub obeys `::` at the start of a line, also after spaces; Azure obeys `##vso[` anywhere, GitHub `##[`."""
    whole = sample.rich()
    finding = replace(whole.findings[0], message="::set-env::x " * 30 + "##vso[task.setvariable]x ##[error]y")
    for width in (40, 57, 100):
        text = shown(replace(whole, findings=(finding,)), width=width, show_all=True)
        assert not [line for line in text.splitlines() if line.strip().startswith("::")]
        assert "##vso[" not in text
        assert "##[" not in text


def test_long_texts_are_cut_and_the_rest_is_counted() -> None:
    text = shown(sample.rich())
    assert "(3,500 more characters)" in text.replace("\n      ", " ")
    assert "x" * 500 in shown(sample.rich(), show_all=True)


def overlaid(*namespaces: str, files: bool = False) -> Assessment:
    """Return one base in several overlays: the same message at one place, or in one file each."""
    whole = sample.large(1, policies=1)
    subjects = tuple(replace(whole.subjects[0], namespace=name, id=f"{name}/web", name="web") for name in namespaces)
    findings = tuple(
        replace(
            whole.findings[0],
            subject=number,
            location=replace(
                whole.findings[0].location, file=f"{name}.yaml" if files else "base/web.yaml", line=7, column=3,
                rendered_from=f"Kustomize folder overlays/{name}",
            ),
        )
        for number, name in enumerate(namespaces)
    )  # fmt: skip
    return replace(whole, subjects=subjects, findings=findings)


def test_a_fault_of_a_base_stands_once_with_the_overlays_that_use_it() -> None:
    text = shown(overlaid("dev", "prod"))
    assert text.count("-->") == text.count("container app takes") == 1
    assert "Deployment dev/web, Deployment prod/web: spec.template" in " ".join(text.split())
    assert "rendered from Kustomize folder overlays/dev, Kustomize folder overlays/prod" in text
    assert "findings  2 " in text


def test_a_known_fault_of_a_base_is_one_line_too() -> None:
    whole = overlaid("dev", "prod")
    text = shown(replace(whole, findings=tuple(replace(finding, known=True) for finding in whole.findings)))
    assert "    --> base/web.yaml:7:3  Deployment dev/web, Deployment prod/web\n" in text
    assert "no failure of the gate: 2 findings" in text


def test_the_same_fault_in_several_files_is_said_once_below_its_places() -> None:
    text = shown(overlaid("dev", "prod", files=True))
    assert "  --> dev.yaml:7:3\n  --> prod.yaml:7:3\n      container app takes" in text


def test_places_of_one_fault_are_counted_where_there_are_too_many() -> None:
    whole = overlaid(*(f"team-{n}" for n in range(9)), files=True)
    assert shown(whole).count("-->") == 4
    assert "and 5 more places; --all shows them" in shown(whole)
    assert shown(whole, show_all=True).count("-->") == 9
