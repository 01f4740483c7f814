"""Writers that are killed: a process that imports everything once and forks for each job, so that it can be killed
at any moment of the job's own time, from opening the archive to closing it.

Run as a program it reads one job a line, `["step", home, 3]`, answers with the child's process id, and when that has
ended with its exit status (negative: the signal).
"""

import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
START, NEW, CHANGED, REMOVED = 150, 8, 8, 2  # articles at first, and of each step; as many withdrawn as removed
_WORDS = [f"{first}{second}" for first in "Haus Baum Werk Licht Stein Wasser Feld Berg".split()
          for second in "bau gang tor weg mann rat lage wert zahl plan kraft bild".split()]  # fmt: skip


class Writers:
    """Jobs in forked processes, each run to its end or killed after some seconds."""

    def __init__(self) -> None:
        command = [sys.executable, str(Path(__file__).resolve())]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        )  # fmt: skip

    def run(self, *job: object, after: float | None = None) -> int:
        """Exit status of a job, -9 where it was killed `after` so many seconds."""
        self._process.stdin.write(json.dumps(job, default=str) + "\n")
        self._process.stdin.flush()
        pid = int(self._process.stdout.readline())
        if after is not None:
            time.sleep(after)
            os.kill(pid, signal.SIGKILL)  # one that has ended is there till the next line is read
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        with self._process:  # closes both pipes, and waits
            self._process.stdin.close()


def article(number: int, version: int) -> dict:
    chance = random.Random(f"{number}/{version}")
    day = datetime(2022, 1, 1, 12) + timedelta(days=random.Random(number).randrange(1000))
    paragraphs = [" ".join(chance.choices(_WORDS, k=60)).capitalize() + "." for _ in range(4)]
    return {
        "id": f"a{number}", "title": f"Meldung Nummer {number}", "published": f"{day.isoformat()}+01:00",
        "text": "\n\n".join([f"Kennwort{number}x{version} {paragraphs[0]}", *paragraphs[1:]]),
        "url": f"https://zeitung.example/{number}", "source": "zeitung.example",
    }  # fmt: skip


def changes(step: int) -> tuple[list[dict], list[str], list[str]]:
    """What a step brings: articles, new and changed, ids to withdraw, ids to remove for good."""
    if step == 0:
        return [article(number, 0) for number in range(START)], [], []
    first = START + (step - 1) * NEW
    old = random.Random(step).sample(range(first), CHANGED + 2 * REMOVED)
    articles = [article(number, step) for number in [*range(first, first + NEW), *old[:CHANGED]]]
    random.Random(step).shuffle(articles)
    leaving = [f"a{number}" for number in old[CHANGED:]]
    return articles, leaving[:REMOVED], leaving[REMOVED:]


def _open(home: str):
    from embedders import WordEmbedder

    from archive.archive import Archive
    from archive.settings import Settings

    return Archive.open(Settings(home=Path(home)), WordEmbedder())


def step(home: str, number: int) -> None:
    """Ingest a step's articles, withdraw and remove what it takes away. Doing it again changes nothing more."""
    from ingest.pipeline import ingest
    from ingest.removal import named, remove

    articles, withdrawn, removed = changes(number)
    source = Path(home).parent / f"step-{number}-{os.getpid()}.jsonl"
    source.write_text("".join(json.dumps(one) + "\n" for one in articles))
    archive = _open(home)
    ingest([str(source)], archive)
    with archive.writing():
        for article_id in withdrawn:
            archive.ledger.withdraw(article_id)
        archive.index_pending()
    if found := named(archive, removed)[0]:
        remove(archive, found)
    archive.close()


def mend(home: str) -> None:
    """What `archivar check --repair` does."""
    archive = _open(home)
    with archive.writing():
        archive.mend()
        archive.index_pending()
    archive.close()


def words(home: str) -> None:
    archive = _open(home)
    with archive.writing():
        archive.rebuild_words()
    archive.close()


def look(home: str, result: str) -> None:
    """What an archive holds and answers, written to `result`."""
    from archive.checking import compare

    archive = _open(home)
    found = compare(archive.ledger, archive.index.vectors, archive.index.words)
    rows = archive.ledger.db.execute("SELECT id, content_hash, version, withdrawn IS NULL FROM articles ORDER BY id")
    vectors, entries = (sorted(side) for side in archive.index.held())
    Path(result).write_text(json.dumps({
        "findings": [str(finding) for finding in found.findings],
        "articles": [list(row) for row in rows],
        "vectors": vectors, "words": entries,
        "answers": [_answers(archive, query) for query in queries()],
    }))  # fmt: skip
    archive.close()


def queries() -> list[str]:
    chance = random.Random("queries")
    return [" ".join(chance.choices(_WORDS, k=6)) for _ in range(12)]


def _answers(archive, query: str) -> list:
    vector = archive.embedder.embed_queries([query])[0]
    dense = [[passage_id, round(score, 4)] for passage_id, score in archive.index.search_dense(vector, 5)]
    return [dense, sorted(passage_id for passage_id, _ in archive.index.search_words(query, 100_000))]


def _small() -> None:
    """Limits at which a few hundred articles do what takes hundreds of thousands else."""
    import archive.archive
    import archive.chroma
    import archive.splitting
    import ingest.pipeline

    archive.archive._BATCH, ingest.pipeline.BATCH = 16, 10
    archive.splitting.FULL, archive.splitting.OVERFULL = 120, 180
    hnsw = {"batch_size": 10, "sync_threshold": 25}
    archive.chroma._HNSW = type(archive.chroma._HNSW)(**{**archive.chroma._HNSW, **hnsw})


def main() -> None:
    import ingest.pipeline
    import ingest.removal  # noqa: F401

    _small()
    jobs = {"step": step, "mend": mend, "words": words, "look": look}
    while line := sys.stdin.readline():
        name, *arguments = json.loads(line)
        if (pid := os.fork()) == 0:
            os._exit(_do(jobs[name], arguments))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        sys.stdin.readline()
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n")
        sys.stdout.flush()


def _do(job, arguments: list) -> int:
    logging.basicConfig(
        level=logging.WARNING,
        format="%(asctime)s %(message)s",
        filename=Path(arguments[0]).with_suffix(".log"),
        force=True,
    )
    try:
        job(*arguments)
    except BaseException:
        logging.exception("%s %s", job.__name__, arguments)
        return 1
    return 0


if __name__ == "__main__":
    main()
