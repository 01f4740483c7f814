"""German text taken apart into stems, names, compounds and wording."""

import pytest

from archive.compounds import compound_parts
from archive.german import names, normalized, parts, stem, stems, wording


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("strafmass moerder", "Strafmaß Mörder"),
        ("groesste", "größte"),
        ("Duesseldorf", "Düsseldorf"),
        ("Oel", "Öl"),
        ("Masse", "Maße"),
        ("Haeuser", "Haus"),
        ("fussgaenger", "Fußgänger"),
    ],
)
def test_umlauts_and_their_spellings_are_one(typed, printed):
    assert stems(typed) == stems(printed)
    assert wording(printed.lower()) == wording(wording(printed))


@pytest.mark.parametrize(
    ("one", "other"),
    [("neue", "neuer"), ("neu", "neues"), ("Israel", "Israels"), ("Quelle", "Quellen"), ("Mauer", "Mauern"),
     ("Kamera", "Kameras"), ("App", "Apps"), ("Handy", "Handys"), ("Akku", "Akkus"), ("Lücke", "Lücken")],
)  # fmt: skip
def test_forms_of_a_word_share_its_stem(one, other):
    assert stems(one) == stems(other) != []


@pytest.mark.parametrize(
    ("one", "other"),
    [("Israel", "Isar"), ("neue", "Neon"), ("Haus", "hauen"), ("Preis", "Prei"), ("Maus", "Mauer"), ("Öl", "Ulm")],
)
def test_other_words_keep_stems_of_their_own(one, other):
    assert stems(one) != stems(other)


def test_function_words_have_no_stem_in_a_text_but_by_themselves():
    assert stems("die Lücke in der Sicherheit") == [stem("lücke"), stem("sicherheit")]
    assert stem("die") == "die"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("sicherheitslücke", {"sicherheit", "lücke"}),
        ("sicherheitsluecken", {"sicherheit", "lücken"}),
        ("apfelsaft", {"apfel", "saft"}),
        ("schulbuch", {"schule", "buch"}),
        ("strafmaß", {"strafe", "maß"}),
        ("fahrverbot", {"fahren", "verbot"}),
        ("bundestagswahl", {"bundes", "bundestag", "tag", "tagswahl", "wahl"}),
        ("iphone15", {"iphone", "15"}),
    ],
)
def test_compounds_come_apart(word, expected):
    assert {stem(part) for part in compound_parts(word)} == {stem(part) for part in expected}


@pytest.mark.parametrize(
    "word",
    ["microsoft", "windows", "kamera", "frankreich", "heidelberg", "stuttgart", "kaspersky", "minister", "professor",
     "semester", "operation", "regierung", "kandidat", "transparenz", "mannschaft", "untersuchung", "lücke", "rad", ""],
)  # fmt: skip
def test_whole_words_stay_whole(word):
    assert compound_parts(word) == ()


def test_words_beyond_measure_are_no_compounds():
    assert compound_parts("tag" * 5000) == ()
    assert compound_parts("tagrad" * 9) == compound_parts("tagrad" * 9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("iOS 17.4.1 ist da.", {"17.4.1", "17.4"}),
        ("CVE-2024-3094", {"cve2024-3094", "cve2024", "2024-3094"}),
        ("c’t, c't-Test", {"c't", "c'ttest"}),
        ("C++, C# und .NET", {"c++", "c#", ".net"}),
        ("GPT-4", {"gpt4"}),
        ("A.I. in den U.S.A.", {"ai", "usa"}),
        ("E-Mail-Adresse", {"email", "emailadresse", "mailadresse"}),
        ("AT&T um 16:9", {"at&t", "16:9"}),
        ("Nutzer:innen", {"nutzerinnen"}),
        ("Ein Satz. Noch einer - und Schluss, 5G mit Log4j", set()),
        ("eins-zwei-drei-vier-fünf-sechs", {"einszweidreivierfünfsechs"}),
    ],
)
def test_names_are_what_words_tear_apart(text, expected):
    assert set(names(normalized(text))) == expected


def test_a_long_row_of_figures_is_one_name():
    assert len(list(names("1." * 20_000 + "1"))) == 1


def test_what_no_eye_sees_is_no_part_of_a_word():
    assert normalized("Sicher\u00adheits\u200blu\u0308cke") == "Sicherheitslücke"
    assert normalized("CO₂ \ud800") == "CO2 ?"
    assert normalized("c’t c´t Wi‑Fi") == "c't c't Wi-Fi"


def test_parts_of_a_text_come_in_order():
    assert parts("Der Datenschutz im Strafraum") == [stem(word) for word in ("daten", "schutz", "strafe", "raum")]


def test_the_wording_keeps_every_word():
    assert wording("„Wir schaffen das“, sagte (die) Größte.") == "wir schaffen das sagte die groesste"
