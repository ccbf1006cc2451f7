"""Production or not, by what people call things."""

import pytest

from auditor.facts.environments import of_file, of_labels, of_name


@pytest.mark.parametrize("name", ["prod", "production", "PRD", "payments-prod", "prod-eu-1", "eu_prod", "live"])
def test_names_of_production(name: str) -> None:
    assert of_name(name) == "prod"


@pytest.mark.parametrize(
    "name",
    [
        "dev",
        "shop-staging",
        "qa2-test",
        "uat",
        "sandbox",
        "preview-123",
        "non-prod",
        "nonprod",
        "pre-prod",
        "eu_non_prod",
    ],
)
def test_names_of_everything_else(name: str) -> None:
    assert of_name(name) == "non-prod"


@pytest.mark.parametrize("name", ["", "shop", "products", "live-chat", "device", "prod-to-dev-sync", "latest"])
def test_names_that_say_nothing(name: str) -> None:
    assert of_name(name) == "unknown"


@pytest.mark.parametrize(
    ("file", "environment"),
    [
        ("overlays/prod/secret.yaml", "prod"),
        ("overlays/dev/secret.yaml", "non-prod"),
        ("environments/prod/test/secret.yaml", "non-prod"),
        ("charts/web/values-prod.yaml", "prod"),
        ("deploy/secret.yaml", "unknown"),
        ("-", "unknown"),
    ],
)
def test_the_innermost_step_of_a_path_decides(file: str, environment: str) -> None:
    assert of_file(file) == environment


@pytest.mark.parametrize(
    ("labels", "environment"),
    [
        ({"environment": "production"}, "prod"),
        ({"env": "qa"}, "non-prod"),
        ({"app.kubernetes.io/environment": "staging"}, "non-prod"),
        ({"tier": "prod"}, "unknown"),
        ({"env": 3}, "unknown"),
        (None, "unknown"),
        (["env"], "unknown"),
    ],
)
def test_labels(labels: object, environment: str) -> None:
    assert of_labels({"metadata": {"labels": labels}}) == environment
