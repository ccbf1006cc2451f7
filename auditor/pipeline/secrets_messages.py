"""Credentials in the messages of commits and tags."""

from collections.abc import Iterable, Iterator

from auditor.collectors.git.messages import Message
from auditor.detection.engine import Engine
from auditor.model.sighting import Sighting, Where
from auditor.pipeline.sightings import sighting


def found(messages: Iterable[Message], engine: Engine, where: Where) -> Iterator[Sighting]:
    """Yield what stands in `messages`, in their order.

    They are prose, in which weak literals are examples: told are documented tokens, and under the name of a credential
    what only a machine makes up. Nothing of it is in a file, so nothing of it is in HEAD.
    """
    for message in messages:
        for hit in engine.scan(message.text, path=message.kind):
            yield sighting(
                where,
                message.kind,
                hit,
                commit=message.commit,
                date=message.date,
                in_head=False if where is Where.HISTORY else None,
                inside=message.name,
            )
