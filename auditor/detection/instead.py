"""What to write instead of a credential, in the notation of the file that holds it. Pure text, no value in it."""

import re
from collections.abc import Callable
from typing import NamedTuple

from auditor.detection.cards import CARD_NUMBER
from auditor.detection.files import notation_of
from auditor.patterns import compile_
from auditor.redaction.notation import Notation


class Instead(NamedTuple):
    """One way to do without the value."""

    where: str
    """What kind of file it is, as in "in a Dockerfile"."""
    snippet: str
    """A few lines, ready to be adapted."""


_MESSAGES = frozenset({"commit message", "tag message"})
_WORDS = compile_(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PLAIN = compile_(r"[\w.][\w./-]{0,200}", re.ASCII)
_CI = compile_(r"(?:^|/)(?:\.github/(?:workflows|actions)/[^/]+|(?:.*/)?action)\.ya?ml\Z")
_GITLAB = compile_(r"(?:^|/)\.?gitlab-ci(?:[.\-][^/]*)?\.ya?ml\Z|(?:^|/)\.gitlab/.*\.ya?ml\Z")
_OTHER_CI = compile_(
    r"(?:^|/)(?:azure-pipelines[^/]*\.ya?ml|bitbucket-pipelines\.ya?ml|\.circleci/config\.ya?ml|\.drone\.ya?ml"
    r"|\.travis\.ya?ml|\.woodpecker[^/]*(?:/[^/]+)?\.ya?ml|\.buildkite/[^/]+\.ya?ml|cloudbuild[^/]*\.ya?ml)\Z"
)
_COMPOSE = compile_(r"(?:^|/)(?:docker-)?compose[^/]*\.ya?ml\Z|(?:^|/)(?:docker-)?stack[^/]*\.ya?ml\Z")
_DOCKERFILE = compile_(r"(?:^|/)(?:[^/]*\.)?(?:Dockerfile|Containerfile)(?:\.[^/]*)?\Z", re.IGNORECASE)
_JENKINSFILE = compile_(r"(?:^|/)Jenkinsfile[^/]*\Z|\.jenkinsfile\Z")
_DOTENV = compile_(r"(?:^|/)(?:\.env[^/]*|[^/]+\.env|\.envrc)\Z")
_VALUES = compile_(r"(?:^|/)values[^/]*\.ya?ml\Z|(?:^|/)[^/]*values\.ya?ml\Z")
_KEY_FILE = compile_(r"\.(?:pem|key|p8|pkcs8|ppk|asc|ovpn)\Z|(?:^|/)id_(?:rsa|dsa|ecdsa|ed25519)\Z")
_OF_SECRET = compile_(rb"^[\"' \t{-]*kind[\"']?[ \t]*:[ \t]*[\"']?Secret\b", re.MULTILINE)
_CODE = {
    "py": '{name} = os.environ["{name}"]  # or: Path("/run/secrets/{slug}").read_text().strip()',
    "js": "const {camel} = process.env.{name};",
    "go": '{camel} := os.Getenv("{name}")',
    "java": 'String {camel} = System.getenv("{name}");',
    "kt": 'val {camel} = System.getenv("{name}")',
    "cs": 'var {camel} = Environment.GetEnvironmentVariable("{name}");',
    "rb": '{slug_} = ENV.fetch("{name}")',
    "php": "${camel} = getenv('{name}');",
    "rs": 'let {slug_} = std::env::var("{name}")?;',
    "sh": ': "${{{name}:?set it in the environment, or read it: {name}=$(cat /run/secrets/{slug})}}"',
}
_LIKE = {
    "pyw": "py", "ipynb": "py", "mjs": "js", "cjs": "js", "jsx": "js", "ts": "js", "tsx": "js", "vue": "js",
    "scala": "java", "groovy": "java", "kts": "kt", "gradle": "java", "bash": "sh", "zsh": "sh", "ksh": "sh",
}  # fmt: skip


class _File(NamedTuple):
    """What is known of the file that holds a credential."""

    path: str
    rule: str
    content: bytes
    """Its beginning: a manifest is told by what it says of itself."""


def instead(path: str, *, key: str, rule: str, content: bytes) -> Instead:
    """Return what to write in the file `path` instead of the value under the name `key`.

    `rule` names it where it has no name; `content` is the beginning of the file.
    """
    if rule == CARD_NUMBER:
        return _CARD
    if path in _MESSAGES:
        return _MESSAGE
    file = _File(path, rule, content)
    # Other names could do something else in the shell into which somebody pastes a command.
    names = {**_names(key or rule), "file": path if _PLAIN.fullmatch(path) else "FILE"}
    for where, matches, snippet in _KINDS:
        if matches(file):
            return Instead(where, snippet.format_map(names))
    ending = path.rpartition(".")[2].lower()
    program = _CODE.get(_LIKE.get(ending, ending)) or (_CODE["sh"] if notation_of(path) is Notation.SHELL else "")
    where, snippet = ("in a program", program) if program else _GENERAL[notation_of(path)]
    return Instead(where, snippet.format_map(names))


def _names(key: str) -> dict[str, str]:
    """Return the name as each notation writes it; never longer than a name should be."""
    words = [word.lower() for word in _WORDS.findall(key)][-6:] or ["credential"]
    return {
        "name": "_".join(words).upper(),
        "slug": "-".join(words),
        "slug_": "_".join(words),
        "camel": words[0] + "".join(word.capitalize() for word in words[1:]),
    }


_MESSAGE = Instead(
    "for the message of a commit or a tag",
    "git commit --amend            # the last commit\n"
    "git rebase -i COMMIT~1        # an earlier one: write `reword` before it\n"
    "git tag -f -a NAME            # a tag",
)
_CARD = Instead(
    "for a card number",
    "Keep the token that the payment service gives for it, and show at most its last four digits.\n"
    "For tests there are numbers that belong to nobody: the payment service publishes them.",
)
_MANIFEST = """\
env:
  - name: {name}
    valueFrom:
      secretKeyRef: {{name: my-app, key: {slug}}}
# Better still: mount the Secret as a file, and let an external store fill it (External Secrets, the CSI driver)."""
_EXTERNAL = """\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {{name: my-app}}
spec:
  secretStoreRef: {{name: my-store, kind: SecretStore}}
  target: {{name: my-app}}
  data:
    - secretKey: {slug}
      remoteRef: {{key: my-app, property: {slug}}}
# Or encrypted in the repository: SealedSecret, SOPS."""
_HELM = """\
existingSecret: my-app          # a Secret that something else makes; templates refer to it:
existingSecretKey: {slug}
#   valueFrom: {{secretKeyRef: {{name: {{{{ .Values.existingSecret }}}}, key: {{{{ .Values.existingSecretKey }}}}}}}}"""
_TERRAFORM = """\
variable "{slug_}" {{
  type      = string
  sensitive = true   # given by TF_VAR_{slug_}, never by a default
}}
# Or from the store, when it is applied:
data "vault_kv_secret_v2" "my_app" {{
  mount = "secret"
  name  = "my-app"
}}
# {slug_} = data.vault_kv_secret_v2.my_app.data["{slug_}"]"""
_TFVARS = """\
# Leave {slug_} out of {file} and give it when it is applied:
export TF_VAR_{slug_}="$(vault kv get -field={slug_} secret/my-app)"
# In the configuration: variable "{slug_}" {{ sensitive = true }}"""
_COMPOSE_FILE = """\
services:
  my-app:
    environment: {{{name}_FILE: /run/secrets/{slug_}}}
    secrets: [{slug_}]
secrets:
  {slug_}:
    environment: {name}   # or: file: ./secrets/{slug_}, which .gitignore names"""
_ENVIRONMENT = """\
git rm --cached {file} && echo '{file}' >> .gitignore    # keep a {file}.example with empty values
# For a team: op://, vault or `sops exec-env` fill it when the program starts, as in
{name}=$(vault kv get -field={slug_} secret/my-app)"""
_BUILD = """\
# For the build alone: the value is in no layer (docker build --secret id={slug},env={name}).
RUN --mount=type=secret,id={slug} {name}="$(cat /run/secrets/{slug})" ./fetch-dependencies
# For the running program: leave it out of the image, and mount a Secret."""
_ACTIONS = """\
env:
  {name}: ${{{{ secrets.{name} }}}}
# For a cloud: no stored key at all, but an identity (permissions: id-token: write)."""
_GITLAB_JOB = """\
# {name}: a masked, protected variable of the project (Settings > CI/CD > Variables), used as ${name};
# or from the store, without any stored credential:
id_tokens:
  VAULT_ID_TOKEN: {{aud: https://vault.example.com}}
secrets:
  {name}: {{vault: my-app/{slug_}@secret}}"""
_JENKINS = """\
withCredentials([string(credentialsId: '{slug}', variable: '{name}')]) {{
  sh './deploy'   // reads ${name}; single quotes, so that Groovy does not write it into the log
}}"""
_PIPELINE = """\
# Keep {name} as a secret variable of the pipeline's settings, and refer to it by name: ${name}"""
_SETTINGS = """\
{name}=${{{name}}}      # filled from the environment when the program starts, or read from a mounted file:
{name}_FILE=/run/secrets/{slug}"""
_PROGRAM = """\
Read {name} from the environment, or from a file such as /run/secrets/{slug}."""
_KEY = """\
Keep the key in the store and mount it where it is used (/run/secrets/{slug}); in Kubernetes let cert-manager make it.
git rm --cached FILE && echo FILE >> .gitignore"""


def _named(pattern: re.Pattern[str]) -> Callable[[_File], bool]:
    return lambda file: pattern.search(file.path) is not None


_KINDS: tuple[tuple[str, Callable[[_File], bool], str], ...] = (
    ("beside the repository", lambda file: file.rule == "private-key" or _KEY_FILE.search(file.path) is not None, _KEY),
    ("in a Dockerfile", _named(_DOCKERFILE), _BUILD),
    ("in a workflow of GitHub Actions", _named(_CI), _ACTIONS),
    ("in a GitLab pipeline", _named(_GITLAB), _GITLAB_JOB),
    ("in a Jenkinsfile", _named(_JENKINSFILE), _JENKINS),
    ("in a pipeline", _named(_OTHER_CI), _PIPELINE),
    ("in a Compose file", _named(_COMPOSE), _COMPOSE_FILE),
    ("for a file of environment variables", _named(_DOTENV), _ENVIRONMENT),
    ("for values of Terraform", lambda file: file.path.endswith((".tfvars", ".tfvars.json")), _TFVARS),
    ("in Terraform", lambda file: file.path.endswith((".tf", ".tofu", ".hcl")), _TERRAFORM),
    ("in place of a Secret with its values", lambda file: _OF_SECRET.search(file.content) is not None, _EXTERNAL),
    ("in a Kubernetes manifest", lambda file: b"apiVersion" in file.content, _MANIFEST),
    ("in the values of a Helm chart", _named(_VALUES), _HELM),
)
"""The first that matches holds."""
_GENERAL = {
    Notation.SHELL: ("in a script", _CODE["sh"]),
    Notation.CODE: ("in a program", _PROGRAM),
    Notation.PROSE: ("in a text", "Write where the value is kept and who may read it, not the value."),
    Notation.DATA: ("in a file of settings", _SETTINGS),
    Notation.HCL: ("in a file of settings", _SETTINGS),
    Notation.UNKNOWN: ("in a file of settings", _SETTINGS),
}
