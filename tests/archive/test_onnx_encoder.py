"""Batches of the ONNX encoder: each text once, one length each; attention without a mask where nothing is padded."""

import numpy as np
import pytest
from test_encoder import HEADS, LAYERS, TEXTS, random_bert, run
from tokenizers import Tokenizer, models

from archive.encoder_graph import BertShape, encoder_graph
from archive.onnx_encoder import BATCH_TOKENS, _batches, _reader, _readers


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


def test_models_of_one_vocabulary_share_it_as_long_as_one_of_them_is_there(tmp_path):
    places = [tmp_path / name / "tokenizer.json" for name in ("a", "b", "c")]
    for place, vocabulary in zip(places, ({"x": 0}, {"x": 0}, {"x": 1}), strict=True):
        place.parent.mkdir()
        Tokenizer(models.WordLevel(vocabulary, unk_token="x")).save(str(place))
    before = len(_readers)
    first, second, other, shorter = (*(_reader(place, 8) for place in places), _reader(places[0], 4))
    assert first is second
    assert len({id(reader) for reader in (first, other, shorter)}) == 3
    assert first.tokenizer.truncation["max_length"] == 8 and shorter.tokenizer.truncation["max_length"] == 4
    del first, second, other, shorter
    assert len(_readers) == before
