"""`python -m setup TARGET`: sets up what `make TARGET` needs, side by side, and says so line by line."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType

from setup.checks import SetupError, check_compiler, check_disk, check_python
from setup.progress import Console
from setup.running import Runner
from setup.steps import Checkout, Plan

TARGETS = ("setup", "chat", "serve", "test", "lint")
# Room that each part takes on disk, downloads and build folders included
GIGABYTES = {"packages": 1.0, "packages test": 0.2, "llama.cpp": 0.8, "webui": 2.2, "models": 3.0}


def plan_for(target: str, checkout: Checkout, runner: Runner) -> Plan:
    """Each target's own steps: lint needs neither models nor a compiler, serve no Open WebUI."""
    plan = Plan(checkout, runner)
    plan.add_venv("archivar", checkout.venv)
    plan.add_packages()
    if target in ("test", "lint"):
        plan.add_packages("test")
    if target != "lint":
        if checkout.generator.startswith("llamacpp:"):
            plan.add_llamacpp()
        plan.add_models()
    if target in ("setup", "chat", "test"):
        plan.add_webui()
    if target in ("chat", "serve"):
        plan.add_sample()
    return plan


def check(plan: Plan, checkout: Checkout) -> None:
    """Everything that is known to be missing is said before the first download. Raises SetupError."""
    names = {step.name for step in plan.steps}
    if "compile" in names:
        check_compiler()
    if any(checkout.models.glob("*")):
        names.discard("models")
    below = {
        checkout.venv: {"packages", "packages test", "llama.cpp"},
        checkout.webui: {"webui"},
        checkout.models: {"models"},
    }
    check_disk({folder: sum(GIGABYTES[name] for name in parts & names) for folder, parts in below.items()})


def interrupt(number: int, frame: FrameType | None) -> None:
    """Ctrl-C, a closed terminal and SIGTERM are one."""
    raise KeyboardInterrupt


def main(target: str) -> int:
    """Exit code: 0 ready, 1 failed with one line, 130 stopped."""
    console = Console(sys.stderr)
    checkout = Checkout.here(Path(__file__).resolve().parent.parent)
    runner = Runner(console, checkout.root / "build" / "logs")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        check_python()
        plan = plan_for(target, checkout, runner)
        check(plan, checkout)
        if parts := sorted({step.part for step in plan.steps} - {"models", "sample"}):
            console.say("setup", f"once only: {', '.join(parts)}; up to 12 minutes on two cores")
        runner.run(plan.steps)
        if parts:
            console.say("setup", "ready")
    except SetupError as error:
        sys.stderr.write(f"setup: {error}\n")
        return 1
    except KeyboardInterrupt:
        runner.stop()
        sys.stderr.write("setup: stopped; run it again to go on\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if sys.argv[1:] and sys.argv[1] in TARGETS else "setup"))
