from hypothesis import given
from hypothesis import strategies as st

from auditor.assess.fingerprints import finding_fingerprint

PARTS = st.tuples(st.text(), st.text(), st.text())


def test_fingerprint_never_changes_between_versions() -> None:
    """Committed baselines hold it: another value would make every known finding new."""
    assert finding_fingerprint("K-SEC-01", "kubernetes/Pod:shop/web", "env[A]") == "2dc8d7f8de004f917bafaefa5b57137d"


@given(PARTS, PARTS)
def test_only_the_same_three_names_share_a_fingerprint(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assert (finding_fingerprint(*one) == finding_fingerprint(*other)) is (one == other)


def test_the_border_between_names_counts() -> None:
    assert finding_fingerprint("a", "bc", "") != finding_fingerprint("ab", "c", "")


def test_half_characters_are_no_error() -> None:
    """JSON allows lone surrogates in a name."""
    assert len(finding_fingerprint("K-SEC-01", "kubernetes/ConfigMap:/\udce9", "")) == 32
