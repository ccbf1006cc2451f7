"""How a file is written, by its name: what stands in quotes there, and whether it speaks to people."""

import re
from functools import lru_cache

from auditor.patterns import compile_
from auditor.redaction.notation import Notation

_ENDINGS: dict[str, Notation] = {
    **dict.fromkeys(
        (
            "c", "cc", "cpp", "cs", "cxx", "dart", "ex", "exs", "go", "groovy", "h", "hpp", "java", "jl", "js", "jsx",
            "kt", "kts", "lua", "m", "mjs", "cjs", "mm", "php", "pl", "pm", "py", "r", "rb", "rs", "scala", "swift",
            "ts", "tsx", "vb", "vue", "svelte", "html", "htm", "jsp", "css", "scss", "less", "proto", "sum",
            "jsonnet", "libsonnet", "bicep", "cue", "rego", "gradle", "ipynb",
        ),
        Notation.CODE,
    ),
    **dict.fromkeys(("sh", "bash", "zsh", "ksh", "fish", "bat", "cmd", "ps1", "psm1", "mk"), Notation.SHELL),
    **dict.fromkeys(
        ("md", "mdx", "markdown", "rst", "adoc", "asciidoc", "asc", "org", "tex", "textile", "wiki"),
        Notation.PROSE,
    ),
    **dict.fromkeys(("tf", "tfvars", "hcl", "nomad", "pp"), Notation.HCL),
    **dict.fromkeys(
        (
            "yaml", "yml", "json", "json5", "jsonc", "jsonl", "ndjson", "toml", "ini", "cfg", "conf", "cnf", "config",
            "properties", "props", "env", "xml", "plist", "ldif", "service", "repo", "list", "tfstate", "kubeconfig",
            "netrc", "npmrc", "pypirc", "pgpass", "hosts", "inventory", "csv", "sql", "reg", "desktop", "nix",
        ),
        Notation.DATA,
    ),
}  # fmt: skip
_TEMPLATES = compile_(
    r"\.(?:tpl|tmpl|template|j2|jinja2?|erb|tftpl|gotmpl|mustache|hbs|in|dist|sample|example|bak|orig|old|default|save|swp|txt)\Z"
)
"""Ends of names before which the notation stands: `values.yaml.gotmpl`, `.env.example`, `my.cnf.j2`."""
_SHELL_NAMES = (
    "dockerfile",
    "containerfile",
    "makefile",
    "jenkinsfile",
    "gnumakefile",
    "procfile",
    "justfile",
    ".bash",
    ".zsh",
    ".profile",
    "entrypoint",
    "docker-entrypoint",
    "crontab",
)
_DATA_NAMES = (".env", "env.", "hosts", "inventory", "config", "credentials", "compose", "docker-compose")
_PROSE_NAMES = compile_(
    r"(?:readme|changelog|contributing|licen[cs]e|llms)(?![a-z]).*"
    r"|(?:changes|copying|install|notes|notice|news|todo|history)(?:[.\d_-]*)"
    # What stands in no file.
    r"|(?:commit|tag) message"
)
_PROSE_FOLDERS = compile_(r"(?:^|/)(?:docs?|documentation|manual|website)/(?:[^/]+/)*[^/]+\.txt\Z", re.IGNORECASE)
_DATA_FOLDERS = ("/group_vars/", "/host_vars/")
_CODE_NAMES = frozenset({"vagrantfile", "gemfile", "rakefile", "podfile", "tiltfile", "build", "workspace", "brewfile"})


@lru_cache(maxsize=1 << 14)
def notation_of(path: str) -> Notation:
    """Return the notation of the file `path`; `UNKNOWN` where its name does not tell."""
    name = path.rpartition("/")[2].lower()
    if name.startswith(_SHELL_NAMES):
        return Notation.SHELL
    bare = _TEMPLATES.sub("", _TEMPLATES.sub("", name))
    ending = bare.rpartition(".")[2] if "." in bare else ""
    if name.startswith((".env", "env.")) or ending in {"env", "envrc"}:
        return Notation.DATA
    found = _ENDINGS.get(ending)
    if found is not None:
        return found
    if bare in _CODE_NAMES:
        return Notation.CODE
    if name.startswith(_DATA_NAMES) or any(folder in f"/{path.lower()}" for folder in _DATA_FOLDERS):
        return Notation.DATA
    prose = _PROSE_NAMES.fullmatch(bare) is not None or _PROSE_FOLDERS.search(path) is not None
    return Notation.PROSE if prose else Notation.UNKNOWN


_INTERPRETER = compile_(rb"#![ \t]*\S*?(?:/env[ \t]+(?:-\S+[ \t]+)*)?([a-z]+)[\d.]*(?:[ \t\r\n]|\Z)")
_SHELLS = frozenset({b"sh", b"bash", b"dash", b"ash", b"zsh", b"ksh", b"fish", b"expect", b"make"})


def notation_by_head(content: bytes) -> Notation:
    """Return the notation of a file whose name does not tell, by the program that its first line names."""
    match = _INTERPRETER.match(content) if content.startswith(b"#!") else None
    if match is None:
        return Notation.UNKNOWN
    return Notation.SHELL if match[1] in _SHELLS else Notation.CODE


_LOCKS = frozenset(
    {
        "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "composer.lock", "cargo.lock",
        "poetry.lock", "uv.lock", "pipfile.lock", "gemfile.lock", "go.sum", "go.mod", "bun.lock", "deno.lock",
        ".terraform.lock.hcl", "pubspec.lock", "podfile.lock", "packages.lock.json", "flake.lock",
    }
)  # fmt: skip


@lru_cache(maxsize=1 << 14)
def locked(path: str) -> bool:
    """Return whether the file `path` lists packages with their versions and sums, where every name is a package."""
    return path.rpartition("/")[2].lower() in _LOCKS


_TESTS = compile_(
    r"(?:^|/)(?:tests?|__tests__|testdata|spec|specs|fixtures|mocks?|__mocks__|__snapshots__|testutils?|testing)/|_test\.\w+\Z|"
    r"(?:^|/)test_[^/]*\Z|[^/]Tests?\.\w+\Z|[._-](?:spec|test)\.\w+\Z|[a-z]IT\.java\Z|src/(?:test|it|integrationTest)/"
)


@lru_cache(maxsize=1 << 14)
def tests(path: str) -> bool:
    """Return whether the file `path` belongs to the tests of a program."""
    return _TESTS.search(path) is not None


_SAMPLES = compile_(r"(?i)(?:^|[._-])(?:examples?|samples?|template|tmpl|dist|default)(?:[._-]|\Z)")


@lru_cache(maxsize=1 << 14)
def sample(path: str) -> bool:
    """Return whether the file `path` is one to copy and to fill in: `.env.example`, `settings.sample.yaml`."""
    return _SAMPLES.search(path.rpartition("/")[2]) is not None


_LANGUAGES = compile_(
    r"(?:^|/)(?:locales?|langs?|languages?|i18n|l10n|translations?|intl)/|(?:^|/)(?:locale|lang|messages|strings|translations?)"
    r"[._-][a-z]{2}(?:[_-][A-Za-z]{2,4})?\.\w+\Z|\.(?:po|pot|arb|resx|xlf|xliff|strings)\Z"
)


@lru_cache(maxsize=1 << 14)
def translates(path: str) -> bool:
    """Return whether the file `path` holds the words of a program in some language: `"password": "Senha"`."""
    return _LANGUAGES.search(path) is not None
