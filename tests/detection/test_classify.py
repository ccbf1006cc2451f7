import base64
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.detection.classify import classify, examine
from auditor.model.resource import REDACTED, Confidence, LiteralKind, Place

CREDENTIAL, REFERENCE, PATH = LiteralKind.CREDENTIAL, LiteralKind.REFERENCE, LiteralKind.PATH
PLACEHOLDER, ENCRYPTED, PUBLIC = LiteralKind.PLACEHOLDER, LiteralKind.ENCRYPTED, LiteralKind.PUBLIC

NO_FINDINGS = [
    ("DB_PASSWORD_FILE", "/run/secrets/db", PATH),
    ("DB_PASSWORD", "/run/secrets/db", PATH),
    ("secretName", "payments-db", PUBLIC),
    ("TOKEN_TTL", "3600", PUBLIC),
    ("SESSION_SECRET_ROTATION", "30d", PUBLIC),
    ("TOKEN", "3600", PUBLIC),
    ("DB_PASSWORD", "${DB_PASSWORD}", REFERENCE),
    ("DB_PASSWORD", "${DB_PASSWORD:-}", REFERENCE),
    ("DB_PASSWORD", "$(DB_PASSWORD)", REFERENCE),
    ("DB_PASSWORD", "$DB_PASSWORD", REFERENCE),
    ("DB_PASSWORD", "{{ .Values.password }}", REFERENCE),
    ("DB_PASSWORD", "vault:secret/data/db#password", REFERENCE),
    ("DB_PASSWORD", "ref+awssecrets://db/password", REFERENCE),
    ("DB_PASSWORD", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-Ab12Cd", REFERENCE),
    ("DB_PASSWORD", "projects/p/secrets/s", REFERENCE),
    ("DB_PASSWORD", "op://vault/db/password", REFERENCE),
    ("DB_PASSWORD", "akv://vault/db", REFERENCE),
    ("DB_PASSWORD", "<path:kv/data/db#password>", REFERENCE),
    ("DATABASE_URL", "postgres://app:${DB_PASSWORD}@db/shop", REFERENCE),
    ("DATABASE_URL", "postgres://db:5432/shop", PUBLIC),
    ("DATABASE_URL", "postgres://app@db:5432/shop", PUBLIC),
    ("CALLBACK", "http://shop:8080/path@2", PUBLIC),
    ("PASSWORD_POLICY", "strong", PUBLIC),
    ("TOKEN_URL", "https://login.example.org/token", PUBLIC),
    ("AUTH_TYPE", "token", None),
    ("SECRET_NAME", "payments-db", PUBLIC),
    ("API_KEY_HEADER", "X-Api-Key", PUBLIC),
    ("MONKEY", "Banana-2024-x", PUBLIC),
    ("KEYCLOAK_REALM", "shop2024", PUBLIC),
    ("KEYCLOAK_ADMIN", "admin", PUBLIC),
    ("PASSWORD_MIN_LENGTH", "12", PUBLIC),
    ("ENABLE_PASSWORD_AUTH", "true", PUBLIC),
    ("PASSWORD", "false", PUBLIC),
    ("TOKEN_ISSUER", "https://login.example.org", PUBLIC),
    ("SSH_AUTH_SOCK", "/tmp/agent.sock", PATH),
    ("COMPASS", "north7", PUBLIC),
    ("BYPASS", "all9", PUBLIC),
    ("PROXY_PASS", "http://backend:8080", PUBLIC),
    ("AUTHOR", "jane7", PUBLIC),
    ("PWD", "work7", PUBLIC),
    ("DB_USER", "admin7", PUBLIC),
    ("REQUEST_ID", "6f1c1f9e-8a1d-4c0e-9d53-0b8c1d2e3f40", PUBLIC),
    ("IMAGE", "shop@sha256:" + "ab" * 32, PUBLIC),
    ("GIT_COMMIT", "ab" * 20, PUBLIC),
    ("ADMIN_PASSWORD", "$2y$10$" + "a" * 53, PUBLIC),
    ("SSH_KEY", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "a" * 40, PUBLIC),
    ("PRIVATE_KEY", "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----", PUBLIC),
    ("checksum/secret", "0f343b0931126a20f133d67c2b018a3b5a1e3e5bd0d7c3a1a6f2f0e2f3b1c4d5", PUBLIC),
    ("example.com/sha256-of-token", "0F343B09", PUBLIC),
    ("NOPASSWD", "ALL", PUBLIC),
    ("ETCD_INITIAL_CLUSTER_TOKEN", "etcd-cluster-k8s", PUBLIC),
    ("initialClusterToken", "etcd-cluster-k8s", PUBLIC),
    ("DB_PASSWORD", "", PLACEHOLDER),
    ("API_TOKEN", "changeme", PLACEHOLDER),
    ("DB_PASSWORD", "your-changeme", PLACEHOLDER),
    ("DB_PASSWORD", "CHANGE_ME", PLACEHOLDER),
    ("API_TOKEN", "<your-token>", PLACEHOLDER),
    ("API_TOKEN", "your-token-here", PLACEHOLDER),
    ("API_TOKEN", "xxxx", PLACEHOLDER),
    ("API_TOKEN", "TODO", PLACEHOLDER),
    ("API_TOKEN", "example", PLACEHOLDER),
    ("API_TOKEN", "REPLACE_ME", PLACEHOLDER),
    ("API_TOKEN", "...", PLACEHOLDER),
    ("API_TOKEN", "*****", PLACEHOLDER),
    ("API_TOKEN", REDACTED, PLACEHOLDER),
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE", PLACEHOLDER),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", PLACEHOLDER),
    ("TLS_KEY", "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----", PLACEHOLDER),
    ("DB_PASSWORD", "ENC[AES256_GCM,data:abc=,iv:abc=,tag:abc=,type:str]", ENCRYPTED),
    ("DB_PASSWORD", "vault:v1:8SDd3WHDOjf7mq69CyCqYjBXAiQQAVZRkFM13ok481zoCmHnSeDX9vyf7w==", ENCRYPTED),
]


@pytest.mark.parametrize(("key", "value", "kind"), NO_FINDINGS, ids=lambda item: str(item)[:40] or "empty")
def test_what_only_mentions_a_credential_is_no_finding(key: str, value: str, kind: LiteralKind | None) -> None:
    found = classify(key, value, place=Place.ENV)
    assert found.kind is not CREDENTIAL
    assert kind is None or found.kind is kind


FINDINGS = [
    ("DB_PASS", "hunter2", "hunter2"),
    ("password", "admin", "admin"),
    ("password", "0f343b0931126a20f133d67c2b018a3b", "0f343b0931126a20f133d67c2b018a3b"),
    ("K3S_CLUSTER_TOKEN", "heron-and-quay", "heron-and-quay"),
    ("VAULT_DEV_ROOT_TOKEN_ID", "heron-and-quay", "heron-and-quay"),
    ("JAVA_TRUSTSTORE_PASSWORD", "changeit", "changeit"),
    ("POSTGRES_PASSWORD", "1234", "1234"),
    ("ELASTIC_PASSWORD", "changeme", "changeme"),
    ("ADMIN_SECRET", "12345", "12345"),
    ("SPRING_DATASOURCE_PASSWORD", "sa", "sa"),
    ("POSTGRES_PASSWORD", "p@ss=word;x", "p@ss=word;x"),
    ("db.password", "hunter2", "hunter2"),
    ("spring.datasource.password", "hunter2", "hunter2"),
    ("dbPassword", "hunter2", "hunter2"),
    ("SPRING_DATASOURCE_PASSWORD", "hunter2", "hunter2"),
    ("PASSWORD_2", "hunter2", "hunter2"),
    ("CLIENT_SECRET", "supersecret", "supersecret"),
    ("JWT_SECRET", "my-jwt-signing-words", "my-jwt-signing-words"),
    ("SECRET_KEY_BASE", "0a1b2c3d", "0a1b2c3d"),
    ("STRIPE_API_KEY", "abcd-1234-efgh", "abcd-1234-efgh"),
    ("DB_PASSWORD", "${DB_PASSWORD:-hunter2}", "hunter2"),
    ("ANYTHING", "${DB_PASSWORD:-hunter2}", "hunter2"),
    ("DATABASE_URL", "postgres://u:p@h/db", "p"),
    ("DATABASE_URL", "redis://:hunter2@cache:6379/0", "hunter2"),
    ("BROKER", "amqp://guest:guest@mq", "guest"),
    ("DSN", "app:hunter2@tcp(db:3306)/shop", "hunter2"),
    ("JDBC_URL", "jdbc:mysql://db/shop?user=app&password=hunter2&ssl=true", "hunter2"),
    ("JDBC_URL", "jdbc:sqlserver://db;user=sa;password=hunter2;encrypt=true", "hunter2"),
    (
        "STORE",
        "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=" + "aB3/" * 21 + "aB==;X=y",
        "aB3/" * 21 + "aB==",
    ),
    (
        "BUS",
        "Endpoint=sb://x.example/;SharedAccessKeyName=Root;SharedAccessKey=aGVsbG8gd29ybGQ0MTIz",
        "aGVsbG8gd29ybGQ0MTIz",
    ),
    (
        "BLOB",
        "https://shop.example/c?sv=2022-11-02&sig=abcDEF123%2Babc456%2Fxyz789%3D&se=2030",
        "abcDEF123%2Babc456%2Fxyz789%3D",
    ),
    ("CONNECTION", "Server=db;Uid=sa;Pwd=Hunter2;", "Hunter2"),
    ("JAAS", 'org.x.PlainLoginModule required username="app" password="hunter2";', "hunter2"),
    (
        "HEADER",
        "Authorization: Basic " + base64.b64encode(b"me:hunter2").decode(),
        base64.b64encode(b"me:hunter2").decode(),
    ),
    ("HEADER", "Bearer abcdefgh1234567890abcd", "abcdefgh1234567890abcd"),
]


@pytest.mark.parametrize(("key", "value", "secret"), FINDINGS, ids=lambda item: str(item)[:40])
def test_a_literal_credential_is_a_likely_one_however_weak_and_exactly_the_secret_is_marked(
    key: str, value: str, secret: str
) -> None:
    found, marked = examine(key, value, place=Place.ENV)
    assert (found.kind, found.confidence) == (CREDENTIAL, Confidence.LIKELY)
    assert [value[span.start : span.end] for span in marked] == [secret]


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("aws-access-key-id", "AKIA" + "Q7" * 8),
        ("gitlab-token", "glpat-" + "a1B2" * 5),
        ("vault-token", "hvs." + "a1B2c3" * 5),
        ("private-key", "-----BEGIN PRIVATE KEY-----\n" + "QUJD" * 16 + "\n-----END PRIVATE KEY-----"),
        ("private-key", base64.b64encode(b"-----BEGIN EC PRIVATE KEY-----\n" + b"QUJD" * 16).decode()),
        ("jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzaG9wIn0." + "a1B2" * 8),
    ],
    ids=lambda item: item[:20],
)
@pytest.mark.parametrize("place", list(Place))
def test_a_vendors_format_or_a_private_key_is_certain_under_any_name_in_any_place(
    rule: str, value: str, place: Place
) -> None:
    assert classify("whatever", value, place=place) == (CREDENTIAL, rule, Confidence.CERTAIN)


def test_entropy_alone_is_only_possible() -> None:
    found = classify("SEED", "A3kd93kdKDF93kdfk3KFDK39fkdKFf93", place=Place.ENV)
    assert (found.kind, found.confidence) == (CREDENTIAL, Confidence.POSSIBLE)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("passwordKey", "password"),
        ("secretKey", "password"),
        ("secretKey", "tls.key"),
        ("apiKey", "api-key"),
        ("clusterSecretKey", "cluster"),
    ],
)
def test_in_nested_configuration_the_name_of_a_key_is_not_the_key(key: str, value: str) -> None:
    assert classify(key, value, place=Place.HELM_VALUE).kind is not CREDENTIAL


NAMES = st.sampled_from(["DB_PASSWORD", "token", "x", "", "secret", "sasl.jaas.config", "API_KEY", "PWD", "key"])


@given(key=st.one_of(NAMES, st.text()), value=st.text(), place=st.sampled_from(Place))
def test_any_text_gets_an_answer_and_marks_stay_inside_it(key: str, value: str, place: Place) -> None:
    found, marked = examine(key, value, place=place)
    assert bool(marked) == (found.kind is CREDENTIAL)
    assert all(0 <= span.start < span.end <= len(value) for span in marked)
    assert all(one.end <= other.start for one, other in pairwise(marked))
