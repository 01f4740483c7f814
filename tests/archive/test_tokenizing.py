"""Vocabularies, shared by models; compiled ones cut texts into the tokens that their tokenizer.json says."""

import json
import random
from importlib.resources import files
from pathlib import Path

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from archive import tokenizing
from archive.errors import ModelError
from archive.models import ModelStore
from archive.pieces import COMPILED, compile_tokenizer
from archive.settings import Settings
from archive.tokenizing import vocabulary_of

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
ODD = (
    "", " ", "  a  b ", "\u200b", "\t\n", "a\x00b", "▁a▁b▁", " ▁ a", "</s>", "a</s> b", "<s><mask></s>", "<mask",
    "\uff1cs\uff1e", "U\u0308bung", "e\u0301\u0302x", "ﬁ ½ ™ ①", "👨‍👩‍👧 ok 🇩🇪", "ภาษาไทย",
    "한국어", "soft\u00adhyphen", "\u202eabc", "Grüße aus Köln, 3.000 € für den 1. Platz!", "ß" * 9, "a" * 70,
)  # fmt: skip


def test_models_of_one_vocabulary_share_it_as_long_as_one_of_them_is_there(tmp_path):
    places = [tmp_path / name / "tokenizer.json" for name in ("a", "b", "c")]
    for place, vocabulary in zip(places, ({"x": 0}, {"x": 0}, {"x": 1}), strict=True):
        place.parent.mkdir()
        Tokenizer(models.WordLevel(vocabulary, unk_token="x")).save(str(place))
    before = len(tokenizing._known)
    first, second, other = (vocabulary_of(place) for place in places)
    assert first is second and first is not other
    del first, second, other
    assert len(tokenizing._known) == before


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

    vocabulary = vocabulary_of(file)
    cutting = {limit: vocabulary.cutting_after(limit) for limit in (8, 5)}
    texts = ["Ein Wort", "ein C++ Wort </s> mehr Unsinn " * 3, ("Ein Wort", "mehr " * 9)]
    for limit, cutter in cutting.items():
        whole.enable_truncation(limit)
        expected = whole.encode_batch(texts)
        for read, wanted in zip(cutter.encode(texts), expected, strict=True):
            assert read.ids == wanted.ids and read.type_ids == wanted.type_ids and len(read.ids) <= limit


def unigram(file, pieces=None, **changed):
    """A tokenizer.json of XLM-RoBERTa's kind; `changed` takes the place of its parts."""
    chance = random.Random(1)
    letters = "▁abcdefghijklmnopqrstuvwxyzüößG.,013€! "
    syllables = {"".join(chance.choices(letters[1:-1], k=chance.randint(2, 4))) for _ in range(3000)}
    words = pieces or [*letters, *sorted(syllables), *(f"▁{one}" for one in sorted(syllables)[::2])]
    scored = [(special, 0.0) for special in SPECIAL] + [(word, -chance.uniform(3, 20)) for word in words]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=3, byte_fallback=False))
    charsmap = (files("sentencepiece") / "package_data" / "nmt_nfkc.bin").read_bytes()
    blanks = normalizers.Replace(Regex(" {2,}"), " ")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Precompiled(charsmap), blanks])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.add_special_tokens([AddedToken(special, normalized=False) for special in SPECIAL])
    ends = [("<s>", 0), ("</s>", 2)]
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A </s>", "<s> $A </s> </s> $B </s>", ends)
    for part, value in changed.items():
        setattr(tokenizer, part, value)
    tokenizer.save(str(file))
    return tokenizer


def compiled(folder: Path, tokenizer: Path) -> Path:
    """A folder's tokenizer.json with the compiled one beside it."""
    compile_tokenizer(tokenizer, folder / COMPILED)
    return folder / "tokenizer.json"


def same(cutter, tokenizer, texts):
    """Whether both cut all of the texts alike, and pairs of their beginnings."""
    begun = [text[:90] for text in texts]  # tokenizers makes all that it cuts off into further pairs
    for asked in (list(texts), list(zip(begun, reversed(begun), strict=True))):
        for text, read, wanted in zip(asked, cutter.encode(asked), tokenizer.encode_batch(asked), strict=True):
            assert read.ids == wanted.ids, text
            assert read.type_ids == wanted.type_ids


@pytest.mark.parametrize("limit", [512, 40, 15])
def test_a_compiled_vocabulary_cuts_texts_as_its_tokenizer_does(tmp_path, limit):
    tokenizer = unigram(tmp_path / "tokenizer.json")
    cutter = vocabulary_of(compiled(tmp_path, tmp_path / "tokenizer.json")).cutting_after(limit)
    chance = random.Random(2)
    alphabet = [*"abcdefghijklmnopqrstuvwxyzüößG.,013€!", *"   \t\u00a0", "\u0308", "Ж", "</s>"]
    texts = ["".join(chance.choices(alphabet, k=chance.randint(1, 90))) for _ in range(150)]
    tokenizer.enable_truncation(limit)
    same(cutter, tokenizer, [*ODD, *texts, "ab " * 700])


def test_models_share_what_was_compiled_of_one_tokenizer(tmp_path):
    places = [tmp_path / name for name in "ab"]
    unigram(tmp_path / "tokenizer.json")
    first, second = (
        vocabulary_of(compiled(place, tmp_path / "tokenizer.json")) for place in places if not place.mkdir()
    )
    assert first is second


@pytest.mark.parametrize(
    "changed",
    [
        {"normalizer": normalizers.Lowercase()},
        {"normalizer": normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])},
        {"pre_tokenizer": pre_tokenizers.WhitespaceSplit()},
        {"pre_tokenizer": pre_tokenizers.Metaspace(prepend_scheme="never")},
        {"post_processor": processors.TemplateProcessing("$A </s>", "$A </s> $B </s>", [("</s>", 2)])},
        {"model": models.WordLevel({"<unk>": 0}, unk_token="<unk>")},
        {"model": models.Unigram([("<unk>", 0.0), ("a▁b", -1.0)], unk_id=0, byte_fallback=False)},
        {"model": models.Unigram([("<unk>", 0.0), ("<0x00>", -1.0)], unk_id=0, byte_fallback=True)},
    ],
    ids=["normalizer", "normalizers", "words", "prefix", "ends", "model", "pieces", "bytes"],
)
def test_another_kind_of_tokenizer_is_refused(tmp_path, changed):
    unigram(tmp_path / "tokenizer.json", **changed)
    with pytest.raises(ModelError, match=r"tokenizer\.json can't be compiled"):
        compile_tokenizer(tmp_path / "tokenizer.json", tmp_path / COMPILED)
    assert not (tmp_path / COMPILED).exists()


@pytest.mark.models
def test_the_default_models_read_texts_as_their_tokenizer_does():
    folder = ModelStore(Settings().models, offline=True).path("multilingual-e5-small-q4")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(512)
    sample = Path(__file__).parents[2] / "sample" / "articles.jsonl"
    texts = [json.loads(line)["text"] for line in sample.read_text(encoding="utf-8").splitlines()]
    vocabulary = vocabulary_of(folder / "tokenizer.json")
    assert type(vocabulary).__name__ == "PieceVocabulary"
    same(vocabulary.cutting_after(512), tokenizer, [*ODD, *texts, "ab " * 700])
