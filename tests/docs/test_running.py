"""The commands on the pages run: line after line in a scratch copy of the estate, as a reader would type them."""

import gzip
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor import authored, data
from auditor.cli.main import COMMANDS
from auditor.policy import document, skeleton
from tests.collectors import test_archives as archives
from tests.collectors import test_images as images
from tests.collectors.git import repositories as git
from tests.docs import admission, commands
from tests.docs.test_docs import PAGES, fenced
from tests.e2e.program import PROGRAM, ROOT
from tests.snapshot import builders as snapshots

POD = b"apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: web}]}\n"
CHART = "apiVersion: v2\nname: web\nversion: 0.1.0\n"
# They need a cluster, and a page shows no address of one: `tests/e2e/test_collect.py` and `tests/cli/test_doctor.py`
# run them.
LIVE = ("auditor collect ", "auditor doctor ")
SNAPSHOTS = {"estate": "prod", "october": "prod", "november": "prod", "prod": "prod", "staging": "staging"}
OF_REPOSITORIES = {"README.md", "secrets.md", "ci.md", "waivers-and-baselines.md"}
# Beside what `tests/tools/install.sh` fetches, a machine's own.
TOOLS = f"{PROGRAM.parent}:{ROOT / '.cache' / 'tools' / 'bin'}"


def lines_of(page: Path) -> Iterator[str]:
    """Yield the command lines of the page that start the program, or make something for it."""
    for block in fenced(page, "sh"):
        for line in block.splitlines():
            # What makes the manifests of a pipe is other people's program; we are what reads them.
            ours = re.sub(r"^.*\| (?=auditor )", "", line)
            if ours.startswith(("auditor ", "mkdir ")):
                yield ours


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the estate in which the names that the pages use exist."""
    estate = tmp_path / "estate"
    shutil.copytree(ROOT / "fixtures" / "estate", estate)
    (estate / "auditor.yaml").unlink()
    for name in ("deploy", "clusters/one/apps", "charts/web/templates", "base", "overlays/prod"):
        (estate / name).mkdir(parents=True)
        (estate / name / "web.yaml").write_bytes(POD)
    (estate / "deploy" / "rbac.yaml").write_bytes((estate / "platform" / "rbac.yaml").read_bytes())
    (estate / "base" / "rbac.yaml").write_bytes((estate / "platform" / "rbac.yaml").read_bytes())
    (estate / "charts" / "web" / "Chart.yaml").write_text(CHART)
    (estate / "prod.yaml").write_text("replicas: 2\n")
    for name, source in SNAPSHOTS.items():
        snapshots.write_one(estate / name, source)
    last_month = ["scan", "deploy", "--quiet", "--report", "json=last-month.json"]
    subprocess.run([PROGRAM, *last_month], cwd=estate, check=False, capture_output=True, timeout=60)
    return estate


@pytest.mark.parametrize("page", [page for page in PAGES if [*lines_of(page)]], ids=lambda page: page.name)
def test_the_commands_of_a_page_run_in_their_order(page: Path, folder: Path, tmp_path: Path) -> None:
    if page.name in OF_REPOSITORIES:
        git.new(folder)
        git.commit(folder, {})
        (folder / "web.log").write_text("INFO start\n")
        (folder / "web.tar").write_bytes(archives.tarred(images.saved()))
        (folder / "old.log.gz").write_bytes(gzip.compress(b"INFO start\n"))
        (folder / "detection").mkdir()
        rules = [block for block in fenced(ROOT / "docs" / "secrets.md", "yaml") if block.startswith("id: ")]
        (folder / "detection" / "acme-token.yaml").write_text("".join(rules))
        git.git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")
    for line in lines_of(page):
        if line.startswith(LIVE):
            continue
        if "charts/web" in line and not shutil.which("helm", path=f"{TOOLS}:/usr/local/bin:/usr/bin"):
            continue  # without helm the answer is an error that says so; `tests/collectors` holds that
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=folder,
            input=POD,
            capture_output=True,
            timeout=120,
            check=False,
            env={"PATH": f"{TOOLS}:/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"},
        )
        # What is found in the estate is no failure of the command, nor is what nobody can know there.
        wanted = {"scan": {0, 1}, "access": {0, 3}, "secrets": {0, 1}}.get(shlex.split(line)[1], {0})
        wanted = {0} if "secrets rules" in line else wanted
        assert done.returncode in wanted, f"{line}\n{done.stderr.decode()}"


def test_commands_in_running_text_exist() -> None:
    known = set(commands.names())
    for page in PAGES:
        prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for first, second in re.findall(r"`auditor (\w+)(?: ([a-z]+))?\b[^`]*`", prose):
            assert first in COMMANDS, f"{page.name}: auditor {first}"
            if f"auditor {first} list" in known:
                assert not second or f"auditor {first} {second}" in known, f"{page.name}: auditor {first} {second}"


def test_the_page_of_commands_says_what_the_help_says() -> None:
    assert commands.PAGE.read_text(encoding="utf-8") == commands.page(), "run `make docs`"


def test_the_page_on_admission_lists_what_is_exported() -> None:
    assert admission.PAGE.read_text(encoding="utf-8") == admission.page(), "run `make docs`"


def test_every_command_has_a_help_that_shows_an_example() -> None:
    text = commands.page()
    for name in commands.names():
        part = text.partition(f"## `{name}`\n")[2].partition("\n## ")[0]
        assert re.search(r"Examples?:", part), name


def test_a_new_policy_is_what_the_schema_wants() -> None:
    text = skeleton.skeleton("ACME-01", "untagged-image")
    authored.read(text, file="ACME-01.yaml", schema=data.policies() / "policy.schema.json")


def test_the_architecture_names_every_package() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for entry in sorted((ROOT / "auditor").iterdir()):
        if (entry / "__init__.py").is_file() or (entry.suffix == ".py" and not entry.name.startswith("__")):
            assert f"`auditor/{entry.name}`" in text, entry.name


def test_the_changelog_knows_the_number_of_policies() -> None:
    shipped = [file for folder in document.built_in() for file in document.files(folder)]
    assert f"- {len(shipped)} policies" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
