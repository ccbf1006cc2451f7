import base64
import copy
import json
import re
import string
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor import data, workloads
from auditor.detection.literals import take_out
from auditor.model.resource import REDACTED, Confidence, Literal, LiteralKind, Place
from auditor.redaction.fingerprint import Fingerprinter

TABLE = workloads.load(data.policies() / "workloads.yaml")
FINGERPRINT = Fingerprinter(b"a key for the tests, long enough").of


def take(type_: str, body: dict[str, Any]) -> tuple[Literal, ...]:
    return take_out(type_, body, workload=TABLE.of(type_), fingerprint=FINGERPRINT)


def credentials(literals: tuple[Literal, ...]) -> list[Literal]:
    return [literal for literal in literals if literal.kind is LiteralKind.CREDENTIAL]


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def container(**fields: Any) -> tuple[str, dict[str, Any]]:
    spec = {"template": {"spec": {"containers": [{"name": "web", "image": "shop/web:1", **fields}]}}}
    return "kubernetes/Deployment", {"kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def annotated(annotations: dict[str, str]) -> dict[str, Any]:
    return {"metadata": {"name": "x", "annotations": annotations}}


def config(key: str, text: str) -> tuple[str, dict[str, Any]]:
    return "kubernetes/ConfigMap", {"metadata": {"name": "c"}, "data": {key: text}}


LAST = "kubectl.kubernetes.io/last-applied-configuration"

PLACES: dict[str, Callable[[str], tuple[str, dict[str, Any]]]] = {
    "env": lambda c: container(env=[{"name": "DB_PASSWORD", "value": c}]),
    "env-url": lambda c: container(env=[{"name": "DATABASE_URL", "value": f"postgres://app:{c}@db/shop"}]),
    "env-default": lambda c: container(env=[{"name": "X", "value": f"${{DB_PASSWORD:-{c}}}"}]),
    "flag": lambda c: container(args=["--user=app", f"--db-password={c}"]),
    "flag-and-value": lambda c: container(command=["app", "--password", c]),
    "mysql": lambda c: container(command=["mysql", "-uroot", f"-p{c}"]),
    "curl": lambda c: container(command=["curl", "-u", f"app:{c}", "http://x"]),
    "redis-cli": lambda c: container(command=["redis-cli", "-a", c, "ping"]),
    "shell": lambda c: container(command=["sh", "-c", f"export PGPASSWORD={c}; psql -h db"]),
    "shell-prefix": lambda c: container(command=["sh", "-c", f"PGPASSWORD={c} psql -h db"]),
    "shell-mysql": lambda c: container(args=["-c", f"mysql -uroot -p{c} -e 'select 1'"]),
    "shell-curl": lambda c: container(args=["-c", f"curl -s -u app:{c} http://x | jq ."]),
    "probe-header": lambda c: container(
        livenessProbe={"httpGet": {"path": "/", "httpHeaders": [{"name": "X-Api-Key", "value": c}]}}
    ),
    "probe-basic": lambda c: container(
        readinessProbe={"httpGet": {"httpHeaders": [{"name": "Authorization", "value": "Basic " + packed(f"a:{c}")}]}}
    ),
    "probe-command": lambda c: container(startupProbe={"exec": {"command": ["mysqladmin", "ping", f"-p{c}"]}}),
    "probe-query": lambda c: container(livenessProbe={"httpGet": {"path": f"/health?token={c}"}}),
    "lifecycle": lambda c: container(lifecycle={"preStop": {"exec": {"command": ["sh", "-c", f"TOKEN={c} bye"]}}}),
    "init-container": lambda c: (
        "kubernetes/Pod",
        {"spec": {"initContainers": [{"name": "i", "env": [{"name": "API_TOKEN", "value": c}]}]}},
    ),
    "annotation": lambda c: ("kubernetes/Service", annotated({"example.org/api-token": c})),
    "annotation-url": lambda c: ("kubernetes/Role", annotated({"example.org/db": f"postgres://a:{c}@h/d"})),
    "label": lambda c: ("kubernetes/Service", {"metadata": {"labels": {"password": c}}}),
    "template-annotation": lambda c: (
        "kubernetes/Deployment",
        {"spec": {"template": {"metadata": {"annotations": {"x/db-password": c}}, "spec": {"containers": []}}}},
    ),
    "last-applied-secret": lambda c: (
        "kubernetes/Secret",
        annotated({LAST: json.dumps({"apiVersion": "v1", "kind": "Secret", "data": {"x": packed(c)}})}),
    ),
    "last-applied-string-data": lambda c: (
        "kubernetes/Secret",
        annotated({LAST: json.dumps({"apiVersion": "v1", "kind": "Secret", "stringData": {"x": c}})}),
    ),
    "kapp-original": lambda c: (
        "kubernetes/Secret",
        annotated(
            {"kapp.k14s.io/original": json.dumps({"apiVersion": "v1", "kind": "Secret", "data": {"x": packed(c)}})}
        ),
    ),
    "storage-class": lambda c: (
        "kubernetes/StorageClass",
        {"metadata": {"name": "x"}, "parameters": {"adminPassword": c}},
    ),
    "last-applied-broken": lambda c: ("kubernetes/Secret", annotated({LAST: '{"data": {"x": "' + packed(c)})),
    "last-applied-deployment": lambda c: (
        "kubernetes/Deployment",
        annotated({LAST: json.dumps(container(env=[{"name": "DB_PASSWORD", "value": c}])[1])}),
    ),
    "config-value": lambda c: config("DB_PASSWORD", c),
    "properties": lambda c: config("application.properties", f"a=1\nspring.datasource.password={c}\nb=2\n"),
    "yaml": lambda c: config("application.yaml", f"db:\n  user: app\n  password: {c}\n  port: 1\n"),
    "yaml-env": lambda c: config("pod.yaml", f"env:\n  - name: DB_PASSWORD\n    value: {c}\n"),
    "json": lambda c: config("app.json", json.dumps({"db": {"password": c, "port": 1}})),
    "ini": lambda c: config("grafana.ini", f"[database]\npassword = {c}\n"),
    "toml": lambda c: config("app.toml", f'[db]\npassword = "{c}"\n'),
    "xml": lambda c: config("settings.xml", f"<server><password>{c}</password></server>"),
    "xml-property": lambda c: config("core.xml", f'<property name="db.password" value="{c}"/>'),
    "dotenv": lambda c: config(".env", f"A=1\nexport DB_PASSWORD='{c}'\n"),
    "nginx": lambda c: config("nginx.conf", f'proxy_set_header Authorization "Basic {packed("a:" + c)}";'),
    "redis-conf": lambda c: config("redis.conf", f"bind 0.0.0.0\nrequirepass {c}\n"),
    "jaas": lambda c: config("jaas.conf", f'x.PlainLoginModule required username="a" password="{c}";'),
    "sql": lambda c: config("init.sql", f"CREATE USER app WITH PASSWORD '{c}';"),
    "docker-config": lambda c: config("config.json", json.dumps({"auths": {"r.example": {"password": c}}})),
    "kubeconfig": lambda c: config("kubeconfig", f"users:\n- name: a\n  user:\n    token: {c}\n"),
    "binary-data": lambda c: (
        "kubernetes/ConfigMap",
        {"binaryData": {"app.properties": packed(f"db.password={c}\n")}},
    ),
    "secret-data": lambda c: ("kubernetes/Secret", {"data": {"anything": packed(c)}}),
    "secret-string": lambda c: ("kubernetes/Secret", {"stringData": {"anything": c}}),
    "docker-secret": lambda c: (
        "kubernetes/Secret",
        {
            "type": "kubernetes.io/dockerconfigjson",
            "data": {".dockerconfigjson": packed(json.dumps({"auths": {"r": {"auth": packed("a:" + c)}}}))},
        },
    ),
    "helm-values": lambda c: ("file/helm-values", {"auth": {"postgresPassword": c}}),
    "flux": lambda c: (
        "kubernetes/HelmRelease.helm.toolkit.fluxcd.io",
        {"spec": {"values": {"auth": {"password": c}}}},
    ),
    "argo-parameters": lambda c: (
        "kubernetes/Application.argoproj.io",
        {"spec": {"source": {"helm": {"parameters": [{"name": "auth.password", "value": c}]}}}},
    ),
    "argo-values": lambda c: (
        "kubernetes/Application.argoproj.io",
        {"spec": {"source": {"helm": {"values": f"auth:\n  password: {c}\n"}}}},
    ),
    "argo-values-object": lambda c: (
        "kubernetes/Application.argoproj.io",
        {"spec": {"source": {"helm": {"valuesObject": {"auth": {"password": c}}}}}},
    ),
    "secret-generator": lambda c: ("file/kustomization", {"secretGenerator": [{"literals": [f"anything={c}"]}]}),
    "config-generator": lambda c: ("file/kustomization", {"configMapGenerator": [{"literals": [f"DB_PASSWORD={c}"]}]}),
    "dockerfile-env": lambda c: dockerfile("ENV", f"A=1 DB_PASSWORD={c}"),
    "dockerfile-env-blank": lambda c: dockerfile("ENV", f"DB_PASSWORD {c}"),
    "dockerfile-arg": lambda c: dockerfile("ARG", f"NPM_TOKEN={c}"),
    "dockerfile-label": lambda c: dockerfile("LABEL", f'password="{c}"'),
    "dockerfile-run": lambda c: dockerfile("RUN", f"curl -u app:{c} http://x"),
    "dockerfile-chpasswd": lambda c: dockerfile("RUN", f'echo "root:{c}" | chpasswd'),
    "encryption-key": lambda c: (
        "kubernetes/EncryptionConfiguration",
        {"resources": [{"providers": [{"aescbc": {"keys": [{"name": "key1", "secret": packed(c)}]}}]}]},
    ),
    "kubeconfig-file": lambda c: ("kubernetes/Config", {"users": [{"name": "a", "user": {"token": c}}]}),
    "custom-resource": lambda c: ("kubernetes/Grafana.example.org", {"spec": {"config": {"adminPassword": c}}}),
    "custom-resource-url": lambda c: ("kubernetes/Db.example.org", {"spec": {"hosts": [f"postgres://a:{c}@h/d"]}}),
    "copies": lambda c: container(
        env=[
            {"name": "DB_PASSWORD", "value": c},
            {"name": "NOTE", "value": f"it is {c}, {packed(c)}, {quote(c, safe='')}"},
        ]
    ),
}


def dockerfile(instruction: str, arguments: str) -> tuple[str, dict[str, Any]]:
    return "file/Dockerfile", {
        "instructions": [{"instruction": instruction, "arguments": arguments, "line": 1, "stage": ""}]
    }


canaries = st.text(string.ascii_letters + string.digits + "-_+/", min_size=12, max_size=24).map(
    lambda text: f"Cq7{re.sub('(?i)x{5,}', 'y', text)}z9"
)
"""Without what stands for a value: `xxxxx`."""


@pytest.mark.parametrize("place", list(PLACES))
@settings(max_examples=20, deadline=None)
@given(canary=canaries)
def test_a_credential_leaves_the_object_wherever_it_stood(place: str, canary: str) -> None:
    """Also in base64 and URL-encoded form, and taking out a second time finds and changes nothing."""
    type_, body = PLACES[place](canary.replace("/", "_") if place in _IN_URLS else canary)
    canary = canary.replace("/", "_") if place in _IN_URLS else canary
    literals = take(type_, body)
    text = json.dumps(body)
    assert canary not in text
    assert packed(canary) not in text
    assert quote(canary, safe="") not in text
    found = credentials(literals)
    assert found
    assert all(literal.fingerprint and literal.confidence is not Confidence.POSSIBLE for literal in found)
    assert canary not in repr(literals)
    before = copy.deepcopy(body)
    again = take(type_, body)
    assert body == before
    assert not credentials(again)


_IN_URLS = {name for name in PLACES if "url" in name}


def test_each_variable_is_described_and_only_the_credential_is_masked() -> None:
    type_, body = container(
        env=[
            {"name": "DB_PASS", "value": "hunter2"},
            {"name": "DB_PASSWORD_FILE", "value": "/run/secrets/db"},
            {"name": "LEVEL", "value": "debug"},
            {"name": "FROM", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
        ]
    )
    literals = take(type_, body)
    env = body["spec"]["template"]["spec"]["containers"][0]["env"]
    assert [variable.get("value") for variable in env] == [REDACTED, "/run/secrets/db", "debug", None]
    assert [(literal.key, literal.kind.value, literal.length) for literal in literals] == [
        ("DB_PASS", "credential", 7),
        ("DB_PASSWORD_FILE", "path", 15),
        ("LEVEL", "public", 5),
    ]
    assert literals[0] == Literal(
        path=("spec", "template", "spec", "containers", 0, "env", 0, "value"),
        place=Place.ENV,
        key="DB_PASS",
        kind=LiteralKind.CREDENTIAL,
        rule="named-credential",
        confidence=Confidence.LIKELY,
        fingerprint=FINGERPRINT("hunter2"),
        length=7,
        container="web",
    )
    assert literals[1].fingerprint == literals[2].fingerprint == ""


def test_several_credentials_in_one_file_are_several_literals_with_the_name_beside_each() -> None:
    type_, body = config("application.properties", "spring.datasource.password=hunter2\nx=1\napi.token=abc-123-def\n")
    found = credentials(take(type_, body))
    assert [(literal.key, literal.path) for literal in found] == [
        ("application.properties: spring.datasource.password", ("data", "application.properties")),
        ("application.properties: api.token", ("data", "application.properties")),
    ]
    assert body["data"]["application.properties"] == (
        f"spring.datasource.password={REDACTED}\nx=1\napi.token={REDACTED}\n"
    )


def test_a_secret_keeps_its_certificate_and_what_is_no_value() -> None:
    certificate = packed("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    data_ = {
        "tls.crt": certificate,
        "empty": "",
        "later": packed("changeme"),
        "key": packed("s3cret"),
        "user": packed("jane7"),
    }
    body: dict[str, Any] = {
        "data": dict(data_),
        "stringData": {"sops": "ENC[AES256_GCM,data:x,type:str]", "ref": "${DB}"},
    }
    literals = {literal.key: literal for literal in take("kubernetes/Secret", body)}
    assert {key: literal.kind.value for key, literal in literals.items()} == {
        "tls.crt": "public",
        "empty": "placeholder",
        "later": "placeholder",
        "key": "credential",
        "user": "credential",
        "sops": "encrypted",
        "ref": "reference",
    }
    assert body["data"] == {**data_, "key": REDACTED, "user": REDACTED}
    assert literals["user"].confidence is Confidence.POSSIBLE
    assert literals["key"].length == 6
    assert literals["key"].fingerprint == FINGERPRINT("s3cret")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("grafana.ini", "[date_formats]\ndefault_timezone = UTC\n"),
        ("settings.json", '{"level": "info"}'),
        ("azurestorageaccountname", "harbourfiles"),
        ("discovery.sendtargets.auth.username_in", "reader"),
        ("user_ocid", "ocid1.user.oc1..harbour"),
        ("ca-bundle.crt", "no certificate at all"),
        ("tls.cert", "no certificate at all"),
        ("accesskey", "harbour"),
    ],
)
def test_a_settings_file_a_name_or_a_certificate_in_a_secret_is_taken_out_and_only_possible(
    key: str, value: str
) -> None:
    body = {"kind": "Secret", "metadata": {"name": "s"}, "stringData": {key: value}}
    (found,) = credentials(take("kubernetes/Secret", body))
    assert found.confidence is Confidence.POSSIBLE
    assert body["stringData"] == {key: REDACTED}


def test_a_settings_file_in_a_secret_is_looked_into() -> None:
    body = {
        "kind": "Secret",
        "metadata": {"name": "s"},
        "stringData": {"app.ini": "[db]\npassword = gull-and-anchor-9\n"},
    }
    (found,) = credentials(take("kubernetes/Secret", body))
    assert found.confidence is Confidence.LIKELY
    assert found.rule == "named-credential"


def test_a_sealed_secret_is_encrypted_and_stays() -> None:
    body = {"spec": {"encryptedData": {"password": "AgBy3i4OJSWK" * 8}}}
    before = copy.deepcopy(body)
    literals = take("kubernetes/SealedSecret.bitnami.com", body)
    assert [(literal.kind, literal.fingerprint) for literal in literals] == [(LiteralKind.ENCRYPTED, "")]
    assert body == before


@pytest.mark.parametrize(
    ("type_", "spec"),
    [
        (
            "kubernetes/ExternalSecret.external-secrets.io",
            {"data": [{"secretKey": "password", "remoteRef": {"key": "prod/db", "property": "password-2024"}}]},
        ),
        (
            "kubernetes/SecretProviderClass.secrets-store.csi.x-k8s.io",
            {"parameters": {"objects": "- objectName: db\n  secretPath: secret/data/db\n  secretKey: password\n"}},
        ),
        (
            "kubernetes/VaultStaticSecret.secrets.hashicorp.com",
            {"path": "db/password", "destination": {"name": "db-pw1"}},
        ),
        ("kubernetes/Grafana.example.org", {"auth": {"passwordSecret": {"name": "db-1", "key": "password"}}}),
        ("kubernetes/Kafka.example.org", {"auth": {"passwordSecret": {"secretName": "db-1", "password": "password"}}}),
        ("kubernetes/Db.example.org", {"existingSecret": "db-1", "secretName": "db-2", "tokenTTL": "30m"}),
        ("kubernetes/Db.example.org", {"adminPasswordSecretKeyRef": {"name": "db-1", "password": "password-1"}}),
    ],
)
def test_a_kind_that_refers_to_secrets_has_no_finding_and_stays_as_it_is(type_: str, spec: dict[str, Any]) -> None:
    body = {"spec": spec}
    before = copy.deepcopy(body)
    assert not credentials(take(type_, body))
    assert body == before


def test_a_near_miss_under_a_credentials_flag_is_described() -> None:
    type_, body = container(
        args=["--password=$(DB_PASSWORD)", "--token-file=/run/token", "--v=2", "--api-token", "$TOKEN"]
    )
    literals = take(type_, body)
    assert [(literal.key, literal.kind.value) for literal in literals] == [
        ("password", "reference"),
        ("api-token", "reference"),
    ]


def test_a_password_that_is_a_word_does_not_eat_the_rest_of_the_object() -> None:
    type_, body = container(env=[{"name": "POSTGRES_PASSWORD", "value": "postgres"}], image="postgres:16")
    take(type_, body)
    found = body["spec"]["template"]["spec"]["containers"][0]
    assert found["image"] == "postgres:16"
    assert found["env"][0]["value"] == REDACTED


STEPS = st.sampled_from(
    ["env", "name", "value", "data", "password", "args", "spec", "metadata", "annotations", "containers", "helm"]
)
FIELDS = st.sampled_from(["metadata", "spec", "data", "stringData", "instructions", "users", "secretGenerator"])
TYPES = st.sampled_from(
    [
        "kubernetes/Secret", "kubernetes/ConfigMap", "kubernetes/Pod", "kubernetes/Deployment", "file/Dockerfile",
        "file/kustomization", "file/helm-values", "kubernetes/SealedSecret.bitnami.com", "kubernetes/Config",
        "kubernetes/Application.argoproj.io", "kubernetes/Any.example.org",
    ]
)  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STEPS, inner, max_size=4),
    max_leaves=20,
)


@given(type_=TYPES, body=st.dictionaries(FIELDS, json_values))
def test_an_object_of_any_shape_is_no_error_and_taking_out_twice_is_taking_out_once(
    type_: str, body: dict[str, Any]
) -> None:
    take(type_, body)
    before = copy.deepcopy(body)
    again = take(type_, body)
    assert body == before
    assert not credentials(again)


def test_what_the_last_applied_object_held_is_gone_from_the_whole_object() -> None:
    """Also where no name labels it: beside it in the annotation, escaped as JSON, and in the live object."""
    value = 'Zq7"canary\\pass'
    applied = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"annotations": {"note": f"rotated from {value} by Ada"}},
        "stringData": {"password": value},
    }
    body = annotated({LAST: json.dumps(applied), "note": f"rotated from {value} by Ada"})
    take("kubernetes/Secret", body)
    left = body["metadata"]["annotations"]
    assert json.loads(left[LAST])["metadata"]["annotations"]["note"] == f"rotated from {REDACTED} by Ada"
    assert left["note"] == f"rotated from {REDACTED} by Ada"


def test_copies_are_looked_into_and_then_lose_their_value_whatever_was_found() -> None:
    """For what is stored: a value that nobody recognises may stand in a copy of the object."""
    applied = json.dumps({"apiVersion": "v1", "kind": "Secret", "stringData": {"password": "gull-and-anchor-9"}})
    body = annotated({LAST: applied, "tool.example/applied": "cGxhaW4gdGV4dA==", "note": "gull-and-anchor-9, they say"})
    literals = take_out(
        "kubernetes/Secret",
        body,
        workload=None,
        fingerprint=FINGERPRINT,
        copies=frozenset({LAST, "tool.example/applied"}),
    )
    assert body["metadata"]["annotations"] == {
        LAST: REDACTED,
        "tool.example/applied": REDACTED,
        "note": f"{REDACTED}, they say",
    }
    assert [literal.fingerprint for literal in credentials(literals)] == [FINGERPRINT("gull-and-anchor-9")]


@pytest.mark.parametrize("annotations", [{}, {"example.com/api-token": "gull-and-anchor-9"}], ids=["none", "one"])
def test_a_copy_of_a_kind_without_values_is_looked_into_for_its_annotations(annotations: dict[str, str]) -> None:
    applied = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"annotations": annotations}}
    body = annotated({LAST: json.dumps(applied, separators=(",", ":"))})
    literals = take_out("kubernetes/Role", body, workload=None, fingerprint=FINGERPRINT, copies=frozenset({LAST}))
    assert len(credentials(literals)) == len(annotations)
    assert body["metadata"]["annotations"] == {LAST: REDACTED}


@pytest.mark.parametrize(
    "written",
    [
        json.dumps,
        lambda value: json.dumps(value, ensure_ascii=False),
        lambda value: (
            json.dumps(value, ensure_ascii=False)
            .replace("<", "\\u003c")
            .replace(">", "\\u003e")
            .replace("&", "\\u0026")
        ),
    ],
    ids=["json", "json-with-umlauts", "json-of-go"],
)
def test_a_copy_is_found_as_json_writes_it(written: Callable[[str], str]) -> None:
    """Go escapes `<`, `>` and `&`, since its JSON might stand in a web page; Python escapes what is not ASCII."""
    value = 'Zq7"gull<&>\\anchör'
    body = annotated({"tool.example/seen": f"[{written(value)}]"}) | {"stringData": {"password": value}}
    take("kubernetes/Secret", body)
    assert body["metadata"]["annotations"]["tool.example/seen"] == f'["{REDACTED}"]'


@pytest.mark.parametrize("key", ["PASSWORD", "db.passphrase", "API_TOKEN"])
def test_a_passphrase_is_no_finding_and_is_not_kept(key: str) -> None:
    """So many words are help texts as often as they are secrets; a snapshot that lasts must not hold one of them."""
    phrase = "correct horse battery staple"
    applied = {"apiVersion": "v1", "kind": "ConfigMap", "data": {key: phrase, "notes": f"is it {phrase}?"}}
    body = {**copy.deepcopy(applied), **annotated({LAST: json.dumps(applied), f"example.com/{key}": phrase})}
    literals = take("kubernetes/ConfigMap", body)
    assert phrase not in json.dumps(body)
    assert not credentials(literals)
    assert [literal.rule for literal in literals if literal.path == ("data", key)] == ["prose"]
    assert body["data"]["notes"] == f"is it {REDACTED}?"
