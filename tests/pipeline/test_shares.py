"""How the files of a scan are divided among processes: every file once, and about equal work for each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collectors.sources import Source, SourceKind
from auditor.pipeline import scan


def source(file: str, size: int) -> Source:
    return Source(file=file, kind=SourceKind.YAML, size=size)


@given(
    sizes=st.lists(st.integers(0, 3_000_000), max_size=60),
    names=st.sampled_from(["a{}.yaml", "crds/{}.yaml", "{}CustomResourceDefinition.yaml"]),
    jobs=st.integers(1, 5),
)
def test_every_file_is_in_exactly_one_share(sizes: list[int], names: str, jobs: int) -> None:
    sources = [source(names.format(index), size) for index, size in enumerate(sizes)]
    shares = scan._shares(sources, jobs)
    assert 1 <= len(shares) <= jobs
    assert sorted(entry.file for share in shares for entry in share) == sorted(entry.file for entry in sources)


def test_small_inputs_stay_in_one_process_in_their_order() -> None:
    sources = [source(f"{index}.yaml", 900 - index) for index in range(50)]
    assert scan._shares(sources, 8) == [sources]


def test_neighbours_go_to_different_processes() -> None:
    sources = [source(f"{folder}/{index:03}.yaml", 2_000) for folder in ("roles", "pods") for index in range(200)]
    for share in scan._shares(sources, 2):
        of_roles = sum(entry.file.startswith("roles/") for entry in share)
        assert len(share) * 0.45 <= of_roles <= len(share) * 0.55


@pytest.mark.parametrize("name", ["crds/{}.yaml", "{}-crd.yaml", "{}CustomResourceDefinition.yaml", "install{}.yaml"])
def test_what_nobody_parses_is_little_work(name: str) -> None:
    """Two megabytes of definitions do not keep a process from other files."""
    sources = [source(name.format(0), 2_000_000), *(source(f"{index:03}.yaml", 5_000) for index in range(200))]
    shares = scan._shares(sources, 2)
    assert len(shares) == 2
    assert abs(len(shares[0]) - len(shares[1])) <= 20
