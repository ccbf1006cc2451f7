"""`auditor policy`: the policy library: list, show, test, lint, new, docs, export."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from auditor import data, workloads
from auditor.cli import options, terminal
from auditor.model.errors import AuditorError, InputError
from auditor.policy import document
from auditor.policy.admission.action import Action
from auditor.policy.document import Policy
from auditor.reports.figures import plural

app = typer.Typer(
    help="The policy library: list, show, test, lint, new, docs, export.",
    no_args_is_help=True,
    epilog="Examples:  auditor policy show K-SEC-01   |   auditor policy new ACME-01 --out rules/   |   "
    "auditor policy test --policy rules/",
)

_Folders = Annotated[
    list[Path] | None,
    typer.Option("--policy", help="Folder with policies of your own, beside the library. Repeatable."),
]
_Config = Annotated[
    Path | None, typer.Option("--config", help="Configuration file (default: auditor.yaml here, if there is one).")
]
_Chosen = Annotated[
    list[str] | None,
    typer.Argument(metavar="[POLICY]...", help="Ids or globs; all where none is named.", show_default=False),
]


@app.command("list")
def list_(
    policy: _Folders = None,
    config: _Config = None,
    select: Annotated[
        list[str] | None, typer.Option(help="Id or glob, tag:NAME, severity:LEVEL, framework:ID. Repeatable.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", "-o", help="console or json.")] = "console",
) -> None:
    """List the policies with their severity.

    Example:  auditor policy list --select framework:pci-dss-4.0.1
    """
    from auditor.policy import selection  # noqa: PLC0415 - only here

    settings = options.load(config)
    found = selection.select(_load(policy, config), chosen=select or (), severities=settings.severity)
    if format_ == "json":
        rows = [
            {
                "id": entry.id,
                "name": entry.name,
                "title": entry.title,
                "severity": found.severities[entry.id],
                "applies_to": entry.applies_to,
                "tags": entry.tags,
                "requirements": [link.requirement for link in entry.links],
                "file": entry.file,
            }
            for entry in found.policies
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    if format_ != "console":
        raise InputError(f"{format_} is not a format of this command", hint="Choose console or json.")
    width = max(len(entry.id) for entry in found.policies)
    for entry in found.policies:
        typer.echo(f"{entry.id:<{width}}  {found.severities[entry.id]:<8}  {entry.title}")
    typer.echo(f"\n{len(found.policies)} policies; `auditor policy show ID` explains one.")


@app.command()
def show(
    policy_id: Annotated[str, typer.Argument(metavar="POLICY", help="Its id.")],
    policy: _Folders = None,
    config: _Config = None,
) -> None:
    """Show one policy: what it judges, why, the rule, thresholds, requirements, examples.

    Example:  auditor policy show K-SEC-01
    """
    from auditor.policy import pages  # noqa: PLC0415 - only here

    typer.echo(pages.page(_one(_load(policy, config), policy_id)), nl=False)


@app.command("test")
def run_examples(chosen: _Chosen = None, policy: _Folders = None, config: _Config = None) -> None:
    """Run the examples of policies: each must get the outcome that it claims.

    Example:  auditor policy test 'K-RBAC-*'
    """
    from auditor.pipeline import examples  # noqa: PLC0415 - only here

    policies = _chosen(_load(policy, config), chosen or ())
    table = workloads.load(data.policies() / "workloads.yaml", options.load(config).workloads)
    total = wrong = 0
    for result in examples.run(policies, workloads=table, now=datetime.now(UTC)):
        total += 1
        if result.problem:
            wrong += 1
            typer.echo(terminal.clean(f"{result.policy_id}:{result.example}: {result.problem}"))
    typer.echo(f"{total - wrong} of {total} examples of {plural(len(policies), 'policy', 'policies')} hold")
    raise typer.Exit(1 if wrong else 0)


@app.command()
def lint(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Policy files or folders (default: the library).", show_default=False),
    ] = None,
) -> None:
    """Check policy files: schema, CEL, requirement ids, examples; every mistake with line and column.

    Example:  auditor policy lint rules/
    """
    from auditor.frameworks import catalogue  # noqa: PLC0415 - only here
    from auditor.policy import lint as checks  # noqa: PLC0415 - only here

    requirements = {
        f"{framework.id}/{requirement.id}"
        for framework in catalogue.load(data.policies() / "frameworks")
        for requirement in framework.requirements
    }
    references = catalogue.reference_ids()
    found = []
    checked = 0
    for file in _files(files or ()):
        checked += 1
        found += checks.lint(file, requirements=requirements, references=references)
    for mistake in found:
        typer.echo(terminal.clean(str(mistake)))
    typer.echo(f"{plural(checked, 'policy', 'policies')}, {plural(len(found), 'mistake')}")
    raise typer.Exit(1 if found else 0)


@app.command()
def new(
    policy_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, for example ACME-01.")],
    name: Annotated[str, typer.Option(help="The fault in a few words, for example untagged-image.")] = "untagged-image",
    out: Annotated[Path, typer.Option(help="Folder to write it into; made if it is not there.")] = Path("policies"),
) -> None:
    """Write a policy that works, to change into your own.

    Example:  auditor policy new ACME-01 --name untagged-image --out rules/
    """
    import re  # noqa: PLC0415 - only here

    from auditor.policy.skeleton import skeleton  # noqa: PLC0415 - only here

    if not re.fullmatch(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)+", policy_id):
        raise InputError(f"{policy_id} is no policy id", hint="Write it like ACME-01: capitals, digits, hyphens.")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise InputError(f"{name} is no policy name", hint="Write it like untagged-image.")
    if any(policy_id == entry.id for entry in document.load(document.built_in()).policies):
        raise InputError(f"{policy_id} is a policy of the library", hint="Choose an id of your own, like ACME-01.")
    file = out / f"{policy_id}-{name}.yaml"
    if file.exists():
        raise InputError(f"{file} exists already", hint="Choose another id, or delete the file.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        file.write_text(skeleton(policy_id, name), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}", hint="Choose another folder.") from error
    typer.echo(f"wrote {file}")
    terminal.note(f"next: auditor policy lint {file} && auditor policy test --policy {out} {policy_id}")


@app.command()
def docs(
    out: Annotated[Path, typer.Option(help="Folder to write the pages into.")] = Path("docs/policies"),
    policy: _Folders = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail when a page differs.")] = False,
) -> None:
    """Write one Markdown page a policy, and an index.

    Example:  auditor policy docs --out docs/policies
    """
    from auditor.policy import pages  # noqa: PLC0415 - only here

    wanted = pages.pages(_load(policy, None))
    present = {file.name: _text(file) for file in out.glob("*.md")} if out.is_dir() else {}
    differing = {name for name, text in wanted.items() if present.get(name) != text}
    gone = {name for name, text in present.items() if name not in wanted and pages.is_page(name, text)}
    if check:
        for name in sorted(differing | gone):
            typer.echo(f"{out / name} is not what the policies say; run `auditor policy docs --out {out}`")
        raise typer.Exit(1 if differing | gone else 0)
    for name in sorted(differing & present.keys()):
        if not pages.is_page(name, present[name]):
            raise InputError(f"{out / name} is no page of a policy, and stays", hint="Choose a folder for them alone.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in differing:
            (out / name).write_text(wanted[name], encoding="utf-8")
        for name in gone:
            (out / name).unlink()
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}", hint="Choose another folder.") from error
    typer.echo(f"{len(wanted)} pages in {out}, {len(differing | gone)} changed")


@app.command()
def export(
    chosen: _Chosen = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for one file a policy (default: all to standard output).")
    ] = None,
    action: Annotated[
        Action, typer.Option(help="What an API server does on a failure: deny, warn (and audit) or audit.")
    ] = Action.WARN,
    policy: _Folders = None,
    config: _Config = None,
) -> None:
    """Write ValidatingAdmissionPolicies for the policies that can be one; say which cannot, and why.

    Ends with 1 where a policy that is named by its id cannot be one, or none of the policies can.

    Example:  auditor policy export --out admission/ && kubectl apply --dry-run=server -f admission/
    """
    from auditor.policy import export as exporting  # noqa: PLC0415 - only here

    settings = options.load(config)
    table = workloads.load(data.policies() / "workloads.yaml", settings.workloads)
    plans = [exporting.plan(entry, table) for entry in _chosen(_load(policy, config), chosen or ())]
    for plan in plans:
        for line in plan.notes:
            terminal.note(line)
    exported = [plan for plan in plans if not plan.obstacle]
    for plan in exported:
        text = exporting.manifest(plan, table, settings.parameters.get(plan.policy.id, {}), action=action)
        _write(text, out, plan.policy.id)
    where = f" to {out}" if out else ""
    terminal.note(f"exported {len(exported)} of {plural(len(plans), 'policy', 'policies')}{where}, action {action}")
    # Who names a policy wants that one; a glob takes what there is.
    refused = {plan.policy.id for plan in plans if plan.obstacle} & set(chosen or ())
    raise typer.Exit(0 if exported and not refused else 1)


def _write(text: str, folder: Path | None, name: str) -> None:
    if folder is None:
        sys.stdout.write(text)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}", hint="Choose another folder.") from error


def _load(folders: Sequence[Path] | None, config: Path | None) -> tuple[Policy, ...]:
    own = (*options.load(config).policies, *(folders or ()))
    return document.load(document.built_in(), own=own).policies


def _one(policies: Sequence[Policy], policy_id: str) -> Policy:
    for entry in policies:
        if policy_id in {entry.id, entry.name}:
            return entry
    from auditor.policy import selection  # noqa: PLC0415 - only for a mistake

    raise InputError(f"there is no policy {policy_id}", hint=selection.hint(policies, policy_id))


def _chosen(policies: Sequence[Policy], words: Sequence[str]) -> tuple[Policy, ...]:
    if not words:
        return tuple(policies)
    from auditor.policy import selection  # noqa: PLC0415 - only here

    return selection.select(policies, chosen=words, named=True).policies


def _files(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths or document.built_in():
        if not path.exists():
            raise InputError(f"there is no file or folder {path}", hint=_how_to_lint(path))
        found += document.files(path) if path.is_dir() else [path]
    return found


def _how_to_lint(path: Path) -> str:
    for entry in document.load(document.built_in()).policies:
        if str(path) in {entry.id, entry.name}:
            return f"{entry.id} is the file {entry.file}; without a path, the whole library is checked."
    return "Name a policy file, or a folder with policies; without a path, the library is checked."


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AuditorError(f"{file} cannot be read", hint="Delete it and run the command again.") from error
