"""Large assessments for the reports, made from the sample that the tests use."""

import dataclasses
import sys
from pathlib import Path
from time import perf_counter

from auditor import reports
from auditor.model.assessment import Assessment, Subject
from auditor.model.resource import Location
from auditor.model.verdict import Finding


def large(findings: int) -> Assessment:
    """Return the sample assessment with `findings` findings over as many subjects."""
    from tests.reports import sample  # noqa: PLC0415 - from the checkout, not from the wheel

    base = sample.assessment()
    first = base.findings[0]
    subjects: list[Subject] = []
    made: list[Finding] = []
    for number in range(findings):
        location = Location(file=f"deploy/team-{number % 40}/service-{number}.yaml", line=number % 90 + 1, column=3)
        subjects.append(
            Subject(
                id=f"kubernetes/Deployment:team-{number % 40}/service-{number}",
                type="kubernetes/Deployment",
                namespace=f"team-{number % 40}",
                name=f"service-{number}",
                location=location,
            )
        )
        template = base.findings[number % len(base.findings)]
        made.append(
            dataclasses.replace(
                template,
                subject=number,
                item=f"spec.template.spec.containers[web].env[VARIABLE_{number}]",
                fingerprint=f"{number:032x}",
                message=f"container web of service-{number} sets VARIABLE_{number} to a literal credential",
                location=location,
                related=first.related,
            )
        )
    empty = tuple(
        dataclasses.replace(result, passed=(), failed=(), waived=(), not_evaluated=()) for result in base.results
    )
    return dataclasses.replace(base, subjects=tuple(subjects), findings=tuple(made), results=empty)


def timed(format_: str, findings: int) -> tuple[float, bytes]:
    """Return the seconds that rendering took, and the report."""
    assessment = large(findings)
    started = perf_counter()
    content = reports.render(format_, assessment)
    return perf_counter() - started, content


if __name__ == "__main__":
    seconds, content = timed(sys.argv[1], int(sys.argv[2]))
    Path(sys.argv[3]).write_bytes(content)
    sys.stdout.write(f"{seconds:.3f}\n")
