"""Batches of the ONNX encoder: each text once, one length each; attention without a mask where nothing is padded."""

import numpy as np
import pytest
from test_encoder import HEADS, LAYERS, TEXTS, random_bert, run
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from archive.encoder_graph import BertShape, encoder_graph
from archive.onnx_encoder import BATCH_TOKENS, _batches, _cutting_after, _vocabularies, _vocabulary


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
    before = len(_vocabularies)
    first, second, other = (_vocabulary(place) for place in places)
    assert first is second and first is not other
    del first, second, other
    assert len(_vocabularies) == before


def test_each_model_cuts_texts_after_its_own_number_of_tokens_and_reads_them_as_the_file_says(tmp_path):
    file = tmp_path / "tokenizer.json"
    words = {word: number for number, word in enumerate(["?", "<s>", "</s>", "ein", "wort", "mehr"])}
    whole = Tokenizer(models.WordLevel(words, unk_token="?"))
    whole.normalizer, whole.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.WhitespaceSplit()
    whole.add_special_tokens(["<s>", "</s>"])
    whole.add_tokens(["C++"])
    ends = [("<s>", 1), ("</s>", 2)]
    whole.post_processor = processors.TemplateProcessing("<s> $A </s>", "<s> $A </s> $B </s>", ends)
    whole.enable_padding(length=20)
    whole.save(str(file))
    whole.no_padding()

    vocabulary = _vocabulary(file)
    cutting = {limit: _cutting_after(limit, vocabulary) for limit in (8, 5)}
    for limit, tokenizer in cutting.items():
        whole.enable_truncation(limit)
        for text in ("Ein Wort", "ein C++ Wort </s> mehr Unsinn " * 3, ("Ein Wort", "mehr " * 9)):
            read = tokenizer.encode(*text) if isinstance(text, tuple) else tokenizer.encode(text)
            expected = whole.encode(*text) if isinstance(text, tuple) else whole.encode(text)
            assert read.ids == expected.ids and read.type_ids == expected.type_ids and len(read.ids) <= limit
