"""Holds the arrows between the rooms, and the lengths of modules and functions, by reading the source."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {"archive", "ingest", "server", "prompts", "evaluation", "training", "setup"}
ARROWS = {
    "archive": set(),
    "prompts": {"archive"},
    "ingest": {"archive"},
    "server": {"archive", "prompts"},
    # ingest: an evaluation that cleans and splits otherwise than the product does measures something else
    "evaluation": {"server", "archive", "ingest", "prompts"},
    # server: negatives are mined with the server's own retrieval, and questions written by its own generator
    "training": {"evaluation", "server", "archive", "prompts"},
    "setup": set(),
    "archivar.py": ROOMS,
    "setup/sample.py": {"archive", "setup"},  # run by .venv's Python once the packages are there
}
MODULE_LINES = 300
FUNCTION_LINES = 50


def sources() -> list[Path]:
    paths = [ROOT / "archivar.py", *(path for room in sorted(ROOMS) for path in sorted((ROOT / room).rglob("*.py")))]
    return [path.relative_to(ROOT) for path in paths]


def imported_rooms(path: Path) -> Iterator[str]:
    """Top-level names that a module imports, inside functions and for type checking too."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("path", sources(), ids=str)
def test_imports_follow_the_arrows(path: Path) -> None:
    room = path.parts[0]
    allowed = ARROWS.get(str(path), ARROWS[room] | {room})

    assert set(imported_rooms(path)) & (ROOMS | {"archivar"}) <= allowed


@pytest.mark.parametrize("path", sources(), ids=str)
def test_modules_and_functions_stay_short(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [node.name for node in functions if (node.end_lineno or node.lineno) - node.lineno >= FUNCTION_LINES]

    assert text.count("\n") <= MODULE_LINES
    assert not long


def test_setup_needs_no_package() -> None:
    """Everything but `sample` runs before anything is installed."""
    for path in (ROOT / "setup").glob("*.py"):
        if path.name != "sample.py":
            names = set(imported_rooms(path.relative_to(ROOT)))
            assert names <= set(sys.stdlib_module_names) | {"setup"}, path


def test_no_module_is_named_after_nothing() -> None:
    assert not {path.name for path in sources()} & {
        "utils.py",
        "helpers.py",
        "base.py",
        "manager.py",
        "factory.py",
        "misc.py",
    }


def test_the_command_line_loads_nothing_heavy():
    heavy = ["chromadb", "tantivy", "numpy", "onnxruntime", "httpx", "fastapi", "trafilatura", "fundus", "torch"]
    code = f"import sys, archivar; sys.exit(' '.join(name for name in {heavy} if name in sys.modules) or None)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
