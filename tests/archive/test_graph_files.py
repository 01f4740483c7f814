"""Files of a graph that one process writes while another reads them: never half of each."""

import subprocess
import sys
import threading

import numpy as np
import pytest

from archive.chroma import Chroma

HOLDING = """
import sys
from pathlib import Path
from archive.locking import whole
with whole(Path(sys.argv[1]), "graphs", writes=sys.argv[2] == "writes"):
    print("holding", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path):
    write(tmp_path)
    return tmp_path


def write(home):
    chroma = Chroma(home)
    collection = chroma.create("shelf")
    with chroma.writing():
        collection.upsert(ids=["1"], embeddings=np.ones((1, 4), np.float32) / 2)


def read(home):
    assert Chroma(home).collection("shelf").count() == 1


def held_by_another(home, what, work, patience=1):
    """Whether `work` waits for another process that reads or writes; it must get on when that one is done."""
    argv = [sys.executable, "-c", HOLDING, str(home), what]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "holding\n"
        thread = threading.Thread(target=work, args=(home,))
        thread.start()
        thread.join(patience)
        waited = thread.is_alive()
        other.stdin.close()
        thread.join(60)
        assert not thread.is_alive()
    return waited


def test_a_graph_is_not_read_while_another_process_writes(home):
    assert held_by_another(home, "writes", read)


def test_a_graph_is_not_written_while_another_process_reads_it(home):
    assert held_by_another(home, "reads", write)


def test_two_read_at_the_same_time(home):
    assert not held_by_another(home, "reads", read, patience=60)
