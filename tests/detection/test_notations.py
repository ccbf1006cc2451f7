"""The breadth of notations in which infrastructure holds credentials, as files in `notations`.

Between `«` and `»` in `found.txt` stands what is found, and nothing else in it is; `nothing.txt` holds nothing at all.
The passwords were made up for them.
"""

from pathlib import Path

import pytest

from tests.detection.test_structures import ENGINES, marked

FOLDER = Path(__file__).parent / "notations"


def files(name: str) -> list[tuple[str, str]]:
    """Return path and text of each file that `name` holds, behind lines `### PATH`."""
    parts = [part.partition("\n") for part in f"\n{(FOLDER / name).read_text()}".split("\n### ")[1:]]
    return [(path, f"{text.rstrip()}\n") for path, _, text in parts]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("path", "text"), files("found.txt"), ids=lambda value: value.partition("\n")[0])
def test_every_credential_is_found_and_nothing_else(path: str, text: str, engine: str) -> None:
    content, wanted = marked(text)
    hits = ENGINES[engine].scan(content, path=path)
    assert [content[hit.start : hit.end].decode() for hit in hits] == wanted


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("path", "text"), files("nothing.txt"), ids=lambda value: value.partition("\n")[0])
def test_what_only_looks_like_one_is_passed_over(path: str, text: str, engine: str) -> None:
    content = text.encode()
    hits = ENGINES[engine].scan(content, path=path)
    assert [(hit.line, content[hit.start : hit.end].decode()) for hit in hits] == []
