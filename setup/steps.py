"""The steps of setting up, and which of them a checkout still needs."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from setup.progress import BuildProgress, FolderProgress, PipProgress
from setup.running import Runner, Step

LLAMACPP = "llama-cpp-python"
WEBUI_PACKAGES = "requirements-webui.txt"
# Only the text model's library is used; without those for vision and for llama.cpp's programs, half is left to compile
CMAKE_ARGS = "-DLLAVA_BUILD=OFF -DCMAKE_PROJECT_INCLUDE={file}"


@dataclass(frozen=True)
class Checkout:
    """Where things lie, and what the user chose by environment."""

    root: Path
    models: Path
    generator: str

    @classmethod
    def here(cls, root: Path) -> Checkout:
        """`root` with the environment's choices."""
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return cls(
            root=root,
            models=Path(os.environ.get("ARCHIVAR_MODELS") or cache / "archivar"),
            generator=os.environ.get("ARCHIVAR_GENERATOR") or "llamacpp:",
        )

    @property
    def venv(self) -> Path:
        """Our own packages."""
        return self.root / ".venv"

    @property
    def webui(self) -> Path:
        """Open WebUI's, which pins other versions than we do."""
        return self.root / ".venv-webui"

    def pin(self, name: str) -> str:
        """`name==version` as the constraints file has it."""
        lines = (self.root / "constraints.txt").read_text(encoding="utf-8").splitlines()
        return next(line for line in lines if line.startswith(f"{name}=="))


class Plan:
    """Collects the steps of a target. A step whose stamp holds the right key is left out."""

    def __init__(self, checkout: Checkout, runner: Runner) -> None:
        self._checkout = checkout
        self._runner = runner
        self.steps: list[Step] = []

    def add_venv(self, part: str, venv: Path) -> None:
        """An empty virtual environment of the Python that runs this."""

        def make() -> None:
            # --clear: a folder made by another Python, or moved here, can't be mended
            self._runner.command(part, [sys.executable, "-m", "venv", "--clear", venv], FolderProgress())

        self._add_stamped(part, f"venv {venv.name}", venv / ".archivar-venv", key("venv", str(venv), sys.version), make)

    def add_packages(self, extra: str = "") -> None:
        """Our own packages, editable; `extra` is one of pyproject's."""
        name = f"packages {extra}".strip()
        target = f"{self._checkout.root}[{extra}]" if extra else str(self._checkout.root)
        argv = ["-c", str(self._checkout.root / "constraints.txt"), "-e", target]
        after = ("venv .venv",) if not extra else ("packages",)
        self._add_pip("archivar", name, self._checkout.venv, argv, after, ("constraints.txt", "pyproject.toml"))

    def add_llamacpp(self) -> None:
        """Compiling takes longest, so it begins at once; the wheel goes in when the packages are there."""
        venv, wheels = self._checkout.venv, self._checkout.root / "build" / "wheels"
        pin = self._checkout.pin(LLAMACPP)

        def build() -> None:
            argv = [*pip(venv, "wheel"), "-v", "--no-deps", "-w", str(wheels), pin]
            jobs = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL") or str(os.cpu_count() or 1)
            ours = CMAKE_ARGS.format(file=self._checkout.root / "setup" / "llama.cmake")
            args = f"{ours} {os.environ.get('CMAKE_ARGS', '')}".strip()
            env = {"CMAKE_BUILD_PARALLEL_LEVEL": jobs, "CMAKE_ARGS": args}
            self._runner.command("llama.cpp", argv, BuildProgress(), env)

        def install() -> None:
            constraints = str(self._checkout.root / "constraints.txt")
            argv = [*pip(venv, "install"), "-c", constraints, "--find-links", str(wheels), pin]
            self._runner.command("llama.cpp", argv, PipProgress(site_packages(venv)))

        stamp, mark = venv / ".archivar-llama.cpp", key(pin)
        built = key("wheel", pin, os.environ.get("CMAKE_ARGS", ""))
        if not stamped(stamp, mark):
            self._add_stamped("llama.cpp", "compile", wheels / ".archivar-built", built, build, ("venv .venv",))
            self._add_stamped("llama.cpp", "llama.cpp", stamp, mark, install, ("compile", "packages"))

    def add_webui(self) -> None:
        """Open WebUI from a complete list, without dependencies: so torch, which it can do without, stays out."""
        venv = self._checkout.webui
        self.add_venv("webui", venv)
        argv = ["--no-deps", "-r", str(self._checkout.root / WEBUI_PACKAGES)]
        self._add_pip("webui", "webui", venv, argv, (f"venv {venv.name}",), (WEBUI_PACKAGES,))

    def add_models(self) -> None:
        """Always asked: the store itself knows what it holds, and its folder may have been deleted."""

        def pull() -> None:
            command = [str(self._checkout.venv / "bin" / "archivar"), "models", "pull"]
            self._runner.command("models", command, FolderProgress(self._checkout.models))

        self.steps.append(Step("models", "models", pull, ("packages",)))

    def add_sample(self) -> None:
        """Articles for an archive that has none yet; asked each time, as the archive may have been deleted."""

        def fill() -> None:
            command = [str(self._checkout.venv / "bin" / "python"), "-m", "setup.sample"]
            self._runner.command("sample", command, FolderProgress())

        self.steps.append(Step("sample", "sample", fill, ("packages", "models")))

    def _add_pip(
        self, part: str, name: str, venv: Path, argv: list[str], after: tuple[str, ...], files: tuple[str, ...]
    ) -> None:
        contents = [(self._checkout.root / file).read_text(encoding="utf-8") for file in files]

        def install() -> None:
            # Bytecode is left to the first import: most of these modules are never imported
            command = [*pip(venv, "install"), "--no-compile", *argv]
            self._runner.command(part, command, PipProgress(site_packages(venv)))

        stamp = venv / f".archivar-{name.replace(' ', '-')}"
        self._add_stamped(part, name, stamp, key(*argv, *contents), install, after)

    def _add_stamped(
        self, part: str, name: str, stamp: Path, mark: str, do: Callable[[], None], after: tuple[str, ...] = ()
    ) -> None:
        if stamped(stamp, mark):
            return

        def run() -> None:
            do()
            stamp.parent.mkdir(parents=True, exist_ok=True)
            stamp.write_text(mark, encoding="utf-8")

        self.steps.append(Step(name, part, run, after))


def key(*parts: str) -> str:
    """What a stamp holds: a digest of all that a step depends on."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def stamped(stamp: Path, mark: str) -> bool:
    """Was the step done, with all that it depends on as it is now?"""
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == mark


def pip(venv: Path, command: str) -> list[str]:
    """The start of a pip command line."""
    return [str(venv / "bin" / "python"), "-m", "pip", command, "--disable-pip-version-check", "--progress-bar", "off"]


def site_packages(venv: Path) -> Path:
    """Where a virtual environment keeps its packages."""
    return venv / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
