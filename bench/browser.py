"""How long the HTML report takes to answer a keystroke in its search field, in real headless Chromium."""

import shutil
import statistics
import tempfile
from pathlib import Path

_MEASURE = """
const done = arguments[0];
const field = document.querySelector('input[type=search]');
const times = [];
const text = 'service-1234';
let at = 0;
function next() {
  if (at >= text.length) { done(times); return; }
  at += 1;
  const started = performance.now();
  field.value = text.slice(0, at);
  field.dispatchEvent(new Event('input', {bubbles: true}));
  requestAnimationFrame(() => setTimeout(() => { times.push(performance.now() - started); setTimeout(next, 150); }, 0));
}
next();
"""


def keystroke(file: Path) -> str:
    """Return a line with the median and the longest time from a keystroke to the next painted frame."""
    driver_file, browser_file = shutil.which("chromedriver"), shutil.which("chromium")
    if not driver_file or not browser_file:
        return "keystroke: not measured, Chromium and its driver are not installed"
    from selenium import webdriver  # noqa: PLC0415 - only where there is a browser
    from selenium.webdriver.chrome.service import Service  # noqa: PLC0415 - only where there is a browser

    with tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = browser_file
        for flag in (
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            f"--user-data-dir={profile}",
        ):  # fmt: skip
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=Service(driver_file))
        try:
            driver.get(file.resolve().as_uri())
            driver.set_script_timeout(60)
            times = driver.execute_async_script(_MEASURE)
        finally:
            driver.quit()
    return f"keystroke: median {statistics.median(times):.0f} ms, longest {max(times):.0f} ms (target 100 ms)"
