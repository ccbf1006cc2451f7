"""The dialect of a cluster, from what is known of it."""

import pytest

from auditor.access.kubernetes import dialect
from auditor.access.kubernetes.dialect import Authoriser
from auditor.model.errors import InputError


@pytest.mark.parametrize(
    ("text", "version"),
    [("v1.36.3", (1, 36)), ("1.31.2-eks-a737599", (1, 31)), ("1.35", (1, 35)), ("v1.30+", (1, 30)), ("", None)],
)
def test_a_version_is_read_as_servers_and_people_write_it(text: str, version: tuple[int, int] | None) -> None:
    assert dialect.of(version=text).version == version


@pytest.mark.parametrize("text", ["latest", "36", "one.two"])
def test_a_version_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no version of Kubernetes"):
        dialect.of(version=text)


def test_authorisers_are_named_as_flags_and_people_write_them() -> None:
    assert dialect.of(authorisers=["node", "RBAC", "azure-rbac", "AlwaysAllow"]).authorisers == (
        Authoriser.NODE,
        Authoriser.RBAC,
        Authoriser.AZURE,
        Authoriser.ALWAYS_ALLOW,
    )


@pytest.mark.parametrize(
    ("names", "said"), [(["rbca"], "rbca is no authoriser"), ([], "no authoriser is named"), ([""], "is no authoriser")]
)
def test_an_authoriser_that_is_none_is_refused(names: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        dialect.of(authorisers=names)


@pytest.mark.parametrize(
    ("provider", "last"), [("eks", Authoriser.EKS), ("aks", Authoriser.AZURE), ("gke", Authoriser.GCP)]
)
def test_a_provider_brings_its_own_authoriser_unless_it_is_said_otherwise(provider: str, last: Authoriser) -> None:
    chain = dialect.of(provider=provider).authorisers
    assert chain is not None
    assert chain[-1] is last
    assert dialect.of(provider=provider, authorisers=["RBAC"]).authorisers == (Authoriser.RBAC,)


def test_what_nobody_said_is_not_known_and_the_usual_is_taken() -> None:
    unknown = dialect.of(provider="self-managed")
    assert unknown.authorisers is None
    assert unknown.chain == (Authoriser.NODE, Authoriser.RBAC)
    assert unknown.at_least(36) is None


def test_only_a_webhook_can_refuse_what_a_later_one_allows() -> None:
    assert [one for one in Authoriser if one.may_deny] == [Authoriser.WEBHOOK]
