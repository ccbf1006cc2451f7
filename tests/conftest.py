"""Shared by all tests: skips become failures where the switch says so; a real Kubernetes API server."""

import os
import secrets
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.servers import build
from tests.servers.kubernetes import Kubernetes, running

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

STRICT = os.environ.get("AUDITOR_TESTS_STRICT") == "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--renew-goldens", action="store_true", help="write the golden files again instead of comparing")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With `AUDITOR_TESTS_STRICT=1`, as in CI, a test that skips because something is missing has failed."""
    report = yield
    if report.skipped and str(report.longrepr).endswith(f"{build.MISSING}')"):
        report.longrepr = (build.__file__, 1, build.MISSING)  # many tests, one line
    if STRICT and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and skips are failures here: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what tests want to be read also when they pass: `record_property("told", "15,000 questions compared")`."""
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        for name, text in getattr(report, "user_properties", ()):
            if name == "told" and report.when == "call":
                terminalreporter.write_line(text)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, None, None]:
    """Keep the tests of one server on one worker, so that none is started twice.

    Those of the shared server are one group, and each file that starts servers of its own is another. All of them in
    one group would make one worker the bottleneck.
    """
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "servers" in names and not item.get_closest_marker("xdist_group"):
            group = "shared" if "kube" in names else item.path.stem
            item.add_marker(pytest.mark.xdist_group(f"servers-{group}"))
    yield
    if getattr(config.option, "loadgroup", False):
        for item in items:
            _write_group(item)


def _write_group(item: pytest.Item) -> None:
    """Write the group of a test into its id, by which xdist (3.8) finds it.

    xdist writes it into `_nodeid`, which pytest reads no more since 9.2: each test then went to either worker.
    """
    names = sorted({str(mark.args[0]) for mark in item.iter_markers("xdist_group")})
    suffix = f"@{'_'.join(names)}"
    written = getattr(item, "_id", None)
    if names and written is not None and not item.nodeid.endswith(suffix):
        item._id = type(written).parse(f"{item.nodeid}{suffix}")


@pytest.fixture(scope="session")
def servers() -> None:
    """Require the programs of the real servers; a test that starts its own uses this fixture and `running`.

    A build that is running is waited for.
    """
    if build.built() is None:
        pytest.skip(build.MISSING)


@pytest.fixture(scope="session")
def kube(servers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubernetes]:  # noqa: ARG001 - skips
    """Return the one real control plane that all tests share: leave nothing in it that another could stumble over."""
    with running(tmp_path_factory.mktemp("kubernetes")) as kubernetes:
        yield kubernetes


@pytest.fixture
def namespace(kube: Kubernetes) -> Iterator[str]:
    """Return a namespace of the shared server for this test alone; it goes with all that is in it, some time later."""
    name = f"test-{secrets.token_hex(4)}"
    kube.admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    kube.admin.delete(f"/api/v1/namespaces/{name}")
