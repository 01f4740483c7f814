"""The word side of the index, on a real Tantivy index: what is found, what comes first, what is left out."""

import shutil
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import pytest
import tantivy
from embedders import WordEmbedder
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.archive import Archive
from archive.articles import TIME_ZONE, Article, Passage, Period
from archive.errors import ArchiveError
from archive.queries import WordQuery, parse_query
from archive.settings import Settings
from archive.words import Words

ROOT = Path(__file__).resolve().parents[2]
# Without others around it, nothing is rare.
OTHERS = [
    f"Meldung {letter} vom Wetter und vom Fußball, wie sie jeden Tag kommt" for letter in "abdefghjklmnopqrsuvwxyz"
]


def passages(texts, title="Titel"):
    return [Passage(f"{number}#0", str(number), 0, text, title) for number, text in enumerate(texts)]


@pytest.fixture
def search(tmp_path):
    """search(texts, query) gives the texts that are found, best first."""
    words = Words(tmp_path)

    def search(texts, query, limit=10):
        given = [*texts, *OTHERS]
        words.apply(passages(given), [])
        return [given[int(passage_id.removesuffix("#0"))] for passage_id, _ in words.search(query, limit, None)]

    yield search
    words.close_writer()


def test_a_part_finds_its_compounds_after_the_word_itself(search):
    texts = ["Sicherheitslücken in Windows", "Eine Lücke klafft zwischen den Zeilen", "Ein Satz ohne sie"]
    assert search(texts, "Lücke") == [texts[1], texts[0]]


def test_a_compound_finds_its_parts_after_itself(search):
    texts = ["Lücke in der Sicherheit", "Die Sicherheitslücke ist seit einem Jahr bekannt", "Speicherlücke", "Zahnarzt"]
    assert search(texts, "Sicherheitslücke") == [texts[1], texts[0], texts[2]]
    assert search(texts, "sicherheitsluecken") == [texts[1], texts[0], texts[2]]


@pytest.mark.parametrize("times", [1, 3, 10])
def test_a_word_comes_before_those_that_it_is_part_of(search, times):
    texts = ["Lücken, über die hier in einem langen Satz berichtet wird", "Sicherheitslücken in Telefonen " * times]
    assert search(texts, "Lücke") == texts


@pytest.mark.parametrize("times", [1, 3, 10])
def test_a_compound_comes_before_its_parts(search, times):
    texts = [
        "Sicherheitslücke, über die hier in einem Satz berichtet wird",
        "Lücken der Sicherheit von Telefonen " * times,
    ]
    assert search(texts, "Sicherheitslücke") == texts


@pytest.mark.parametrize(
    ("query", "whole", "parts"),
    [
        ("iOS 17.4.1", "Apple gibt iOS 17.4.1 frei", "iOS 17 hat 4 Fehler in 1 Monat, 4 in 1 Woche"),
        ("CVE-2024-3094", "Es geht um CVE-2024-3094 hier", "CVE im Jahr 2024: 3094 CVE"),
        ("c't", "Das Magazin c’t testet", "C T C T C T"),
        ("C++", "Ein Buch über C++ ist da", "Vitamin C, C und C"),
        (".NET", "Das Framework .NET wird neu", "net net net"),
        ("GPT-4", "Das Modell GPT-4 schreibt", "GPT: 4 Modelle, 4 GPT"),
        ("A.I.", "Der Film A.I. kommt", "a i a i"),
        ("Node.js", "Server mit Node.js laufen", "node js node js"),
    ],
)
@pytest.mark.parametrize("times", [1, 4])
def test_a_name_comes_before_what_shares_its_pieces(search, query, whole, parts, times):
    found = search([f"{whole} und noch mehr steht in diesem Satz", f"{parts} " * times], query)
    assert found[0].startswith(whole)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("iOS 17", "iOS 17.4.1"), ("iOS 17.4", "iOS 17.4.1"), ("GPT4", "GPT-4"), ("GPT-4", "GPT4"), ("KI", "K.I."),
        ("Email", "E-Mail"), ("E-Mail", "Emails"), ("5g", "5G"), ("log4j", "Log4j"), ("iPhone 15", "iPhone15"),
        ("iPhone15", "iPhone 15"), ("Corona", "Corona-App"), ("Nutzerinnen", "Nutzer:innen"), ("C++", "C++-Kurs"),
        ("strafmass moerder", "Strafmaß für Mörder"), ("Strafmaß", "strafmass"), ("Apps", "App"), ("CO2", "CO₂"),
        ("Datenschutz", "Daten\u00adschutz"),
    ],
)  # fmt: skip
def test_spellings_find_each_other(search, query, text):
    assert search([text], query)[:1] == [text]


def test_phrases_are_held_word_for_word(search):
    texts = ["»Wir schaffen das«, sagte sie.", "Das schaffen wir.", "Wir schaffen alles, auch das."]
    assert search(texts, '"wir schaffen das"') == texts[:1]
    assert sorted(search(texts, "wir schaffen das")) == sorted(texts)
    assert search(texts, '"Titel wir"') == []
    assert search(texts, '"auch das"') == texts[2:]
    assert search(["Ein Buch über C++", "Vitamin C"], '"C++"') == ["Ein Buch über C++"]


def test_a_phrase_is_found_in_the_title_or_in_the_text_but_not_across(tmp_path):
    words = Words(tmp_path)
    words.apply(passages(["Neue Wege sind das Ziel"], title="Der lange Marsch"), [])
    found = [bool(words.search(query, 5, None)) for query in ('"lange Marsch"', '"Wege sind"', '"Marsch neue"')]
    words.close_writer()
    assert found == [True, True, False]


def test_excluded_words_are_left_out(search):
    texts = ["Lücke in Windows", "Lücken in Linux", "Lücke in Word: drei Fehler"]
    assert search(texts, "Lücke -Windows") == texts[1:]
    assert search(texts, "Lücke -linux -word") == texts[:1]
    assert search(texts, 'Lücke -"drei Fehler"') == texts[:2]
    assert search(texts, "-Windows") == []


def test_what_is_found_is_what_the_query_allows(search):
    texts = ["Lücke in Windows", "Eine Lücke im Kernel von Linux", "Lücken im Kernel", "Kernel im Lücke"]
    for query in ('"Lücke im Kernel"', "Lücke -Kernel", 'Lücke -"im Kernel"', "Lücke"):
        allowed = parse_query(query)
        assert set(search(texts, query)) == {text for text in texts if allowed.allows("Titel", text)}


def test_a_query_that_is_taken_apart_already(search):
    texts = ["Lücke in Windows", "Lücke in Linux"]
    assert search(texts, WordQuery("Lücke", excluded=("Linux",))) == texts[:1]


def test_the_title_counts_more_than_the_text(tmp_path):
    words = Words(tmp_path)
    rest = "handelt ein Satz, der noch lange weitergeht"
    in_text = Passage("text#0", "text", 0, f"Von Quanten {rest}", "Physik heute und morgen")
    in_title = Passage("title#0", "title", 0, f"Von Physik {rest}", "Quanten heute und morgen")
    words.apply([in_text, in_title, *passages(OTHERS, title="Meldungen heute und morgen")], [])
    found = words.search("Quanten", 5, None)
    words.close_writer()
    assert [passage_id for passage_id, _ in found] == ["title#0", "text#0"]


def test_a_period_holds_with_operators(tmp_path):
    words = Words(tmp_path)
    days = [datetime(2023, 5, day, 12, tzinfo=TIME_ZONE) for day in (1, 2, 3)]
    words.apply([Passage(f"{d.day}#0", "", 0, "Lücke im Kernel", "Titel", d) for d in days], [])
    period = Period(date(2023, 5, 2), date(2023, 5, 3))
    assert sorted(i for i, _ in words.search('Lücke "im Kernel" -Windows', 5, period)) == ["2#0", "3#0"]
    assert words.search("Lücke -Kernel", 5, period) == []
    words.close_writer()


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    words = Words(tmp_path_factory.mktemp("few"))
    words.apply(passages(["Eine Sicherheitslücke in Windows 11", "C++ und c't"]), [])
    words.close_writer()
    return words


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(), st.text(alphabet="\"'„“«»-+#.*:^~()[]{}\\/?!&|\0\n ß öaC9\u00ad\ud800😀", max_size=80)))
def test_no_text_is_an_error(few, text):
    few.search(text, 5, None)
    few.search(f'Windows "{text}" -{text}', 5, Period(date(2023, 5, 2)))


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "wort " * 50_000, '"' * 999, "tagrad" * 999, "-" * 999 + "x", "1." * 999]
)
def test_long_texts_are_queries_too(few, text):
    assert few.search(text, 5, None) == []
    assert few.search(f"Windows {text}", 5, None) != []


class Unembedding(WordEmbedder):
    """Words are made anew without embedding anything."""

    def embed_passages(self, texts):
        raise AssertionError


def old_index(home):
    """An index with the schema of another version, with one document."""
    folder = home / "words"
    folder.mkdir(parents=True)
    schema = tantivy.SchemaBuilder().add_text_field("id", stored=True, tokenizer_name="raw").build()
    writer = tantivy.Index(schema, path=str(folder)).writer(15_000_000, 1)
    writer.add_document(tantivy.Document(id="old#0"))
    writer.commit()
    writer.wait_merging_threads()


def test_an_index_of_another_version_is_empty_until_it_is_written(tmp_path):
    old_index(tmp_path)
    reader, writer = Words(tmp_path), Words(tmp_path)
    assert reader.count() == 0
    assert reader.search("Lücke", 5, None) == []
    writer.apply(passages(["Eine Lücke"]), [])
    assert reader.search("Lücke", 5, None) == []
    reader.reload()
    assert [i for i, _ in reader.search("Lücke", 5, None)] == ["0#0"]
    writer.close_writer()


def test_an_index_is_rebuilt_beside_the_one_that_is_searched(tmp_path):
    old_index(tmp_path)
    reader, writer = Words(tmp_path), Words(tmp_path)

    def all_passages():
        yield from passages(["Eine Lücke", "Zwei Lücken"])
        assert reader.search("Lücke", 5, None) == []
        reader.reload()

    assert writer.rebuild(all_passages()) == 2
    assert len(writer.search("Lücke", 5, None)) == 2
    reader.reload()
    assert len(reader.search("Lücke", 5, None)) == 2
    writer.apply(passages(["Eine Lücke", "Zwei Lücken", "Drei Lücken"]), [])
    reader.reload()
    assert reader.count() == 3
    writer.close_writer()
    assert [path.name for path in tmp_path.iterdir()] == ["words"]


def test_a_rebuild_that_breaks_off_changes_nothing(tmp_path):
    words = Words(tmp_path)
    words.apply(passages(["Eine Lücke"]), [])

    def broken():
        yield from passages(["Andere Lücke"])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        words.rebuild(broken())
    assert [i for i, _ in words.search("eine", 5, None)] == []
    assert [i for i, _ in words.search("Lücke", 5, None)] == ["0#0"]
    words.close_writer()
    again = Words(tmp_path)
    assert again.rebuild(passages(["Neue Lücke", "Noch eine Lücke"])) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["words"]


def test_an_archive_makes_the_words_of_another_version_anew_when_it_is_opened(tmp_path):
    archive = Archive.open(Settings(home=tmp_path), WordEmbedder())
    article = Article(id="1", title="Titel", text="Eine Lücke")
    with archive.writing():
        archive.ledger.store([(article, [Passage("1#0", "1", 0, article.text, article.title)])])
        archive.index_pending()
    shutil.rmtree(tmp_path / "words")
    old_index(tmp_path)
    reader = Archive.open(Settings(home=tmp_path), Unembedding())
    assert [i for i, _ in reader.index.search_words("Lücke", 5)] == ["1#0"]
    archive.refresh()
    assert [i for i, _ in archive.index.search_words("Lücke", 5)] == ["1#0"]
    reader.close()
    archive.close()


def test_while_another_process_writes_the_words_of_another_version_are_empty(tmp_path):
    archive = Archive.open(Settings(home=tmp_path), WordEmbedder())
    article = Article(id="1", title="Titel", text="Eine Lücke")
    with archive.writing():
        archive.ledger.store([(article, [Passage("1#0", "1", 0, article.text, article.title)])])
        archive.index_pending()
        archive.index.close_writer()
        shutil.rmtree(tmp_path / "words")
        old_index(tmp_path)
        reader = Archive.open(Settings(home=tmp_path), Unembedding())
        assert reader.index.search_words("Lücke", 5) == []
    with reader.writing():
        pass
    assert [i for i, _ in reader.index.search_words("Lücke", 5)] == ["1#0"]
    reader.close()
    archive.close()


def test_a_commit_that_was_killed_leaves_nothing_in_the_next_ones_way(tmp_path):
    words = Words(tmp_path)
    words.apply(passages(["Eine Lücke", "Noch eine Lücke", "Kein Wort davon"]), [])
    words.close_writer()
    before = (tmp_path / "words" / "meta.json").read_bytes()
    words.apply([], ["0#0"])
    words.close_writer()
    # As a kill leaves it: the new files are there, and what names them is not.
    (tmp_path / "words" / "meta.json").write_bytes(before)
    again = Words(tmp_path)
    assert again.count() == 3
    again.apply([], ["0#0"])
    assert sorted(i for i, _ in again.held()) == ["1#0", "2#0"]
    again.close_writer()


def test_a_folder_that_is_gone_says_so(tmp_path):
    words = Words(tmp_path)
    for path in (tmp_path / "words").iterdir():
        path.unlink()
    with pytest.raises(ArchiveError, match="archivar check --repair"):
        words.reload()


def test_searching_loads_no_torch():
    code = "import sys; from archive.words import Words; assert not {'torch', 'transformers'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
