"""How long a report of a large assessment takes: the sample that the tests use, with many findings."""

import sys
from pathlib import Path
from time import perf_counter

from auditor import reports


def timed(format_: str, findings: int) -> tuple[float, bytes]:
    """Return the seconds that rendering took, and the report."""
    from tests.reports import sample  # noqa: PLC0415 - from the checkout, not from the wheel

    assessment = sample.large(findings)
    started = perf_counter()
    content = reports.render(format_, assessment)
    return perf_counter() - started, content


if __name__ == "__main__":
    seconds, content = timed(sys.argv[1], int(sys.argv[2]))
    Path(sys.argv[3]).write_bytes(content)
    sys.stdout.write(f"{seconds:.3f}\n")
