"""Credentials in the messages of commits and tags."""

from collections.abc import Sequence

from auditor.collectors.git import messages
from auditor.collectors.git.command import Repository
from auditor.detection.engine import Engine
from auditor.model.sighting import Sighting, Where
from auditor.pipeline.sightings import sighting


def found(
    repository: Repository, ids: Sequence[bytes], engine: Engine, where: Where
) -> tuple[list[Sighting], list[bytes]]:
    """Return what stands in the messages of commits and tags, the earliest first, and the ids that cannot be read.

    They are prose, in which weak literals are examples: told are documented tokens, and under the name of a credential
    what only a machine makes up. Nothing of it is in a file, so nothing of it is in HEAD.
    """
    told: list[Sighting] = []
    unread: list[bytes] = []
    for id_, content in messages.contents(repository, ids):
        if content is None:
            unread.append(id_)
            continue
        hits = engine.scan(messages.text(content), path=messages.COMMIT)
        if hits:
            about = messages.message(id_, content)
            told += [
                sighting(
                    where,
                    about.kind,
                    hit,
                    commit=about.commit,
                    date=about.date,
                    in_head=False if where is Where.HISTORY else None,
                    inside=about.name,
                )
                for hit in hits
            ]
    return sorted(told, key=lambda one: (one.date is None, one.date)), unread
