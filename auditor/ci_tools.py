"""What steps of CI pipelines mean, as the table `policies/ci-tools.yaml` says it. Nothing is judged here.

The table is read when the first CI definition is looked at.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from auditor import data
from auditor.model.record import field, record

_NEVER = re.compile(r"(?!)")


@record
class Scanner:
    """One way to look for secrets in a pipeline. Patterns that the table does not set match nothing."""

    name: str
    actions: frozenset[str] = frozenset()
    command: re.Pattern[str] = _NEVER
    tasks: frozenset[str] = frozenset()
    templates: tuple[str, ...] = ()
    hooks: Mapping[str, str] = field(default_factory=dict)
    """Hook of the pre-commit framework to `files` or `staged`."""
    fails_with: re.Pattern[str] | None = None
    ignores: re.Pattern[str] = _NEVER
    inputs_with: re.Pattern[str] | None = None
    inputs_without: re.Pattern[str] = _NEVER
    inputs_fail_with: re.Pattern[str] | None = None
    sure_with: re.Pattern[str] | None = None
    reports_only: str = ""
    """Why it never fails, whatever it finds; empty where it can."""


@record
class LoginAction:
    """An action that logs in to a provider. Inputs are names, or `name=value`."""

    provider: str
    oidc: tuple[str, ...]
    static: tuple[str, ...]
    unless: tuple[str, ...]
    identity: tuple[str, ...]


@record
class LoginCommand:
    """A command that exchanges the job's own token at a provider."""

    command: re.Pattern[str]
    provider: str
    identity: re.Pattern[str]


@record
class Issuer:
    """Who signs the tokens of CI jobs."""

    name: str
    host: re.Pattern[str]
    claims: str
    """How its subject is built: `github`, `gitlab` or `other`."""
    shared: bool
    """Whether the jobs of everybody have tokens of it."""


@record
class CiTools:
    """The table."""

    scanners: tuple[Scanner, ...]
    hook_actions: frozenset[str]
    hook_command: re.Pattern[str]
    """Its group `arguments` is what follows `run`."""
    hints: re.Pattern[str]
    login_actions: Mapping[str, LoginAction]
    login_commands: tuple[LoginCommand, ...]
    static_variables: Mapping[str, str]
    """Variable to provider."""
    oidc_variables: Mapping[str, str]
    """`NAME=value` to provider."""
    deploy_names: re.Pattern[str]
    deploy_actions: frozenset[str]
    deploy_command: re.Pattern[str]
    not_environments: frozenset[str]
    open_events: frozenset[str]
    foreign_refs: re.Pattern[str]
    foreign_commands: re.Pattern[str]
    foreign_text: re.Pattern[str]
    issuers: tuple[Issuer, ...]

    def scanners_of_action(self, action: str) -> Iterator[Scanner]:
        """Yield what an action (`owner/name`, without its version) runs."""
        return (scanner for scanner in self.scanners if action in scanner.actions)

    def scanners_of_hook(self, hook: str) -> Iterator[tuple[Scanner, str]]:
        """Yield what a hook runs, each with what it looks at: `files` or `staged`."""
        return ((scanner, scanner.hooks[hook]) for scanner in self.scanners if hook in scanner.hooks)

    def scanner_of_template(self, template: str) -> Scanner | None:
        """Return what a GitLab template or component runs, by its path, `None` where that is no scan."""
        name = template.partition("@")[0].rpartition("/")[2]
        return next((scanner for scanner in self.scanners if name in scanner.templates), None)

    def issuer(self, url: str) -> Issuer | None:
        """Return whose CI jobs have tokens of the issuer at `url` (with or without a scheme), `None` for no CI."""
        host = url.partition("://")[2] or url
        return next((issuer for issuer in self.issuers if issuer.host.search(host)), None)


@cache
def load() -> CiTools:
    """Return the table that ships with the program."""
    import yaml_rs  # noqa: PLC0415 - start-up: only where a CI definition is met

    content: Any = yaml_rs.loads((data.policies() / "ci-tools.yaml").read_text(encoding="utf-8"))
    return parse(content)


def parse(raw: Mapping[str, Any]) -> CiTools:
    """Return the table that `raw` describes. Raises `KeyError`, `TypeError` or `re.error` for one that is none."""
    runners, deploys, foreign = raw["hook_runners"], raw["deploys"], raw["foreign_code"]
    return CiTools(
        scanners=tuple(_scanner(entry) for entry in raw["scanners"]),
        hook_actions=frozenset(runners["actions"]),
        hook_command=re.compile(runners["command"]),
        hints=re.compile(raw["hints"].strip()),
        login_actions={entry["action"]: _login_action(entry) for entry in raw["logins"]},
        login_commands=tuple(
            LoginCommand(
                command=re.compile(entry["command"]),
                provider=entry["provider"],
                identity=re.compile(entry["identity"]),
            )
            for entry in raw["login_commands"]
        ),
        static_variables=raw["login_variables"]["static"],
        oidc_variables=raw["login_variables"]["oidc"],
        deploy_names=re.compile(deploys["names"]),
        deploy_actions=frozenset(deploys["actions"]),
        deploy_command=re.compile(deploys["command"]),
        not_environments=frozenset(deploys["not_environments"]),
        open_events=frozenset(raw["open_events"]),
        foreign_refs=re.compile(foreign["checkout_refs"]),
        foreign_commands=re.compile(foreign["commands"]),
        foreign_text=re.compile(foreign["text"]),
        issuers=tuple(
            Issuer(name=entry["name"], host=re.compile(entry["host"]), claims=entry["claims"], shared=entry["shared"])
            for entry in raw["issuers"]
        ),
    )


_PATTERNS = (
    "command", "ignores", "fails_with", "inputs_with", "inputs_without", "inputs_fail_with", "sure_with",
)  # fmt: skip


def _scanner(raw: Mapping[str, Any]) -> Scanner:
    patterns = {key: re.compile(raw[key], re.MULTILINE) for key in _PATTERNS if key in raw}
    rest = {key: value for key, value in raw.items() if key not in _PATTERNS}
    for key in ("actions", "tasks"):
        rest[key] = frozenset(rest.get(key, ()))
    return Scanner(**{**rest, "templates": tuple(rest.get("templates", ())), **patterns})


def _login_action(raw: Mapping[str, Any]) -> LoginAction:
    names = {key: tuple(raw.get(key, ())) for key in ("oidc", "static", "unless", "identity")}
    return LoginAction(provider=raw["provider"], **names)
