"""What `auditor secrets scan` makes of a credential that no policy can judge."""

import os
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from auditor.configuration import Configuration
from auditor.model.coverage import GapReason
from auditor.model.verdict import Outcome
from auditor.pipeline import secrets
from auditor.pipeline.secrets import Mode, Request

VALUE = "gull-and-anchor-9"


def test_a_credential_that_cannot_be_judged_makes_the_run_incomplete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault that once was: a name that is not Unicode reached the expressions, and none of them had an answer."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("auditor.pipeline.sightings.shown", lambda text: text)
    Path(os.fsdecode(b"caf\xe9.env")).write_text(f"DB_PASSWORD={VALUE}\n")
    request = Request(
        mode=Mode.FILES,
        paths=(".",),
        environ={},
        configuration=Configuration(),
        select=("L-GIT-01",),
        fingerprint_key=b"k" * 32,
    )
    whole, _ = secrets.examine(
        request, now=datetime(2026, 11, 26, tzinfo=UTC), stdin=BytesIO(), progress=lambda _: None
    )
    assert not [one for one in whole.findings if one.outcome is Outcome.FAIL]
    (gap,) = (gap for part in whole.coverage for gap in part.gaps)
    assert gap.reason is GapReason.UNREADABLE
    assert "could not be judged" in gap.detail
    assert not whole.complete
