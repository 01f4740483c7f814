"""Models of a hub, `org/name`: a whole folder of them, one format of the weights."""

import importlib.util
import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from archive.errors import ModelError, ModelMissing
from archive.fetching import Progress, hub_reachable

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
MARKER = "verified.json"  # written last: what it stands beside is whole
ONNX_FILES = (
    "onnx/model_quantized.onnx", "onnx/model_int8.onnx", "onnx/model.onnx",
    "model_quantized.onnx", "model_int8.onnx", "model.onnx",
)  # fmt: skip


def wanted_files(files: Sequence[str]) -> list[str]:
    """Of a hub repository's files, those to download: one format of the weights, ONNX first, and all small ones."""
    onnx = next((name for name in ONNX_FILES if name in files and "tokenizer.json" in files), None)
    small = [name for name in files if name.endswith((".json", ".txt", ".model"))]
    if onnx:
        return small + [name for name in files if name in (onnx, f"{onnx}_data", f"{onnx}.data")]
    safe = [name for name in files if name.endswith(".safetensors") and not name.startswith(("onnx/", "openvino/"))]
    return small + (safe or [name for name in files if name.endswith(".bin") and "/" not in name])


def hub_folder(models: Path, name: str, progress: Progress, *, offline: bool) -> Path:
    """A hub model's folder below `models`, downloaded once. Raises ModelMissing where that may not be, ModelError."""
    folder = models / name.replace("/", "--")
    if (folder / MARKER).is_file():
        return folder
    if offline:
        raise ModelMissing(f"model {name} is not in {models}; run `archivar models pull {name}`")
    if importlib.util.find_spec("huggingface_hub") is None:
        raise ModelError(f"model {name} is on a hub; run `pip install huggingface_hub` to fetch it")
    if not hub_reachable():
        raise ModelError(f"can't fetch {name}: the model hub is out of reach; check the network or name a folder")
    from huggingface_hub import list_repo_files, snapshot_download

    progress(name, 0, 1)
    models.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        try:
            files = wanted_files(list_repo_files(name))
            snapshot_download(name, local_dir=folder, allow_patterns=files)
        except Exception as error:  # the client raises its own, httpx's and OSError
            raise ModelError(f"can't fetch {name}: {error}; check the name and the network") from error
        (folder / MARKER).write_text(json.dumps({"files": files}))
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    progress(name, 1, 1)
    return folder
