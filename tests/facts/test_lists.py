"""Each list of the ledger as a fact."""

from auditor.facts import lists
from auditor.model.collection import CallResult
from tests.facts.cluster import call


def test_a_list_is_named_after_its_kind_and_stands_where_it_was_asked() -> None:
    request = "GET /apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles?limit=500"
    (fact,) = lists.lists([call("kubernetes/Role", request=request, namespace="shop", items=3, remaining=0)])
    assert fact.id == "fact/kubernetes-list:shop/Role@prod"
    assert fact.origin.file == "kubernetes://prod/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles"
    assert (fact.body["complete"], fact.body["items"], fact.body["remaining"]) == (True, 3, 0)


def test_a_list_without_a_request_stands_at_its_kind() -> None:
    """Of a file, and where nothing was asked."""
    (fact,) = lists.lists([call("kubernetes/Certificate.cert-manager.io", CallResult.NOT_SERVED, request="")])
    assert fact.origin.file == "kubernetes://prod/Certificate.cert-manager.io"
    assert (fact.body["result"], fact.body["complete"]) == ("not-served", True)


def test_what_is_not_known_is_no_zero() -> None:
    (fact,) = lists.lists([call("kubernetes/Secret", CallResult.FORBIDDEN, status=403, reason="r")])
    assert (fact.body["remaining"], fact.body["status"], fact.body["complete"]) == (-1, 403, False)
