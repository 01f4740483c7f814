"""Short messages of the chat, German and English."""

from collections.abc import Sequence
from datetime import date

from archive.articles import german_date
from server.understanding import Language

_WORDING: dict[str, dict[Language, str]] = {
    "searching": {"de": "Durchsuche das Archiv …", "en": "Searching the archive …"},
    "searching_period": {"de": "Durchsuche das Archiv ({period}) …", "en": "Searching the archive ({period}) …"},
    "queue": {"de": "Platz {place} in der Warteschlange …", "en": "Place {place} in the queue …"},
    "busy": {
        "de": "Gerade fragen zu viele auf einmal. Bitte in einer Minute noch einmal fragen.",
        "en": "Too many are asking just now. Please ask again in a minute.",
    },
    "quota_minute": {
        "de": "Das Kontingent an Fragen ist für diese Minute aufgebraucht. Bitte in einer Minute noch einmal fragen.",
        "en": "The quota of questions is used up for this minute. Please ask again in a minute.",
    },
    "quota_day": {
        "de": "Das Kontingent an Fragen ist für heute aufgebraucht. Morgen geht es weiter.",
        "en": "The quota of questions is used up for today. It goes on tomorrow.",
    },
    "stopping": {
        "de": "Der Server wird gerade beendet, deshalb bricht die Antwort hier ab. Bitte gleich noch einmal fragen.",
        "en": "The server is being stopped, so the answer breaks off here. Please ask again in a moment.",
    },
    "engine_away": {
        "de": "Das Sprachmodell ist gerade nicht erreichbar. Bitte in einer Minute noch einmal fragen.",
        "en": "The language model can't be reached just now. Please ask again in a minute.",
    },
    "engine_silent": {
        "de": "Das Sprachmodell antwortet nicht mehr, die Antwort ist nicht vollständig. Bitte noch einmal fragen.",
        "en": "The language model has fallen silent, the answer is not complete. Please ask again.",
    },
    "engine_failed": {
        "de": "Das Sprachmodell ist ausgefallen, die Antwort ist nicht vollständig. Bitte noch einmal fragen.",
        "en": "The language model has failed, the answer is not complete. Please ask again.",
    },
    "archive_failed": {
        "de": "Das Archiv kann gerade nicht durchsucht werden. Bitte in einer Minute noch einmal fragen.",
        "en": "The archive can't be searched just now. Please ask again in a minute.",
    },
    "key_wrong": {
        "de": "Der Schlüssel zum Archiv ist falsch oder abgelaufen. Wer diesen Chat betreibt, trägt einen neuen ein.",
        "en": "The key to the archive is wrong or has expired. Whoever runs this chat can enter a new one.",
    },
    "key_lacks": {
        "de": "Der Schlüssel zum Archiv erlaubt das nicht. Wer diesen Chat betreibt, trägt einen anderen ein.",
        "en": "The key to the archive doesn't allow this. Whoever runs this chat can enter another one.",
    },
    "no_model": {
        "de": "Dieses Modell gibt es hier nicht. Bitte oben links ein anderes wählen.",
        "en": "There is no such model here. Please choose another one at the top left.",
    },
    "too_long": {
        "de": "Das ist mehr Text, als sich lesen lässt. Bitte in einem neuen Chat kürzer fragen.",
        "en": "That is more text than can be read. Please ask more briefly in a new chat.",
    },
    "not_understood": {
        "de": "Diese Anfrage lässt sich nicht lesen. Bitte die Frage als reinen Text stellen.",
        "en": "This request can't be read. Please ask in plain text.",
    },
    "unexpected": {
        "de": "Da ist etwas schiefgegangen. Bitte noch einmal fragen.",
        "en": "Something went wrong. Please ask again.",
    },
    "broken_off": {"de": "Abgebrochen", "en": "Broken off"},
    "reading": {"de": "Lese {count} …", "en": "Reading {count} …"},
    "read": {"de": "{count} gelesen in {seconds} s{note}", "en": "{count} read in {seconds} s{note}"},
    "none": {"de": "Nichts gefunden", "en": "Nothing found"},
    "loosened": {
        "de": ", nichts für {period}: erweitert auf {wider}",
        "en": ", nothing for {period}: widened to {wider}",
    },
    "all_time": {"de": "alle Jahre", "en": "all time"},
    "newer": {"de": "Neuere zuerst", "en": "newer first"},
    "older": {"de": "Ältere zuerst", "en": "older first"},
    "one_report": {"de": "1 Meldung", "en": "1 report"},
    "reports": {"de": "{number} Meldungen", "en": "{number} reports"},
    "hint_loosened": {
        "de": "Hinweis: Für den Zeitraum {period} liegt keine Meldung vor; nenne die Daten der Meldungen.\n",
        "en": "Note: there is no report for {period}; give the dates of the reports.\n",
    },
    "unsupported": {"de": "(nicht belegt)", "en": "(not borne out)"},
    "of_day": {"de": " vom {date}", "en": " of {date}"},
    "undated": {"de": "ohne Datum", "en": "undated"},
    "since": {
        "de": "Was ist seit dem {date} rund um {matter} passiert?",
        "en": "What has happened around {matter} since {date}?",
    },
    "month": {"de": "Was geschah im {date} rund um {matter}?", "en": "What happened around {matter} in {date}?"},
    "said": {"de": "Was sagte {who} dazu?", "en": "What did {who} say about it?"},
    "role": {"de": "Was hat {who} mit {matter} zu tun?", "en": "What does {who} have to do with {matter}?"},
    # Without an article, which many a name needs in German: "das BKA".
    "together": {
        "de": "{who} und {matter}: Wie hängt das zusammen?",
        "en": "{who} and {matter}: how are they related?",
    },
    "timeline": {"de": "Chronologie: {matter}", "en": "Timeline: {matter}"},
    "about": {"de": "Worum ging es bei „{title}“?", "en": "What was “{title}” about?"},
    "compare": {"de": "Vergleiche {first} und {second}", "en": "Compare {first} and {second}"},
}
_ENGLISH_MONTHS: Sequence[str] = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def say(name: str, language: Language, **values: object) -> str:
    """The message `name` in `language`, filled."""
    return _WORDING[name][language].format(**values)


def count_reports(number: int, language: Language) -> str:
    """`1 Meldung`, `4 Meldungen`."""
    return say("one_report", language) if number == 1 else say("reports", language, number=number)


def decimal(value: float, language: Language) -> str:
    """One decimal place, with the comma in German."""
    text = f"{value:.1f}"
    return text.replace(".", ",") if language == "de" else text


def day_in_words(day: date, language: Language) -> str:
    """`3. Mai 2023`, `3 May 2023`."""
    return german_date(day) if language == "de" else f"{day.day} {_ENGLISH_MONTHS[day.month - 1]} {day.year}"


def month_name(number: int, language: Language, german: Sequence[str]) -> str:
    """Month 1 to 12 by name."""
    return (german if language == "de" else _ENGLISH_MONTHS)[number - 1]
