"""Each structure that holds credentials in infrastructure, by name: a literal in it is found, a reference is not.

`test_structures` has the same notations at length, with what else stands beside them.
"""

import base64

import pytest

from auditor.detection import rules
from auditor.detection.engine import Engine, Hit

ENGINE = Engine(rules.load().of_tier(2), fingerprint=lambda value: value)
WITH_GENERIC = Engine(rules.load(), fingerprint=lambda value: value)


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


STRUCTURES = {
    "env pair of Kubernetes": (
        "pod.yaml",
        "env:\n- name: DB_PASSWORD\n  value: hunter2\n",
        "env:\n- name: DB_PASSWORD\n  valueFrom: {secretKeyRef: {name: db, key: password}}\n",
    ),
    "env pair, value first": (
        "pod.yaml",
        "env:\n- value: hunter2\n  name: DB_PASSWORD\n",
        "- name: A\n  value: hunter2\n- name: DB_PASSWORD\n  valueFrom: {}\nx:\n  value: hunter2\nname: db-password\n",
    ),
    "env pair of JSON, value first": (
        "task.json",
        '[{"value": "hunter2", "name": "DB_PASSWORD"}]\n',
        '[{"name": "A", "value": "hunter2"}, {"name": "DB_PASSWORD", "valueFrom": "arn:aws:ssm:x"}]\n',
    ),
    "env pair of JSON on many lines, value first": (
        "task.json",
        '[\n {\n  "value": "hunter2",\n  "name": "DB_PASSWORD"\n }\n]\n',
        '[\n {\n  "value": "hunter2"\n },\n {\n  "name": "DB_PASSWORD"\n }\n]\n',
    ),
    "env pair, value in a block": (
        "pod.yaml",
        "env:\n- name: DB_PASSWORD\n  value: >-\n    hunter2\n- name: A\n  value: b\n",
        "env:\n- name: DB_PASSWORD\n  value: |\n    words that\n    go on\n",
    ),
    "env pair, value on the next line": (
        "pod.yaml",
        "env:\n- name: DB_PASSWORD\n  value:\n    hunter2\n",
        "env:\n- name: DB_PASSWORD\n  value:\n    from: hunter2\n",
    ),
    "env pair with an anchor on its name": (
        "pod.yaml",
        "env:\n- name: &name DB_PASSWORD\n  value: hunter2\n",
        "env:\n- name: &name DB_PASSWORD\n  value: $(OTHER)\n",
    ),
    "annotation": (
        "deploy.yaml",
        "metadata:\n  annotations:\n    example.com/db-password: hunter2\n",
        f'annotations:\n  checksum/secret: {"9f86d081" * 8}\n  checksum/db-password: "{"9f86d081" * 8}"\n',
    ),
    "key of an ExternalSecret": (
        "external.yaml",
        "data:\n- password: hunter2\n",
        "data:\n- secretKey: client-secret-v2\n  remoteRef: {key: a}\n- secretKey: api-key-2024\n",
    ),
    "data of a Secret, decoded": (
        "secret.yaml",
        f"kind: Secret\ndata:\n  pin: {packed('hunter2')}\n",
        f"kind: Secret\ndata:\n  user: {packed('shop')}\n  password: {packed('<password>')}\n",
    ),
    "stringData of a Secret": (
        "secret.yaml",
        "kind: Secret\nstringData:\n  pin: hunter2\n",
        "kind: Secret\nstringData:\n  pin: ${PIN}\n",
    ),
    "ConfigMap": (
        "configmap.yaml",
        "kind: ConfigMap\ndata:\n  app.properties: |\n    db.password=hunter2\n",
        "kind: ConfigMap\ndata:\n  app.properties: |\n    db.password=${DB_PASSWORD}\n",
    ),
    "Helm values": (
        "values.yaml",
        "auth:\n  rootPassword: hunter2\n",
        "auth:\n  existingSecret: db\n  secretKeys: {rootPasswordKey: root-password}\n",
    ),
    "Terraform variable": (
        "variables.tf",
        'variable "db_password" {\n  default = "hunter2"\n}\n',
        'variable "db_password" {\n  sensitive = true\n}\nvariable "db_host" {\n  default = "db"\n}\n',
    ),
    "Terraform variable on one line": (
        "variables.tf",
        'variable "db_password" { default = "hunter2" }\n',
        'variable "db_password" { type = string }\nvariable "db_host" { default = "hunter2" }\n',
    ),
    "Terraform variable with a block of text": (
        "variables.tf",
        'variable "db_password" {\n  default = <<E\nhunter2\nE\n}\n',
        'variable "db_password" {\n  default = <<E\n${var.other}\nE\n}\n',
    ),
    "Terraform provider argument": (
        "main.tf",
        'provider "vsphere" {\n  password = "hunter2"\n}\n',
        'provider "vsphere" {\n  password = var.vsphere_password\n}\n',
    ),
    "compose file": (
        "compose.yaml",
        "services:\n  db:\n    environment:\n      - MYSQL_PASSWORD=hunter2\n",
        "services:\n  db:\n    environment:\n      - MYSQL_PASSWORD_FILE=/run/secrets/db\n      - MYSQL_PASSWORD\n",
    ),
    "dotenv": (".env", "DB_PASSWORD=hunter2\n", "DB_PASSWORD=$OTHER\nTOKEN_TTL=3600\n"),
    "properties": (
        "application.properties",
        "spring.datasource.password=hunter2\n",
        "spring.datasource.password=${DB_PASSWORD}\npassword.encoder=bcrypt\n",
    ),
    "INI": ("my.cnf", "[client]\npassword = hunter2\n", "[client]\npassword_file = /run/secrets/db\n"),
    "Dockerfile": (
        "Dockerfile",
        "FROM scratch\nENV DB_PASSWORD=hunter2\n",
        "FROM scratch\nARG DB_PASSWORD\nENV DB_PASSWORD=${DB_PASSWORD}\n",
    ),
    "kubeconfig": (
        "kubeconfig",
        "users:\n- name: admin\n  user:\n    token: 9b2e7f4c1d8a4be3a6f05c7712ad90ff\n",
        "users:\n- name: admin\n  user: {tokenFile: /run/token, client-certificate-data: LS0tLS1CRUdJTiBDRVJU}\n",
    ),
    "docker config": (
        "config.json",
        f'{{"auths": {{"registry.internal": {{"auth": "{packed("shop:hunter2")}"}}}}}}\n',
        '{"auths": {"registry.internal": {}}, "credsStore": "secretservice"}\n',
    ),
    "GitHub workflow": (
        ".github/workflows/ci.yml",
        "env:\n  DEPLOY_PASSWORD: hunter2\n",
        "permissions: {id-token: write}\nenv:\n  DEPLOY_PASSWORD: ${{ secrets.DEPLOY_PASSWORD }}\n",
    ),
    "GitLab pipeline": (
        ".gitlab-ci.yml",
        "variables:\n  DEPLOY_PASSWORD: hunter2\n",
        "variables:\n  DEPLOY_PASSWORD: $VAULT_PASSWORD\n",
    ),
    "Jenkinsfile": (
        "Jenkinsfile",
        "environment {\n  DEPLOY_PASSWORD = 'hunter2'\n}\n",
        "environment {\n  DEPLOY_PASSWORD = credentials('deploy')\n}\n",
    ),
    "connection URL": (
        "app.yaml",
        "url: postgres://shop:hunter2@db/shop\n",
        "url: postgres://shop:${DB_PASSWORD}@db/shop\n",
    ),
    "JDBC string": (
        "app.conf",
        "jdbc:mysql://db/shop?user=shop&password=hunter2&ssl=true\n",
        "jdbc:mysql://db/shop?user=shop&password=${DB_PASSWORD}&ssl=true\n",
    ),
    "shell export": ("run.sh", "export PGPASSWORD=hunter2\n", 'export PGPASSWORD="$(cat /run/secrets/db)"\n'),
    "command line": (
        "run.sh",
        "mysql -uroot -phunter2 shop\n",
        'mysql -uroot -p"$DB_PASSWORD" shop\n',
    ),
    "default of a reference": (
        "compose.yaml",
        "environment:\n  DB_PASSWORD: ${DB_PASSWORD:-hunter2}\n",
        "environment:\n  DB_PASSWORD: ${DB_PASSWORD:?set it}\n",
    ),
    "JAAS": (
        "kafka.properties",
        'sasl.jaas.config=x.PlainLoginModule required username="a" password="hunter2";\n',
        'sasl.jaas.config=x.PlainLoginModule required username="a" password="${file:/run/a:password}";\n',
    ),
    "assignment in Python": ("app.py", 'PASSWORD = "hunter2"\n', 'PASSWORD = os.environ["PASSWORD"]\n'),
    "assignment in JavaScript": (
        "app.js",
        "const password = 'hunter2';\n",
        "const password = process.env.PASSWORD;\n",
    ),
    "assignment in Go": ("main.go", 'password := "hunter2"\n', 'password := os.Getenv("PASSWORD")\n'),
    "assignment in Java": ("Db.java", 'String password = "hunter2";\n', "String password = properties.get(NAME);\n"),
}


def found(hits: list[Hit]) -> list[str]:
    return [hit.fingerprint for hit in hits if hit.tier <= 2]


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_literal_is_found(name: str) -> None:
    file, literal, _ = STRUCTURES[name]
    (value,) = found(ENGINE.scan(literal.encode(), path=file))
    assert value in {"hunter2", "9b2e7f4c1d8a4be3a6f05c7712ad90ff", packed("shop:hunter2")}


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_reference_is_not(name: str) -> None:
    file, _, reference = STRUCTURES[name]
    assert found(ENGINE.scan(reference.encode(), path=file)) == []


def test_a_token_in_the_data_of_a_secret_is_that_token() -> None:
    """Decoded and searched again: the same token elsewhere has the same fingerprint."""
    token = "glpat-" + "a1B2" * 5
    document = f"kind: Secret\ndata:\n  config: {packed('[gitlab]' + chr(10) + 'token = ' + token)}\n"
    (hit,) = ENGINE.scan(document.encode(), path="secret.yaml")
    assert (hit.rule, hit.tier, hit.fingerprint) == ("gitlab-token", 1, token)


def test_generic_random_text_is_of_the_third_tier_and_readable_text_of_none() -> None:
    random, readable = b'seed = "q8Zt3LvP0xW7kYb5NcRm2JdHs9GeUaTf"\n', b'name = "a-plain-name-of-something-long"\n'
    (hit,) = WITH_GENERIC.scan(random, path="app.py")
    assert (hit.rule, hit.tier) == ("high-entropy", 3)
    assert WITH_GENERIC.scan(readable, path="app.py") == []
    assert ENGINE.scan(random, path="app.py") == []
