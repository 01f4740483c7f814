"""`archivar train`: a reranker and an embedder of one's own, from the archive and from files of questions."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

train_app = typer.Typer(help="Train a reranker or an embedder. Needs the extra `torch`.", no_args_is_help=True)

Squad = Annotated[list[Path] | None, typer.Option("--squad", help="Questions in SQuAD's format; may be repeated.")]
Pairs = Annotated[
    list[Path] | None, typer.Option("--pairs", help="JSON lines with question and answer; may be repeated.")
]
Questions = Annotated[
    list[Path] | None,
    typer.Option("--questions", help="Editors' questions with golds in the archive, to learn from; may be repeated."),
]
HoldOut = Annotated[
    list[Path] | None, typer.Option("--hold-out", help="Evaluation questions: nothing is learned of their articles.")
]
Headlines = Annotated[int, typer.Option(min=0, help="Headlines of the archive to learn from as questions.")]
Teasers = Annotated[int, typer.Option(min=0, help="Teasers of the archive to learn from, answered by headlines.")]
Synthetic = Annotated[int, typer.Option(min=0, help="Passages that the generator writes questions for.")]
Epochs = Annotated[int, typer.Option(min=1, help="How often each question is learned from.")]
Out = Annotated[Path, typer.Option("--out", help="Folder for the trained model.")]


@train_app.command()
def reranker(
    out: Out,
    squad: Squad = None,
    pairs: Pairs = None,
    questions: Questions = None,
    hold_out: HoldOut = None,
    headlines: Headlines = 1500,
    teasers: Teasers = 1500,
    synthetic: Synthetic = 0,
    epochs: Epochs = 2,
    layers: Annotated[int, typer.Option(min=1, help="Layers of the embedder that are kept.")] = 6,
) -> None:
    """Train a cross-encoder on the embedder's lower layers, calibrate it, and write it to a folder.

    What was mined and written lies in ARCHIVAR_HOME/training, so that an interrupted run goes on from there.
    """
    from training.reranker import Recipe
    from training.run import Sources, train_reranker

    read = tuple(squad or ()), tuple(pairs or ()), tuple(questions or ())
    sources = Sources(*read, tuple(hold_out or ()), headlines, teasers, synthetic)
    train_reranker(sources, Recipe(epochs=epochs, layers=layers), out, _said())


@train_app.command()
def embedder(
    out: Out,
    squad: Squad = None,
    pairs: Pairs = None,
    questions: Questions = None,
    hold_out: HoldOut = None,
    headlines: Headlines = 1500,
    teasers: Teasers = 1500,
    synthetic: Synthetic = 0,
    epochs: Epochs = 1,
) -> None:
    """Fine-tune the embedder by contrast, with hard negatives and those of the same batch, and say whether it won.

    What comes out is a model folder for ARCHIVAR_EMBEDDER. Another embedder needs another archive.
    """
    from training.embedder import ContrastiveRecipe
    from training.run import Sources, train_embedder

    read = tuple(squad or ()), tuple(pairs or ()), tuple(questions or ())
    sources = Sources(*read, tuple(hold_out or ()), headlines, teasers, synthetic)
    train_embedder(sources, ContrastiveRecipe(epochs=epochs), out, _said())


def _said() -> Callable[[str], None]:
    from rich.console import Console

    console = Console(stderr=True)
    return lambda line: console.print(line, highlight=False, soft_wrap=True)
