"""Whom people mean."""

import pytest

from auditor.access.kubernetes.callers import parse
from auditor.access.kubernetes.rbac import Caller, caller
from auditor.model.errors import InputError

WEB = "system:serviceaccount:shop:web"


@pytest.mark.parametrize(
    ("text", "key", "who"),
    [
        ("ada", "User ada", caller("ada")),
        ("user:ada", "User ada", caller("ada")),
        ("User ada", "User ada", caller("ada")),
        ("user:oidc:ada@example.com", "User oidc:ada@example.com", caller("oidc:ada@example.com")),
        ("user:shop/web", "User shop/web", caller("shop/web")),
        ("user:https://issuer/x/y#1", "User https://issuer/x/y#1", caller("https://issuer/x/y#1")),
        ("sa:shop/web", "ServiceAccount shop/web", caller(WEB)),
        ("serviceaccount:shop/web", "ServiceAccount shop/web", caller(WEB)),
        ("ServiceAccount shop/web", "ServiceAccount shop/web", caller(WEB)),
        (WEB, "ServiceAccount shop/web", caller(WEB)),
        ("system:node:w1", "User system:node:w1", caller("system:node:w1")),
        ("anonymous", "User system:anonymous", caller("system:anonymous")),
        ("group:devs", "Group devs", Caller("", frozenset({"devs", "system:authenticated"}))),
        ("Group my team", "Group my team", Caller("", frozenset({"my team", "system:authenticated"}))),
        ("system:authenticated", "Group system:authenticated", Caller("", frozenset({"system:authenticated"}))),
        (
            "system:unauthenticated",
            "Group system:unauthenticated",
            Caller("", frozenset({"system:unauthenticated"})),
        ),
        (
            "system:serviceaccounts:ci",
            "Group system:serviceaccounts:ci",
            Caller("", frozenset({"system:serviceaccounts:ci", "system:serviceaccounts", "system:authenticated"})),
        ),
    ],
)
def test_a_principal_is_named_as_people_and_tables_name_it(text: str, key: str, who: Caller) -> None:
    found = parse(text)
    assert (found.principal.key, found.caller) == (key, who)


def test_a_user_may_be_in_further_groups() -> None:
    assert parse("ada", groups=["devs", "ops"]).caller == caller("ada", ["devs", "ops"])


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("usr:ada", "Did you mean user:ada?"),
        ("Grup:devs", "Did you mean group:devs?"),
        ("serviceacount:shop/web", "Did you mean serviceaccount:shop/web?"),
        ("sytem:anonymous", "Did you mean system:anonymous?"),
        ("oidc:ada", "A user of that name is user:oidc:ada."),
        ("https://issuer/x#1", "A user of that name is user:https://issuer/x#1."),
    ],
)
def test_another_word_before_a_colon_is_no_user(text: str, near: str) -> None:
    """Taken for a user of that name, it would be one who may do nothing: a wrong answer that looks like a good one."""
    with pytest.raises(InputError, match="is no kind of principal") as raised:
        parse(text)
    assert near in raised.value.hint
    assert "user:NAME, group:NAME or sa:NAMESPACE/NAME" in raised.value.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no name"),
        ("user:", "names nobody"),
        ("sa:web", "names no service account"),
        ("sa:shop/", "names no service account"),
        ("sa:Shop/web", "names no service account"),
        ("shop/web", "may be a service account or a user"),
    ],
)
def test_what_names_nobody_or_two_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse(text)


def test_a_group_has_no_groups() -> None:
    with pytest.raises(InputError, match="is a group"):
        parse("group:devs", groups=["ops"])
