"""Container images, searched for credentials: what stands in which layer, the configuration and the history."""

from collections.abc import Callable, Sequence

from auditor.collectors import images
from auditor.collectors.searching import Search, tokens
from auditor.detection.engine import Engine
from auditor.model.coverage import Gap
from auditor.model.sighting import Sighting, Where
from auditor.pipeline.sightings import joined, sighting


def search(
    paths: Sequence[str], engine: Engine, *, largest: int, told: Callable[[int], None]
) -> tuple[list[Sighting], Search, list[Gap]]:
    """Return what was found in the images `paths`, what was read, and what could not be.

    Raises `InputError` for what is no image.
    """
    whole, sightings, gaps = Search(), list[Sighting](), list[Gap]()
    for path in paths:
        read = images.Read(path)
        for part in images.parts(path, read, largest=largest, told=told):
            hits = tokens(engine, part.content) if part.binary else engine.scan(part.content, path=part.path)
            sightings += [sighting(Where.IMAGE, path, hit, inside=part.inside) for hit in hits]
        whole.read += read.files
        whole.bytes_read += read.bytes_read
        whole.binary += read.binary
        whole.archives += read.archives
        gaps += read.gaps
    return joined(sightings), whole, gaps
