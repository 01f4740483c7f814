"""Short messages of the chat, German and English."""

from collections.abc import Sequence

from server.understanding import Language

_WORDING: dict[str, dict[Language, str]] = {
    "searching": {"de": "Durchsuche das Archiv …", "en": "Searching the archive …"},
    "searching_period": {"de": "Durchsuche das Archiv ({period}) …", "en": "Searching the archive ({period}) …"},
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
    "undated": {"de": "ohne Datum", "en": "undated"},
    "about": {"de": "Worum ging es bei „{title}“?", "en": "What was “{title}” about?"},
    "since": {"de": "Was geschah seit {month} bei {topic}?", "en": "What has happened with {topic} since {month}?"},
    "afterwards": {"de": "Wie ging es danach weiter?", "en": "What happened afterwards?"},
    "timeline": {"de": "Chronologie: {topic}", "en": "Timeline: {topic}"},
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


def month_name(number: int, language: Language, german: Sequence[str]) -> str:
    """Month 1 to 12 by name."""
    return (german if language == "de" else _ENGLISH_MONTHS)[number - 1]
