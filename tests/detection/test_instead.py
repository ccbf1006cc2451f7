"""Advice: one for each kind of file, and never one that is a credential itself."""

import re

import pytest

from auditor.detection import instead, rules
from auditor.detection.engine import Engine

ENGINE = Engine(rules.load().of_tier(2), fingerprint=lambda value: value)
MANIFEST = b"apiVersion: v1\nkind: Pod\n"
SECRET = b"apiVersion: v1\nkind: Secret\nstringData: {}\n"


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("k8s/web.yaml", MANIFEST, "secretKeyRef: {name: my-app, key: db-password}"),
        ("k8s/secret.yaml", SECRET, "kind: ExternalSecret"),
        ("charts/web/values-prod.yaml", b"db:\n", "existingSecretKey: db-password"),
        ("main.tf", b"", "sensitive = true"),
        ("prod.tfvars", b"", 'TF_VAR_db_password="$('),
        ("docker-compose.override.yml", b"services:\n", "DB_PASSWORD_FILE: /run/secrets/db_password"),
        ("compose.yaml", b"services:\n", "DB_PASSWORD_FILE: /run/secrets/db_password"),
        ("web/.env.local", b"", "git rm --cached web/.env.local && echo 'web/.env.local' >> .gitignore"),
        ("build/web.Dockerfile", b"FROM x\n", "--mount=type=secret,id=db-password"),
        ("Containerfile", b"FROM x\n", "--mount=type=secret,id=db-password"),
        (".github/workflows/ci.yml", b"on: push\n", "DB_PASSWORD: ${{ secrets.DB_PASSWORD }}"),
        (".gitlab-ci.yml", b"", "DB_PASSWORD: {vault: my-app/db_password@secret}"),
        ("Jenkinsfile", b"", "credentialsId: 'db-password'"),
        (".circleci/config.yml", b"", "secret variable of the pipeline's settings"),
        ("app/settings.py", b"", 'os.environ["DB_PASSWORD"]'),
        ("web/app.tsx", b"", "const dbPassword = process.env.DB_PASSWORD;"),
        ("cmd/main.go", b"", 'dbPassword := os.Getenv("DB_PASSWORD")'),
        ("src/App.java", b"", 'System.getenv("DB_PASSWORD")'),
        ("run.sh", b"", "${DB_PASSWORD:?"),
        ("Makefile", b"", "${DB_PASSWORD:?"),
        ("lib/x.dart", b"", "Read DB_PASSWORD from the environment"),
        ("app.properties", b"", "DB_PASSWORD_FILE=/run/secrets/db-password"),
        ("README.md", b"", "Write where the value is kept"),
        ("tls/server.key", b"", "cert-manager"),
        ("no-ending", b"", "DB_PASSWORD=${DB_PASSWORD}"),
    ],
)
def test_each_kind_of_file_has_its_own_advice_and_none_holds_a_credential(
    path: str, content: bytes, expected: str
) -> None:
    found = instead.instead(path, key="dbPassword", rule="named-credential", content=content)
    assert expected in found.snippet
    assert re.match(r"(?:in|for|beside) ", found.where)
    assert ENGINE.scan(found.snippet.encode(), path=path) == []


def test_a_private_key_is_kept_out_wherever_it_stands() -> None:
    assert "cert-manager" in instead.instead("a.yaml", key="", rule="private-key", content=MANIFEST).snippet


@pytest.mark.parametrize("path", ["x'; rm -rf ~; '.env", "-rf.env", "$(id).env", "a b.env", "a\n.env"])
def test_a_name_that_would_run_something_is_not_part_of_a_command(path: str) -> None:
    """Somebody pastes the line; whoever named the file may have counted on it."""
    found = instead.instead(path, key="", rule="jwt", content=b"")
    assert "git rm --cached FILE && echo 'FILE'" in found.snippet
    assert path not in found.snippet


@pytest.mark.parametrize("key", ["", "pässwort", "{0}", "a" * 5000, "%s", "x.y-z_A9"])
def test_any_name_gives_a_name(key: str) -> None:
    for path in ("a.yaml", "a.tf", "a.py", "values.yaml"):
        assert instead.instead(path, key=key, rule="jwt", content=MANIFEST).snippet


def test_nobody_reads_a_card_number_from_the_environment() -> None:
    found = instead.instead("app/settings.py", key="", rule="card-number", content=b"")
    assert found.where == "for a card number"
    assert "environ" not in found.snippet
