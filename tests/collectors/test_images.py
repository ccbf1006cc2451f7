"""Container images of every layout: each layer, the configuration, the history; and images that mean harm."""

import gzip
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
import zstandard

from auditor.collectors import images
from auditor.collectors.images import Part, Read
from auditor.detection import rules
from auditor.detection.engine import Engine
from auditor.model.errors import InputError
from tests.collectors.test_archives import tarred, zipped

ENGINE = Engine(rules.load().of_tier(2), fingerprint=lambda value: value)
LEAK = b"DB_PASSWORD=gull-and-anchor-9\n"
CONFIG = {
    "architecture": "amd64",
    "config": {
        "Env": ["PATH=/usr/bin", "API_TOKEN=heron-and-quay-7"],
        "Labels": {"maintainer": "ada", "build.registry.password": "tern-and-rope-5"},
        "Cmd": ["/app", "--admin-password=buoy-and-mast-3"],
    },
    "history": [
        {"created_by": "/bin/sh -c #(nop)  ENV API_TOKEN=heron-and-quay-7", "empty_layer": True},
        {"created_by": "RUN |1 NPM_TOKEN=oar-and-keel-8 /bin/sh -c npm ci # buildkit"},
        {"created_by": "COPY app /app # buildkit"},
    ],
}


class Layout:
    """An OCI layout under construction."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}

    def blob(self, content: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        self.files[f"blobs/sha256/{digest}"] = content
        return {"digest": f"sha256:{digest}", "size": len(content)}

    def json(self, document: Any) -> dict[str, Any]:
        return self.blob(json.dumps(document).encode())

    def image(self, *layers: bytes, config: Any = CONFIG) -> dict[str, Any]:
        return self.json(
            {"schemaVersion": 2, "config": self.json(config), "layers": [self.blob(one) for one in layers]}
        )

    def index(self, *manifests: dict[str, Any]) -> "Layout":
        self.files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": list(manifests)}).encode()
        return self


LAYERS = (
    tarred({"app/.env": LEAK, "app/logo.png": b"\x89PNG\0\0", "./lib/app.jar": zipped({"x.env": LEAK})}),
    tarred({"app/.wh..env": b"", "etc/motd": b"welcome\n"}),
)


def layout(*layers: bytes) -> dict[str, bytes]:
    made = Layout()
    return made.index(made.image(*(layers or LAYERS))).files


def saved(layers: tuple[bytes, ...] = LAYERS) -> dict[str, bytes]:
    """Return what `docker save` wrote until 2024: a folder for each layer, and the configuration beside them."""
    names = [f"{hashlib.sha256(layer).hexdigest()}/layer.tar" for layer in layers]
    config = json.dumps(CONFIG).encode()
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": ["web:1"], "Layers": names}]
    return {**dict(zip(names, layers, strict=True)), name: config, "manifest.json": json.dumps(manifest).encode()}


def read(path: Path, *, largest: int = 50_000_000) -> tuple[Read, list[Part]]:
    result = Read("web.tar")
    return result, list(images.parts(str(path), result, largest=largest))


def found(path: Path) -> tuple[Read, set[tuple[str, str]]]:
    result, parts = read(path)
    return result, {
        (part.inside, hit.fingerprint)
        for part in parts
        if not part.binary
        for hit in ENGINE.scan(part.content, path=part.path)
    }


def write(folder: Path, files: dict[str, bytes], how: str) -> Path:
    if how == "folder":
        for name, content in files.items():
            (folder / "image" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "image" / name).write_bytes(content)
        return folder / "image"
    content = tarred(files)
    packed = {"tar": content, "tar.gz": gzip.compress(content), "tar.zst": zstandard.compress(content)}[how]
    (folder / f"image.{how}").write_bytes(packed)
    return folder / f"image.{how}"


@pytest.mark.parametrize("how", ["tar", "tar.gz", "tar.zst", "folder"])
@pytest.mark.parametrize("form", ["oci", "save"])
def test_layers_configuration_and_history_are_read_in_every_form(how: str, form: str, tmp_path: Path) -> None:
    files = layout() if form == "oci" else saved()
    result, seen = found(write(tmp_path, files, how))
    short = hashlib.sha256(LAYERS[0]).hexdigest()[:12]
    assert seen == {
        (f"layer {short}: app/.env", "gull-and-anchor-9"),
        (f"layer {short}: lib/app.jar!/x.env", "gull-and-anchor-9"),
        ("config: Env", "heron-and-quay-7"),
        ("config: Labels", "tern-and-rope-5"),
        ("config: Cmd", "buoy-and-mast-3"),
        ("history 1", "heron-and-quay-7"),
        ("history 2", "oar-and-keel-8"),
    }
    assert (result.gaps, result.layers, result.binary) == ([], 2, 1)
    assert result.files == 5, "configuration, two files of text, the archive, and the mark of what was removed"


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_compressed_layers_and_several_platforms(compress: Any, tmp_path: Path) -> None:
    made = Layout()
    arm = made.image(compress(tarred({"arm.env": LEAK})), config={"config": {}})
    amd = made.image(compress(tarred({"amd.env": LEAK})), config={"config": {}, "os": "linux"})
    attested = made.image(json.dumps({"predicate": {"builder": {"password": "gull-and-anchor-9"}}}).encode(), config={})
    inner = made.json({"schemaVersion": 2, "manifests": [arm, amd, attested]})
    _, seen = found(write(tmp_path, made.index(inner).files, "tar"))
    assert sorted(inside.rpartition(": ")[2] for inside, _ in seen) == ["amd.env", "arm.env", "layer"]


def test_older_archives_store_a_layer_once_and_link_to_it(tmp_path: Path) -> None:
    files = saved()
    manifest = json.loads(files["manifest.json"])
    manifest[0]["Layers"].append("linked/layer.tar")
    files["manifest.json"] = json.dumps(manifest).encode()
    out = io.BytesIO(tarred(files))
    with tarfile.open(fileobj=out, mode="a") as archive:
        for name, target in (("linked/layer.tar", f"../{manifest[0]['Layers'][0]}"), ("evil", "/etc/passwd")):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    (tmp_path / "a.tar").write_bytes(out.getvalue())
    result, _ = read(tmp_path / "a.tar")
    assert (result.layers, result.gaps) == (2, [])


def test_what_is_missing_or_damaged_is_a_gap(tmp_path: Path) -> None:
    files = layout(gzip.compress(LAYERS[0]), gzip.compress(os.urandom(50_000))[:-300], LAYERS[1])
    gone = next(name for name, content in files.items() if content == LAYERS[1])
    del files[gone]
    result, seen = found(write(tmp_path, files, "tar"))
    assert any(inside.endswith("app/.env") for inside, _ in seen), "the rest is read"
    assert len(result.gaps) == 2
    assert any(gone[13:25] in gap.detail for gap in result.gaps)
    assert any("could not be read to its end" in gap.detail for gap in result.gaps)


def test_large_files_are_named_and_large_binaries_counted(tmp_path: Path) -> None:
    layer = tarred({"big.txt": b"text\n" * 2000, "big.bin": b"\0" * 9000, "x.env": LEAK})
    result, _ = read(write(tmp_path, layout(layer), "tar"), largest=5000)
    assert [gap.detail.split(": ")[1].split(" ")[0] for gap in result.gaps] == ["big.txt"]
    assert result.binary == 1


def test_a_layer_that_unpacks_to_too_much_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_LEAST", 3_000_000)
    monkeypatch.setattr(images, "_RATIO", 2)
    bomb = gzip.compress(tarred({f"{number}.bin": b"\0" * 1_000_000 for number in range(9)}))
    result, seen = found(write(tmp_path, layout(bomb, LAYERS[0]), "folder"))
    assert ["unpacks to too much" in gap.detail for gap in result.gaps] == [True]
    assert any(inside.endswith("app/.env") for inside, _ in seen)
    (tmp_path / "b.tar.gz").write_bytes(gzip.compress(tarred({"x": b"\0" * 9_000_000})))
    with pytest.raises(InputError):
        read(tmp_path / "b.tar.gz")


def test_names_lead_nowhere(tmp_path: Path) -> None:
    """A digest or a member's name may try to leave the image; nothing is opened or written outside of it."""
    outside = tmp_path / "outside.env"
    outside.write_bytes(LEAK)
    made = Layout()
    evil = {"digest": "../../outside.env", "size": 1}
    manifest = made.json({"config": evil, "layers": [evil, made.blob(tarred({"../../../tmp/x.env": b"A=1\n"}))]})
    for how in ("folder", "tar"):
        path = write(tmp_path, made.index(manifest).files, how)
        if how == "folder":
            (path / "link").symlink_to(outside)
        result, seen = found(path)
        assert seen == set()
        assert len(result.gaps) == 1
    assert {entry.name for entry in tmp_path.iterdir()} == {"outside.env", "image", "image.tar"}


@pytest.mark.parametrize(
    "content",
    [b"", b"text\n", tarred({"a.txt": b"x"}), gzip.compress(b"x"), tarred({"manifest.json": b"[{]"}), tarred({})[:700],
     tarred({"index.json": b'{"manifests": "x"}'}), tarred({"manifest.json": b'[{"Layers": 3}, 4]'})],
    ids=range(8),
)  # fmt: skip
def test_what_is_no_image_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(InputError):
        read(tmp_path / "a.tar")
    with pytest.raises(InputError):
        read(tmp_path / "none.tar")


def test_an_index_that_names_itself_ends(tmp_path: Path) -> None:
    made = Layout()
    again = {"digest": "sha256:again", "size": 1}
    files = made.index(again).files
    files["blobs/sha256/again"] = json.dumps({"manifests": [again] * 5}).encode()
    with pytest.raises(InputError):
        read(write(tmp_path, files, "tar"))
