"""Batches of the ONNX encoder: each text once, one length each; attention without a mask where nothing is padded."""

import numpy as np
import pytest
from test_encoder import HEADS, LAYERS, TEXTS, random_bert, run

from archive.encoder_graph import BertShape, encoder_graph
from archive.onnx_encoder import BATCH_TOKENS, _batches


def test_a_batch_holds_texts_of_one_length_and_long_ones_come_first():
    lengths = [*np.random.default_rng(0).integers(1, 40, 2000).tolist(), BATCH_TOKENS + 1]
    batches = list(_batches(lengths))
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    assert all(len({lengths[place] for place in batch}) == 1 for batch in batches)
    assert all(sum(lengths[place] for place in batch) <= BATCH_TOKENS for batch in batches[1:])
    firsts = [lengths[batch[0]] for batch in batches]
    assert firsts == sorted(firsts, reverse=True) and batches[0].tolist() == [2000]
    assert max(len(batch) for batch in batches) > 10


@pytest.mark.parametrize("labels", [0, 1])
def test_padding_changes_nothing_beside_a_text_alone(labels):
    weights = random_bert(labels=labels)
    together = run(weights, TEXTS)
    alone = np.concatenate([run(weights, [text]) for text in TEXTS])
    assert together == pytest.approx(alone, abs=0.02 if not labels else 0.1)


def test_attention_has_both_branches_and_only_one_takes_the_mask():
    graph = encoder_graph(random_bert(), BertShape(heads=HEADS, layers=LAYERS)).graph
    branches = [attribute.g.node[0] for node in graph.node if node.op_type == "If" for attribute in node.attribute]
    assert len(branches) == 2 * LAYERS and {node.op_type for node in branches} == {"MultiHeadAttention"}
    assert sorted("mask" in node.input for node in branches) == [False] * LAYERS + [True] * LAYERS
