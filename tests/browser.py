"""A real headless Chromium for tests: what the console said, what the network was asked, what axe-core objects to."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

AXE = Path(__file__).parent.parent / ".cache/tools/npm/node_modules/axe-core/axe.min.js"

_QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
)


@contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """Yield a browser with an empty profile; skip the test where there is none."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not browser or not driver:
        pytest.skip("needs chromium and chromedriver: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in (*_QUIET, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(executable_path=driver))
    try:
        yield chrome
    finally:
        chrome.quit()


def console(chrome: webdriver.Chrome) -> list[str]:
    """Return what the page said in the console since the last call: errors, warnings, violations of its policy."""
    return [entry["message"] for entry in chrome.get_log("browser")]


def requests(chrome: webdriver.Chrome) -> list[str]:
    """Return the address of everything that was asked for since the last call, but `data:` addresses."""
    events = [json.loads(entry["message"])["message"] for entry in chrome.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    return [address for address in asked if not address.startswith("data:")]


def violations(chrome: webdriver.Chrome) -> list[str]:
    """Return what axe-core finds wrong on the page as it stands: rule, and the elements."""
    if not AXE.is_file():
        pytest.skip("needs axe-core: tests/tools/npm.sh")
    # Through the debugger, as the page's own policy forbids every script but its own.
    chrome.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    chrome.execute_script(AXE.read_text())
    found: dict[str, Any] = chrome.execute_async_script(
        "axe.run(document, {resultTypes: ['violations']}).then(arguments[arguments.length - 1]);"
    )
    return [
        f"{violation['id']}: {violation['help']}: " + "; ".join(str(node["target"]) for node in violation["nodes"][:5])
        for violation in found["violations"]
    ]
