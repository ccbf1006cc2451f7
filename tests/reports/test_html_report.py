"""The page as text. What it does in a browser stands in test_html_browser.py."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from auditor import data, reports
from auditor.model.assessment import Assessment
from auditor.model.errors import ConfigurationError
from tests.reports import sample


def page(assessment: Assessment, **options: Any) -> str:
    return reports.render("html", assessment, **options).decode()


def tree(text: str) -> html.HtmlElement:
    return html.document_fromstring(text)


def embedded(text: str) -> dict[str, Any]:
    (script,) = tree(text).xpath("//script[@id='data']")
    loaded: dict[str, Any] = json.loads(script.text)
    return loaded


def words(element: html.HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()).split())


def section(text: str, name: str) -> str:
    return words(tree(text).get_element_by_id(name))


def test_text_of_others_never_becomes_markup() -> None:
    """Messages, names and paths are written by whoever writes a manifest; a report is opened by an auditor."""
    whole = sample.rich()
    nasty = "</script><script>alert(1)</script><!-- <script> ]]> \u2028 \"'><img src=x onerror=alert(1)>"
    findings = tuple(
        replace(finding, message=nasty, item=nasty, evidence=((nasty, nasty),)) for finding in whole.findings
    )
    text = page(replace(whole, findings=findings))
    assert len(tree(text).xpath("//script")) == 2
    assert not tree(text).xpath("//img | //*[@onerror]")
    assert len(re.findall("<script", text, re.IGNORECASE)) == 2
    assert "<!--" not in text
    assert "\u2028" not in text
    assert nasty.replace("\u2028", "\\u{2028}") in embedded(text)["texts"]


def test_policy_of_the_page_names_the_digests_of_its_own_style_and_script() -> None:
    text = page(sample.rich())
    (policy,) = tree(text).xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    for tag in ("style", "script"):
        (body,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_nothing_is_loaded_from_elsewhere() -> None:
    root = tree(page(sample.rich()))
    assert {source for source in root.xpath("//@src") if not source.startswith("data:")} == set()
    assert root.xpath("//link/@href") == ["data:,"]
    assert not re.search(r"@import|url\((?!#)", page(sample.rich()))


def test_code_in_a_sentence_is_set_as_code_and_an_odd_backtick_stays() -> None:
    whole = sample.rich()
    policies = tuple(replace(policy, rationale="use `<b>` here", remediation="5` of <i>") for policy in whole.policies)
    text = page(replace(whole, policies=policies))
    assert "use <code>&lt;b&gt;</code> here" in text
    assert "5` of &lt;i&gt;" in text


def test_no_link_runs_a_script() -> None:
    """A policy of a user's may name any text as a reference, also `javascript:`."""
    links = tree(page(sample.rich())).xpath("//a/@href")
    assert links
    assert all(link.startswith(("#", "https://", "http://")) for link in links)


def test_hidden_and_impossible_characters_are_shown_as_their_code_points() -> None:
    text = page(sample.rich())
    for character in "\x1b\x00\u202e\u2066\u200b\ufeff":
        assert character not in text
    assert "\\u{202E}" in text


def test_summary_counts_every_verdict_and_every_finding() -> None:
    whole = sample.rich()
    said = section(page(whole), "summary")
    failing = [finding for finding in whole.findings if finding.outcome == "fail"]
    assert f"{len(failing)} findings fail" in said
    for words_, group in (
        ("Failed", "failed"),
        ("Waived", "waived"),
        ("Passed", "passed"),
        ("Not evaluated", "not_evaluated"),
    ):
        assert f"{words_} {sum(len(getattr(result, group)) for result in whole.results)}" in said


def test_requirement_is_never_called_met() -> None:
    for assessment in (sample.rich(), sample.clean()):
        said = words(tree(page(assessment)).get_element_by_id("main")).lower()
        assert "compliant" not in said
        assert "in place" not in said
        assert "not an audit opinion" in said


def test_requirement_shows_what_was_tested_and_what_needs_people() -> None:
    whole = sample.rich()
    said = section(page(whole), "requirements")
    for result in whole.requirements:
        assert result.requirement_id in said
    for framework in whole.frameworks:
        assert framework.notice in said
        assert all(requirement.needs_people in said for requirement in framework.requirements)


def test_policy_shows_population_rule_threshold_and_its_origin() -> None:
    said = section(page(sample.rich()), "policies")
    assert "The technical test passed for 2 of 5 objects; 2 failed, 1 waived." in said
    assert "23 items were judged inside them" in said
    assert "30 days , origin: tool-default. a month to react" in said
    assert "variables.containers.all(c, c.?env.orValue([]).all(e, !has(e.valueFrom)))" in said
    assert "SOPS encrypts it: 1" in said
    assert "ignored by --ignore" in said


def test_waivers_show_who_approved_what_until_when() -> None:
    whole = sample.rich()
    said = section(page(whole), "waivers")
    for use in whole.waivers:
        waiver = use.waiver
        assert waiver.approver in said
        assert waiver.ticket in said
        assert waiver.expires.isoformat() in said
    assert "Expired" in said
    assert "Unused" in said
    assert "3 of its entries are no longer found" in said


def test_coverage_shows_each_gap_with_its_place() -> None:
    whole = sample.rich()
    said = section(page(whole), "coverage")
    assert "not complete" in said
    for gap in (gap for part in whole.coverage for gap in part.gaps):
        assert gap.reason.value.replace("-", " ") in said
    assert "Everything in scope was read" in section(page(sample.clean()), "coverage")


def test_provenance_names_tool_digests_key_and_arguments() -> None:
    run = sample.rich().run
    said = section(page(sample.rich()), "provenance")
    for text in (run.tool_version, run.policy_pack_digest, run.input_digest, run.configuration_digest, *run.tags):
        assert text in said
    assert run.fingerprint_key_id in said
    assert "random for this run" in section(page(sample.empty()), "provenance")


def test_every_finding_and_open_verdict_is_in_the_data() -> None:
    whole = sample.rich()
    loaded = embedded(page(whole))
    assert sorted(row[4] for row in loaded["findings"]) == sorted(finding.fingerprint for finding in whole.findings)
    assert len(loaded["open"]) == sum(len(result.not_evaluated) for result in whole.results)
    assert sum(map(len, loaded["passed"])) == sum(len(result.passed) for result in whole.results)


def test_same_verdicts_in_any_order_give_the_same_page() -> None:
    expected = page(sample.rich())
    assert all(page(sample.shuffled(sample.rich(), seed)) == expected for seed in range(5))


def test_empty_assessment_claims_nothing() -> None:
    said = words(tree(page(sample.empty())).get_element_by_id("main"))
    assert "Nothing was passed and nothing failed" in said
    assert "Everything in scope was read" not in said


def test_own_template_comes_first_and_the_rest_is_ours(tmp_path: Path) -> None:
    (tmp_path / "report.css").write_text("body { color: rebeccapurple }\r\n")
    text = page(sample.rich(), templates=tmp_path)
    assert "rebeccapurple" in text
    assert "\r" not in text
    assert "Who and what produced this" in text


def test_wrong_template_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "report.html.j2").write_text("<p>\n{% if %}</p>")
    with pytest.raises(ConfigurationError, match=r"report\.html\.j2:2") as caught:
        page(sample.rich(), templates=tmp_path)
    assert "built-in one" in caught.value.hint


def test_templates_hold_no_inline_style_or_handler() -> None:
    """The page's own policy would ignore them, silently."""
    text = (data.templates() / "report.html.j2").read_text()
    assert not re.search(r"\s(style|on[a-z]+)=", text)
