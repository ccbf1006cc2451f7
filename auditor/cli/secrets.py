"""`auditor secrets`: hard-coded credentials in trees, git histories, staged changes and streams."""

import gc
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli import hook, lifecycle, options, output, redacting, terminal
from auditor.model.errors import InputError

if TYPE_CHECKING:
    from auditor.detection.rules import Rule, RuleSet
    from auditor.pipeline.secrets import Mode

app = typer.Typer(
    no_args_is_help=True,
    help="Find hard-coded credentials, before and after they leak. No value is ever shown or stored.",
    epilog="Examples:  auditor secrets scan   |   auditor secrets scan --git .   |   auditor secrets hook install",
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(hook.app, name="hook")

_SCAN_EXAMPLES = """
Examples:

  auditor secrets scan                          every file below this folder that git tracks or would not ignore

  auditor secrets scan --git .                  the whole history: all refs, merges included

  auditor secrets scan --since origin/main      what the commits of this branch add

  auditor secrets scan --staged                 what the next commit would add

  kubectl logs web | auditor secrets scan --stdin

  auditor secrets scan --log web.log --log old.log.gz

  auditor secrets scan --image web.tar

  auditor secrets scan --git . --report sarif=leaks.sarif --report html=leaks.html

A value is never part of the output: a keyed fingerprint, its length and what its format shows of every such token.

Exit codes: 0 nothing failed at or above --fail-on, 1 something did, 2 wrong use or input, 3 something in scope could
not be read (a shallow clone, a missing object, a file over --largest) and nothing failed, 4 internal error.
"""
_SELECTED = "tag:hard-coded-credential"
_MEGABYTE = 1_000_000


def scan(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", help="Files and folders (default: here).", show_default=False),
    ] = None,
    git: Annotated[Path | None, typer.Option("--git", help="Search the whole history of this repository.")] = None,
    since: Annotated[str | None, typer.Option(help="Search what the commits since this ref add (REF..HEAD).")] = None,
    range_: Annotated[str | None, typer.Option("--range", help="Search what the commits A..B add.")] = None,
    staged: Annotated[bool, typer.Option("--staged", help="Search what the next commit would add.")] = False,
    stdin: Annotated[bool, typer.Option("--stdin", help="Search standard input.")] = False,
    log: Annotated[
        list[str] | None,
        typer.Option(
            "--log", help="Search a log: plain, JSON lines, Docker, CRI; gz, zst, bz2, xz; -: standard input."
        ),
    ] = None,
    image: Annotated[
        list[str] | None,
        typer.Option("--image", help="Search a container image: an archive of `docker save`, or an OCI layout."),
    ] = None,
    unreachable: Annotated[
        bool, typer.Option("--unreachable", help="With --git: also objects that no ref reaches any more.")
    ] = False,
    tier: Annotated[
        int,
        typer.Option(
            min=1,
            max=3,
            help="1: documented token formats; 2: also literals under a credential's name; 3: also what only looks "
            "random, which never fails.",
        ),
    ] = 2,
    rules: Annotated[
        list[Path] | None,
        typer.Option(help="Folder with detection rules of your own, added to the library. Repeatable."),
    ] = None,
    rule_off: Annotated[
        list[str] | None, typer.Option(help="Do not look for this rule (id or glob). Repeatable.")
    ] = None,
    largest: Annotated[
        int, typer.Option(min=1, help="Megabytes of a file beyond which it is not read but named.")
    ] = 50,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Leave out paths, as a .gitignore pattern. Repeatable.")
    ] = None,
    no_ignore: Annotated[bool, typer.Option("--no-ignore", help="Also read what .gitignore excludes.")] = False,
    snapshot: Annotated[
        list[Path] | None,
        typer.Option(help="Snapshot of systems that may use what leaked: was it changed there? Repeatable."),
    ] = None,
    format_: options.Format = "console",
    report: options.Report = None,
    fail_on: options.FailOn = None,
    allow_incomplete: options.AllowIncomplete = False,
    config: options.Config = None,
    waivers: options.Waivers = None,
    waivers_from: options.WaiversFrom = None,
    baseline: options.Baseline = None,
    templates: options.Templates = None,
    show_all: options.ShowAll = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Read everything, also what an earlier run judged clean.")
    ] = False,
    jobs: options.Jobs = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")] = False,
) -> None:
    """Search files, a git history, a change or a stream for credentials."""
    gc.disable()
    from auditor.collectors import judged  # noqa: PLC0415 - as below
    from auditor.collectors.git.population import ALL_REFS  # noqa: PLC0415 - start-up: help needs none of it
    from auditor.pipeline import secrets as pipeline  # noqa: PLC0415 - as above

    mode = _mode(git=git, since=since, range_=range_, staged=staged, stdin=stdin, log=log, image=image)
    if git is not None and not git.exists() and re.match(r"[a-z+]+:/|[\w.-]+@[\w.-]+:", str(git)):
        # As an address it lost a slash, so it is not repeated.
        raise InputError(
            "--git wants a clone, not an address", hint="Run `git clone --mirror ADDRESS`, and name its folder."
        )
    if unreachable and mode is not pipeline.Mode.HISTORY:
        raise InputError("--unreachable goes with --git alone", hint="Name the repository: --git .")
    if snapshot and mode not in {pipeline.Mode.FILES, pipeline.Mode.HISTORY}:
        raise InputError(
            "--snapshot goes with files and --git", hint="A change has not leaked yet, and a log tells no store."
        )
    if mode is not pipeline.Mode.FILES and paths and (git or stdin or log or image or len(paths) > 1):
        raise InputError("a path was given beside what is searched already", hint="Leave the path out.")
    changed = f"{since}..HEAD" if since is not None else range_ or ""
    base = options.base_of(waivers_from)
    settings = options.load(config, base=base)
    targets = output.targets(format_, report or (), stdout_is_terminal=sys.stdout.isatty())
    terms = options.terms(
        settings, select=None, ignore=None, policy=None, waivers=waivers, baseline=baseline, jobs=jobs, base=base
    )
    terms["select"] = (_SELECTED,)
    with terminal.Progress(quiet=quiet) as progress:
        assessment = pipeline.scan(
            pipeline.Request(
                **terms,
                mode=mode,
                paths=(str(git),) if git else tuple(log or image or paths or (".",)),
                unreachable=unreachable,
                revisions=(changed,) if mode is pipeline.Mode.RANGE else ALL_REFS,
                environ=os.environ,
                tier=tier,
                rule_folders=tuple(rules or ()),
                rules_off=tuple(rule_off or ()),
                honour_gitignore=not no_ignore,
                exclude=(*settings.exclude, *(exclude or ())),
                largest=largest * _MEGABYTE,
                fingerprint_key=options.fingerprint_key(),
                snapshots=tuple(snapshot or ()),
                cache=None if no_cache else judged.folder(os.environ),
            ),
            now=datetime.now(UTC),
            stdin=sys.stdin.buffer,
            progress=progress.say,
        )
        progress.say("writing reports")
        output.write(assessment, targets, templates=templates, show_all=show_all)
    if not quiet:
        output.notes(assessment, targets, more=base.notes if base else ())
    raise typer.Exit(
        output.exit_code(assessment, fail_on=options.fail_on(fail_on, settings), allow_incomplete=allow_incomplete)
    )


scan.__doc__ = f"{scan.__doc__}\n{_SCAN_EXAMPLES}"
app.command("scan")(scan)
app.command("redact")(redacting.redact)
app.command("lifecycle")(lifecycle.lifecycle)


def _mode(
    *,
    git: Path | None,
    since: str | None,
    range_: str | None,
    staged: bool,
    stdin: bool,
    log: list[str] | None,
    image: list[str] | None,
) -> "Mode":
    from auditor.pipeline.secrets import Mode  # noqa: PLC0415 - as above

    given = {
        "--git": (git is not None, Mode.HISTORY),
        "--since": (since is not None, Mode.RANGE),
        "--range": (range_ is not None, Mode.RANGE),
        "--staged": (staged, Mode.STAGED),
        "--stdin": (stdin, Mode.STREAM),
        "--log": (bool(log), Mode.LOG),
        "--image": (bool(image), Mode.IMAGE),
    }
    chosen = [(name, mode) for name, (there, mode) in given.items() if there]
    if len(chosen) > 1:
        names = " and ".join(name for name, _ in chosen)
        raise InputError(f"{names} exclude each other", hint="Run once for each.")
    return chosen[0][1] if chosen else Mode.FILES


_RULES_EXAMPLES = """
Examples:

  auditor secrets rules                          what is looked for

  auditor secrets rules github-token             one rule

  auditor secrets rules --rules detection/       with rules of your own, whose examples are run

Exit codes: 0, 1 an example of a rule of your own does not hold, 2 wrong use or a wrong file.
"""


def rules(
    show: Annotated[str | None, typer.Argument(metavar="[RULE]", help="Show one rule with its examples.")] = None,
    own: Annotated[
        list[Path] | None,
        typer.Option("--rules", help="Folder with detection rules of your own: their examples are run. Repeatable."),
    ] = None,
) -> None:
    """List what is looked for, or show one rule; try rules of your own."""
    from auditor.detection import rules as detection  # noqa: PLC0415 - as above

    library = detection.load(own or ())
    if show is None:
        for rule in sorted(library.rules.values(), key=lambda rule: (rule.tier, rule.id)):
            typer.echo(f"{rule.tier}  {rule.id:<32} {terminal.clean(rule.title)}{' (yours)' if rule.own else ''}")
    elif show not in library.rules:
        raise detection.unknown(show, library.rules)
    else:
        _shown(library.rules[show])
    if own:
        _tried(library)


rules.__doc__ = f"{rules.__doc__}\n{_RULES_EXAMPLES}"
app.command("rules")(rules)


def _shown(rule: "Rule") -> None:
    told = [
        f"{rule.id}: {rule.title}\n\ntier           {rule.tier}\ndocumentation  {rule.documentation}",
        f"pattern        {rule.pattern}" if rule.pattern else "pattern        a reader of structure, in code",
        f"\n{rule.remediation}\n",
        *(f"passed over: {example.why}" for example in rule.examples if not example.found),
    ]
    typer.echo(terminal.clean("\n".join(told)))


def _tried(library: "RuleSet") -> None:
    """Run the examples of the user's rules. Their texts are not repeated: they look like credentials."""
    from auditor.detection.tried import broken  # noqa: PLC0415 - only for rules of the user's
    from auditor.reports.figures import plural  # noqa: PLC0415 - as above

    mine = [rule for rule in library.rules.values() if rule.own]
    wrong = list(broken(library, mine))
    for rule, example in wrong:
        number = rule.examples.index(example) + 1
        fault = "is not found" if example.found else "is found"
        terminal.note(f"{rule.id}: example {number} {fault}; look at its pattern, heads and checksum")
    total = sum(len(rule.examples) for rule in mine)
    terminal.note(f"{total - len(wrong)} of {plural(total, 'example')} of {plural(len(mine), 'rule')} of your own hold")
    if wrong:
        raise typer.Exit(1)
