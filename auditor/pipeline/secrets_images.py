"""Container images, searched for credentials: what stands in which layer, the configuration and the history."""

from collections.abc import Callable, Sequence

from auditor.collectors import images
from auditor.collectors.searching import Search
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
        for text in images.texts(path, read, largest=largest, told=told):
            for hit in engine.scan(text.content, path=text.path):
                sightings.append(sighting(Where.IMAGE, path, hit, inside=text.inside))
        whole.read += read.files
        whole.bytes_read += read.bytes_read
        whole.binary += read.binary
        whole.archives += read.archives
        gaps += read.gaps
    return joined(sightings), whole, gaps
