"""Law 1: no secret value is ever in any output, log or error, in no form that it can be read back from."""

import base64
import json
import urllib.parse
from pathlib import Path

import pytest

from auditor.reports import REPORTS
from tests.e2e.program import auditor

# Strong, weak, and with characters that every format escapes in its own way.
CANARIES = {
    "env": 'Zq7"canary\\env<0>&x',
    "argument": "canary-argument-51",
    "annotation": "canary/annotation+52==",
    "config": "canary config 53 ü",
    "file": "canary-file-54",
    "secret": "canary-secret-55",
    "string": "canary|string`56",
    "url": "canary-url-57",
    "values": "canary-values-58",
    "generator": "canary-generator-59",
    "image": "canary-image-60",
    "probe": "canary-probe-61",
    "applied": "canary-applied-62",
    "key": base64.b64encode(b"canary-key-63-of-32-bytes-long!!").decode(),
    "custom": "canary-custom-64",
    "weak": "tr0ut9",
    "json in the environment": "canary-json-66",
    "base64 of JSON": "canary-encoded-67",
    "registry": "canary-registry-68",
    "registry auth": "canary-auth-69",
    "URL-encoded": "canary/encoded 70",
    "property": "canary-property-71",
    "header": "canary-header-72",
    "connection string": "canary-connection-73",
    "shell": "canary-shell-74",
    "JSON in JSON": "canary-nested-75",
    "YAML in a string": "canary-yaml-76",
    "XML": "canary-xml-77",
    "npm": "canary-npm-78",
    "script": "canary-script-79",
    "kubeconfig": "canary-kubeconfig-80",
    "template of an external secret": "canary-template-81",
    "keystore": "canary-keystore-82",
    "binary data": "canary-binary-83",
    "failing chart": "canary-fail-84",
    "chart that is no YAML": "canary-rendered-85",
    "chart that quotes": "canary-include-86",
    "kustomize patch": "canary-patch-87",
    "set": "canary-set-88",
}


def _estate(folder: Path) -> None:
    applied = {"apiVersion": "v1", "kind": "Secret", "data": {"p": _b64(CANARIES["applied"])}}
    objects = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": "web",
                "namespace": "shop",
                "annotations": {"example.com/api-token": CANARIES["annotation"]},
            },
            "spec": {
                "containers": [
                    {
                        "name": "web",
                        "image": "web:1",
                        "args": [f"--admin-password={CANARIES['argument']}"],
                        "env": [
                            {"name": "DB_PASSWORD", "value": CANARIES["env"]},
                            {"name": "ADMIN_PASSWORD", "value": CANARIES["weak"]},
                            {"name": "DATABASE_URL", "value": f"postgres://app:{CANARIES['url']}@db/app"},
                        ],
                        "livenessProbe": {
                            "httpGet": {
                                "port": 80,
                                "httpHeaders": [{"name": "X-Api-Token", "value": CANARIES["probe"]}],
                            }
                        },
                    }
                ]
            },
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "c", "namespace": "shop"},
            "data": {
                "PASSWORD": CANARIES["config"],
                "application.properties": f"a=1\nspring.datasource.password={CANARIES['file']}\n",
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": "s",
                "namespace": "shop",
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(applied)},
            },
            "data": {"password": _b64(CANARIES["secret"])},
            "stringData": {"passphrase": CANARIES["string"]},
        },
        {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "EncryptionConfiguration",
            "resources": [
                {
                    "resources": ["secrets"],
                    "providers": [{"aescbc": {"keys": [{"name": "k", "secret": CANARIES["key"]}]}}],
                }
            ],
        },
        {
            "apiVersion": "example.com/v1",
            "kind": "Database",
            "metadata": {"name": "d", "namespace": "shop"},
            "spec": {"adminPassword": CANARIES["custom"]},
        },
    ]
    objects += _further()
    (folder / "all.json").write_text("\n".join(json.dumps(entry) for entry in objects))
    (folder / "Dockerfile").write_text(f"FROM scratch\nENV API_TOKEN={CANARIES['image']}\n")
    kustomize = folder / "overlay"
    kustomize.mkdir()
    (kustomize / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        f"secretGenerator: [{{name: g, literals: ['password={CANARIES['generator']}']}}]\n"
    )
    chart = folder / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: chart\nversion: 0.1.0\n")
    (chart / "values.yaml").write_text(f"database:\n  password: {CANARIES['values']}\n")
    (chart / "templates" / "broken.yaml").write_text('{{ fail (printf "no %s" .Values.database.password) }}\n')
    # Faults beside the values: error texts quote what stands around them.
    (folder / "broken.yaml").write_text(f"apiVersion: v1\nkind: Pod\nx: [{CANARIES['weak']}\ny: }}\n")
    (folder / "twice.yaml").write_text(f"apiVersion: v1\nkind: Pod\npassword: {CANARIES['weak']}\npassword: b\n")


def _further() -> list[dict[str, object]]:
    """Return objects whose values hide one level deeper: encoded, or inside another format."""
    docker = {
        "auths": {
            "registry.example": {
                "password": CANARIES["registry"],
                "auth": _b64(f"ada:{CANARIES['registry auth']}"),
            }
        }
    }
    encoded = urllib.parse.quote(CANARIES["URL-encoded"], safe="")
    env = {
        "APP_CONFIG": json.dumps({"db": {"password": CANARIES["json in the environment"]}}),
        "APP_CONFIG_BASE64": _b64(json.dumps({"password": CANARIES["base64 of JSON"]})),
        "BROKER_URL": f"amqp://app:{encoded}@broker/",
        "JAVA_OPTS": f"-Da=1 -Djavax.net.ssl.keyStorePassword={CANARIES['property']} -Db",
        "HEADERS": f"Authorization: Bearer {CANARIES['header']}",
        "CONNECTION": f"Server=db;User Id=sa;Password={CANARIES['connection string']};",
    }
    metadata = {"name": "further", "namespace": "shop"}
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata,
            "spec": {
                "containers": [
                    {
                        "name": "c",
                        "command": ["sh", "-c", f"PGPASSWORD={CANARIES['shell']} psql"],
                        "env": [{"name": name, "value": value} for name, value in env.items()],
                    }
                ]
            },
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {
                "settings.json": json.dumps({"a": json.dumps({"password": CANARIES["JSON in JSON"]})}),
                "app.yaml": f"db:\n  password: {CANARIES['YAML in a string']}\n",
                "web.xml": f"<p><password>{CANARIES['XML']}</password></p>",
                ".npmrc": f"//registry.example/:_authToken={CANARIES['npm']}\n",
                "run.sh": f"export API_TOKEN='{CANARIES['script']}'\n",
            },
            "binaryData": {"k.json": _b64(json.dumps({"password": CANARIES["binary data"]}))},
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "type": "kubernetes.io/dockerconfigjson",
            "data": {".dockerconfigjson": _b64(json.dumps(docker))},
        },
        {
            "apiVersion": "v1",
            "kind": "Config",
            "users": [{"name": "ada", "user": {"token": CANARIES["kubeconfig"]}}],
        },
        {
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "metadata": metadata,
            "spec": {
                "target": {"template": {"data": {"password": CANARIES["template of an external secret"]}}},
            },
        },
        {
            "apiVersion": "cert-manager.io/v1",
            "kind": "Certificate",
            "metadata": metadata,
            "spec": {"secretName": "x", "keystores": {"jks": {"create": True, "password": CANARIES["keystore"]}}},
        },
    ]


def _failing_charts(folder: Path) -> None:
    """Write charts and an overlay whose tools quote a value when they fail."""
    templates = {
        "failing chart": "{{ fail .Values.database.password }}",
        "chart that is no YAML": "password: {{ .Values.database.password }} : [",
        "chart that quotes": "{{ include .Values.database.password . }}",
    }
    for name, template in templates.items():
        chart = folder / name.replace(" ", "-")
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 0.1.0\n")
        (chart / "values.yaml").write_text(f"database: {{password: {CANARIES[name]}}}\n")
        (chart / "templates" / "x.yaml").write_text(template)
    overlay = folder / "failing-overlay"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(
        f'patches: [{{patch: "password: {CANARIES["kustomize patch"]}\\n bad: [", target: {{kind: Pod}}}}]\n'
    )


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _forms(value: str) -> set[str]:
    """Every form in which a reader could get the value back."""
    return {
        value,
        _b64(value),
        urllib.parse.quote(value, safe=""),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
    }


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Everything that a scan of the planted estate says, by where it says it."""
    folder = tmp_path_factory.mktemp("canary")
    _estate(folder)
    _failing_charts(folder)
    reports = folder.parent / "reports"
    reports.mkdir(exist_ok=True)
    arguments = ["scan", ".", "--all", "--debug", "--set", f"adminPassword={CANARIES['set']}"]
    for format_ in REPORTS:
        arguments += ["--report", f"{format_}={reports / format_}"]
    done = auditor(*arguments, cwd=folder)
    assert done.code == 1, done.err
    found = {format_: (reports / format_).read_bytes() for format_ in REPORTS}
    return found | {"standard output": done.out.encode(), "standard error": done.err.encode()}


@pytest.mark.parametrize("planted", CANARIES)
def test_no_planted_value_is_in_any_output(outputs: dict[str, bytes], planted: str) -> None:
    leaks = [
        where for where, content in outputs.items() for form in _forms(CANARIES[planted]) if form.encode() in content
    ]
    assert leaks == []


def test_the_planted_values_were_met_and_not_just_skipped(outputs: dict[str, bytes]) -> None:
    """A scan that read nothing would leak nothing, too."""
    failing = {finding["policy_id"] for finding in json.loads(outputs["json"])["findings"]}
    assert {"K-SEC-01", "K-SEC-03", "K-SEC-04", "K-SEC-05", "K-SEC-06", "K-SEC-07", "K-ENC-02"} <= failing


def test_a_pdf_holds_no_planted_value_in_its_text(outputs: dict[str, bytes], tmp_path: Path) -> None:
    from pypdf import PdfReader

    file = tmp_path / "audit.pdf"
    file.write_bytes(outputs["pdf"])
    text = "".join(page.extract_text() for page in PdfReader(file).pages)
    assert [name for name, value in CANARIES.items() if value in text] == []


def test_an_internal_error_tells_no_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last resort is tested with a fault that only a patched program shows."""
    import auditor.cli.main as cli
    from auditor.pipeline import scan as pipeline

    (tmp_path / "x.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: []}\n")

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"cannot handle {CANARIES['weak']}")

    monkeypatch.setattr(pipeline, "_judge", broken)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        cli.run(["scan", "x.yaml", "--debug"])
    assert stop.value.code == 4


def test_an_internal_error_prints_no_text_of_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    test_an_internal_error_tells_no_value(tmp_path, monkeypatch)
    captured = capsys.readouterr()
    assert "internal error: RuntimeError" in captured.err
    assert CANARIES["weak"] not in captured.err + captured.out


FILES_OF_THE_USERS = {
    "a configuration that is no YAML": ("auditor.yaml", "password: {canary}: x\n", ["scan", "p.yaml"]),
    "a value of the configuration": ("auditor.yaml", "fail-on: {canary}\n", ["scan", "p.yaml"]),
    "a form of the configuration": ("auditor.yaml", "tags: ['password={canary}']\n", ["scan", "p.yaml"]),
    "a threshold": (
        "auditor.yaml",
        "parameters: {{K-SEC-15: {{nope: {{value: {canary}, reference: x}}}}}}\n",
        ["scan", "p.yaml"],
    ),
    "a waiver": (
        "w.yaml",
        "waivers: [{{policy: K-SEC-01, reason: {canary}, password: {canary}}}]\n",
        ["scan", "p.yaml", "--waivers", "w.yaml"],
    ),
    "an assessment": ("s.json", '{{"password": "{canary}",}}', ["report", "s.json"]),
    "a baseline": ("s.json", '{{"password": "{canary}",}}', ["scan", "p.yaml", "--baseline", "s.json"]),
    "values": ("v.yaml", "password: {canary}: x\n", ["scan", "chart", "--values", "v.yaml"]),
    "a policy": (
        "rules/x.yaml",
        "id: ACME-01\nexpression: object.password == '{canary}' && nope(\n",
        ["scan", "p.yaml", "--policy", "rules"],
    ),
    "a policy that is linted": (
        "rules/x.yaml",
        "id: ACME-01\npassword: {canary}: [\n",
        ["policy", "lint", "rules/x.yaml"],
    ),
}


@pytest.mark.parametrize("case", FILES_OF_THE_USERS)
def test_an_error_about_a_users_own_file_quotes_no_value(tmp_path: Path, case: str) -> None:
    name, text, arguments = FILES_OF_THE_USERS[case]
    (tmp_path / "p.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: []}\n")
    (tmp_path / "chart/templates").mkdir(parents=True)
    (tmp_path / "chart/Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 0.1.0\n")
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text.format(canary=CANARIES["weak"]))
    done = auditor(*arguments, "--debug", cwd=tmp_path)
    assert done.code in {1, 2, 3}
    assert CANARIES["weak"] not in done.out + done.err


def test_the_fingerprint_key_is_told_to_nobody(tmp_path: Path) -> None:
    (tmp_path / "all.json").write_text(json.dumps(_further()[0]))
    key = {"AUDITOR_FINGERPRINT_KEY": "canary-of-the-environment-89"}
    arguments = ["scan", ".", "--debug"]
    for format_ in REPORTS:
        arguments += ["--report", f"{format_}={tmp_path / 'out'}.{format_}"]
    done = auditor(*arguments, cwd=tmp_path, env=key)
    said = (done.out + done.err).encode() + b"".join(file.read_bytes() for file in tmp_path.glob("out.*"))
    (value,) = key.values()
    assert [form for form in _forms(value) if form.encode() in said] == []
    short = auditor("scan", ".", "--debug", cwd=tmp_path, env={"AUDITOR_FINGERPRINT_KEY": CANARIES["weak"]})
    assert CANARIES["weak"] not in short.out + short.err
