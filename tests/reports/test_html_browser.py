"""The page in a real browser."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from auditor import reports
from auditor.model.assessment import Assessment
from auditor.model.verdict import Outcome
from tests import browser
from tests.reports import sample

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group("chromium")]


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browser.chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def opened(chrome: Chrome, tmp_path: Path) -> Any:
    def open_(assessment: Assessment, *, scheme: str = "light") -> Chrome:
        file = tmp_path / "report.html"
        file.write_bytes(reports.render("html", assessment))
        feature = [{"name": "prefers-color-scheme", "value": scheme}]
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": feature})
        browser.console(chrome)
        browser.requests(chrome)
        chrome.get(file.as_uri())
        return chrome

    return open_


def rows(chrome: Chrome) -> list[WebElement]:
    return chrome.find_elements(By.CSS_SELECTOR, "#rows > li")


def count(chrome: Chrome) -> str:
    return chrome.find_element(By.ID, "count").text


def tick(chrome: Chrome, name: str, *values: str) -> None:
    """Leave exactly these boxes ticked."""
    for box in chrome.find_elements(By.CSS_SELECTOR, f'input[name="{name}"]'):
        if box.is_selected() != (box.get_attribute("value") in values):
            box.click()


def failing(assessment: Assessment) -> int:
    return sum(finding.outcome is Outcome.FAIL for finding in assessment.findings)


def test_page_is_quiet_and_asks_for_nothing(opened: Any) -> None:
    chrome = opened(sample.rich())
    assert len(rows(chrome)) == failing(sample.rich())
    assert browser.console(chrome) == []
    assert [address for address in browser.requests(chrome) if not address.endswith("/report.html")] == []


def test_policy_of_the_page_stops_a_foreign_script(opened: Any) -> None:
    """So that a text which broke out of its place would still do nothing."""
    chrome = opened(sample.rich())
    chrome.execute_script(
        "const s = document.createElement('script'); s.textContent = 'window.ran = true'; document.body.append(s);"
        "const i = document.createElement('img'); i.src = 'https://example.test/x.png'; document.body.append(i);"
    )
    assert chrome.execute_script("return window.ran") is None
    assert any("Content Security Policy" in line for line in browser.console(chrome))


def test_search_needs_every_word(opened: Any) -> None:
    chrome = opened(sample.rich())
    search = chrome.find_element(By.ID, "search")
    search.send_keys("db_password API.yaml")
    assert count(chrome) == "1 verdict shown"
    assert "DB_PASSWORD" in rows(chrome)[0].text
    search.send_keys(" nowhere")
    assert chrome.find_element(By.ID, "none").is_displayed()


def test_filters_by_severity_outcome_policy_requirement_namespace_and_file(opened: Any) -> None:
    whole = sample.rich()
    chrome = opened(whole)
    tick(chrome, "severity", "critical")
    assert [row.find_element(By.CSS_SELECTOR, ".severity").text for row in rows(chrome)] == ["Critical"]
    tick(chrome, "severity", "critical", "high", "medium", "low", "info")
    tick(chrome, "outcome", "waived")
    assert len(rows(chrome)) == len(whole.findings) - failing(whole)
    tick(chrome, "outcome", "not_evaluated")
    assert len(rows(chrome)) == sum(len(result.not_evaluated) for result in whole.results)
    tick(chrome, "outcome", "pass")
    assert len(rows(chrome)) == sum(len(result.passed) for result in whole.results)
    tick(chrome, "outcome", "fail", "known", "waived", "not_evaluated", "pass")
    policy = Select(chrome.find_element(By.ID, "policy"))
    policy.select_by_visible_text("K-SEC-01 Credential written into a manifest")
    assert {row.find_element(By.CSS_SELECTOR, ".where b").text for row in rows(chrome)} == {"K-SEC-01"}
    policy.select_by_index(0)
    Select(chrome.find_element(By.ID, "requirement")).select_by_value("pci-dss-4.0.1/8.6.2")
    assert {row.find_element(By.CSS_SELECTOR, ".where b").text for row in rows(chrome)} == {"K-SEC-01"}
    Select(chrome.find_element(By.ID, "requirement")).select_by_index(0)
    Select(chrome.find_element(By.ID, "namespace")).select_by_visible_text("shop")
    assert rows(chrome)
    assert all("shop/" in row.find_element(By.CSS_SELECTOR, ".where").text for row in rows(chrome))
    Select(chrome.find_element(By.ID, "namespace")).select_by_index(0)
    chrome.find_element(By.ID, "file").send_keys("PAYMENTS/legacy")
    assert rows(chrome)
    assert all("payments/legacy.yaml" in row.find_element(By.CSS_SELECTOR, ".where").text for row in rows(chrome))


def test_clearing_the_filters_shows_what_fails_again(opened: Any) -> None:
    chrome = opened(sample.rich())
    chrome.find_element(By.ID, "search").send_keys("nowhere")
    chrome.find_element(By.CSS_SELECTOR, "button[type=reset]").click()
    WebDriverWait(chrome, 5).until(lambda driver: len(rows(driver)) == failing(sample.rich()))


def test_requirement_leads_to_its_verdicts(opened: Any) -> None:
    chrome = opened(sample.rich())
    chrome.find_element(By.CSS_SELECTOR, 'a[data-filter="requirement=soc2/CC6.1"]').click()
    WebDriverWait(chrome, 5).until(
        lambda driver: (
            {row.find_element(By.CSS_SELECTOR, ".where b").text for row in rows(driver)}
            == {"K-ENC-01", "K-SEC-01", "K-SEC-02"}
        )
    )


def test_policy_lists_its_whole_population(opened: Any) -> None:
    whole = sample.rich()
    chrome = opened(whole)
    chrome.execute_script("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    chrome.find_element(By.CSS_SELECTOR, "#policy-K-TOK-01 a[data-filter]").click()
    result = next(result for result in whole.results if result.policy_id == "K-TOK-01")
    WebDriverWait(chrome, 5).until(lambda driver: len(rows(driver)) == result.population)


def test_keyboard_alone_finds_and_opens_a_finding(opened: Any) -> None:
    chrome = opened(sample.rich())
    body = chrome.find_element(By.TAG_NAME, "body")
    body.send_keys("/")
    assert chrome.switch_to.active_element.get_attribute("id") == "search"
    chrome.switch_to.active_element.send_keys("payments", Keys.ARROW_DOWN)
    first = chrome.switch_to.active_element
    assert first.get_attribute("class") == "row"
    first.send_keys(Keys.ARROW_DOWN)
    second = chrome.switch_to.active_element
    assert second != first
    second.send_keys(Keys.ENTER)
    assert second.get_attribute("aria-expanded") == "true"
    detail = chrome.find_element(By.CSS_SELECTOR, ".detail").text
    for term in ("Location", "Item", "What to do", "Fingerprint", "Relates to"):
        assert term in detail
    second.send_keys(Keys.ENTER)
    assert not chrome.find_elements(By.CSS_SELECTOR, ".detail")
    second.send_keys(Keys.ESCAPE)
    assert chrome.switch_to.active_element.get_attribute("id") == "search"


def test_skip_link_is_the_first_stop(opened: Any) -> None:
    chrome = opened(sample.rich())
    chrome.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    assert chrome.switch_to.active_element.text == "Skip to the report"
    chrome.switch_to.active_element.send_keys(Keys.ENTER)
    assert chrome.switch_to.active_element.get_attribute("id") == "main"


def test_finding_shows_evidence_related_places_and_both_fingerprints(opened: Any) -> None:
    whole = sample.rich()
    chrome = opened(whole)
    tick(chrome, "outcome", "fail", "known", "waived")
    for row in rows(chrome):
        row.find_element(By.TAG_NAME, "button").click()
    shown = "\n".join(row.text for row in rows(chrome))
    for finding in whole.findings:
        assert finding.fingerprint in shown
        assert finding.value_fingerprint in shown
        assert finding.waiver_id in shown
        assert all(
            f"Evidence: {name}" in shown for name, _ in finding.evidence if name.isascii() and name.isprintable()
        )
    assert "Related\n" in shown
    assert "Rendered from" in shown


def background(chrome: Chrome) -> str:
    colour: str = chrome.execute_script("return getComputedStyle(document.body).backgroundColor")
    return colour


def test_page_follows_the_system_and_the_button_switches(opened: Any) -> None:
    light = background(opened(sample.rich()))
    chrome = opened(sample.rich(), scheme="dark")
    dark = background(chrome)
    assert light != dark
    button = chrome.find_element(By.ID, "theme")
    assert button.text == "Light"
    button.click()
    assert background(chrome) == light
    button.click()
    assert background(chrome) == dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["rich", "clean", "empty", "live", "leaked"])
def test_axe_finds_nothing_wrong(opened: Any, scheme: str, which: str) -> None:
    """WCAG 2 A and AA and axe-core's good practices, with everything opened that can be opened."""
    chrome = opened(getattr(sample, which)(), scheme=scheme)
    tick(chrome, "outcome", "fail", "known", "waived", "not_evaluated", "pass")
    chrome.execute_script(
        "document.querySelectorAll('details').forEach(details => { details.open = true; });"
        "document.querySelectorAll('button.row').forEach(button => button.click());"
    )
    assert browser.violations(chrome) == []


def test_axe_finds_nothing_wrong_on_a_phone(opened: Any) -> None:
    chrome = opened(sample.rich())
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        assert browser.violations(chrome) == []
        assert chrome.execute_script("return document.documentElement.scrollWidth") <= 390
    finally:
        chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_print_shows_everything_opened(opened: Any) -> None:
    whole = sample.rich()
    chrome = opened(whole, scheme="dark")
    printed = base64.b64decode(chrome.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})["data"])
    text = "\n".join(part.extract_text() for part in PdfReader(io.BytesIO(printed)).pages)
    flat = "".join(text.split())
    for finding in whole.findings:
        if finding.outcome is Outcome.FAIL:
            assert finding.fingerprint in flat
    for policy in whole.policies:
        assert policy.id in flat
    assert "Whoapproved" not in flat
    assert whole.run.input_digest in flat
    assert "passedfor2of5objects" in flat
    assert rows(chrome)  # the page is as it was
    assert not chrome.find_elements(By.CSS_SELECTOR, ".brief")


def test_twenty_thousand_findings_are_filtered_to_the_right_one(opened: Any) -> None:
    chrome = opened(sample.large(20_000))
    assert count(chrome) == "20,000 verdicts shown"
    assert len(rows(chrome)) == 50
    chrome.find_element(By.ID, "next").click()
    assert chrome.find_element(By.ID, "page").text.endswith("100 of 20,000")
    search = chrome.find_element(By.ID, "search")
    search.send_keys("setting_19999 ")
    assert count(chrome) == "1 verdict shown"
    assert browser.console(chrome) == []


def test_summary_and_matrix_read_without_javascript(opened: Any, chrome: Chrome) -> None:
    chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        opened(sample.rich())
        shown = chrome.find_element(By.ID, "main").text
    finally:
        chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert "JavaScript is off" in shown
    assert "CC6.3" in shown
    assert "findings fail" in shown
