"""A chat's title, made from its first question: what it is about, without the words of asking."""

import re

from server.function_words import FUNCTION_WORDS

LONGEST = 60  # characters
_DEFAULT = "Archiv"

_GREETING = re.compile(
    r"^(?:(?:hallo|hi|hey|guten (?:tag|morgen|abend)|moin|servus|hello|good (?:morning|evening))\b[\s,!.]*)+",
    re.IGNORECASE,
)
_POLITE = re.compile(
    r"^(?:bitte\b|please\b"
    r"|(?:kannst|könntest|können|könnten|würdest|würden) (?:du|sie) (?:mir|uns)? ?(?:mal |bitte |vielleicht |kurz )*"
    r"(?:sagen|erklären|erzählen|verraten|zeigen|beantworten)?"
    r"|(?:sage?|erkläre?|erzähle?|zeige?|nenne?|gib|stelle?|(?:sagen|erklären|erzählen|zeigen|nennen|geben) sie)"
    r"(?: mir| uns)?(?: mal| bitte| kurz| etwas)*(?=[ ,])"
    r"|(?:weißt|weisst) du|wissen sie|mich (?:interessiert|würde interessieren)"
    r"|ich (?:möchte|würde gerne?|will|wüsste gerne?|suche)(?: gerne?| mal)?(?: wissen| erfahren)?"
    r"|(?:can|could|would|will) you (?:please )?(?:tell|explain|show|give)(?: to)?(?: me| us)?"
    r"|(?:tell|show|give) (?:me|us)|do you know|i(?:'d| would) (?:like|love) to know|i want to know"
    r")[\s,:]*(?:bitte|please)?[\s,:]*",
    re.IGNORECASE,
)
# "Was ist seit dem 3. Mai 2023 bei Intel passiert": the matter goes first, its time stays.
_HAPPENED = re.compile(
    r"^(?:was (?:ist|geschah|passierte|hat sich|war|wurde|gab es|tat sich)"
    r"|what (?:has )?(?:happened|changed|went on))\s+"
    r"(?P<first>.+?)"
    r"(?:\s+(?:passiert|geschehen|getan|ereignet|verändert|geändert|gemeldet|berichtet|los|neues))?$",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"\b(?:rund um|bei(?:m)?(?: thema)?|mit|um|über|around|with|to|at|in sachen)\s+"
    r"(?:der |die |das |dem |den |the )?(?:[a-zäöüß]+e[nrsm]? )?(?P<matter>[\"„“]?[A-ZÄÖÜ0-9].*)$"
)
_WHEN = re.compile(
    r"^(?P<when>(?:seit|vor|nach|ab|zwischen|im|am|in|von|since|before|after|between|on)\s.*?\d{4})\s+(?P<rest>.+)$",
    re.IGNORECASE,
)
_THE = r"(?: (?:der|dem|den|die|das))? "
_ASKING = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"^(?:und )?was (?:ist|war|wird|wurde) (?:aus|mit){_THE}(?=(?-i:[A-ZÄÖÜ0-9]))",
        rf"^was (?:gibt es|gibt's|gibts) (?:neues|aktuelles) (?:zu|zum|zur|bei|beim|von|vom|über){_THE}",
        rf"^(?:gibt es|gab es)(?: etwas| was)?(?: neues| meldungen| artikel)? (?:zu|zum|zur|über){_THE}",
        rf"^was (?:weißt|weisst) du(?: alles)? (?:über|von|zu){_THE}",
        rf"^worum (?:ging|geht)(?: es| 's)? (?:bei|in|beim){_THE}",
        rf"^wie (?:steht|sieht|stand) es (?:um|mit|bei){_THE}",
        rf"^(?:alles|etwas|mehr|(?:alle )?(?:meldungen|artikel)|nachrichten) (?:zu|zum|zur|über){_THE}",
        rf"^(?:über|zu|zum|zur){_THE}(?=(?-i:[A-ZÄÖÜ]))",
        r"^(?:what (?:about|is new with|is the latest on|do you know about)|how about|about|the latest on) (?:the )?",
        r"^(?:den |einen |eine |die )(?=überblick|übersicht|chronologie|zusammenfassung|werdegang)",
        r"^(?:an |a )(?=overview|timeline|summary)",
    )
]
_PARTICLE = re.compile(r" zusammen(?=\s*(?:$|[:,]))")
_IDENTITY = re.compile(
    r"^(?:was|wer|what|who|wo|where) (?:ist|sind|war|waren|is|are|was|were) "
    r"(?:der |die |das |ein |eine |einen |the |an? )?"
    r"(?P<matter>(?-i:[A-ZÄÖÜ0-9„\"])[^,]*)$",
    re.IGNORECASE,
)
_VERBAL = re.compile(
    r"\b[a-zäöüß]+(?:t|te|ten|ist|sind|war|waren|wird|wurde|wurden|hat|haben|en|is|was|were|ed|has|have)$"
)
_COMPARED = re.compile(
    r"^(?:vergleiche?n?(?: sie)?|compare)(?: bitte| mal)? (?P<one>.+?) (?P<and>und|mit|and|with|to) (?P<other>.+)$",
    re.IGNORECASE,
)
_FILLERS = re.compile(
    r"\s+\b(?:eigentlich|denn|bitte|genau|überhaupt|wohl|mal|doch|actually|exactly|please)\b(?=\s|$)", re.IGNORECASE
)
# What follows is a second question, or a clause that explains the first.
_CLAUSE = re.compile(
    r"(?:,|;|:| [–-]) (?=\S)|,? (?:und|and) (?=(?:w(?:er|as|ann|o|ie|arum|em|en|elche\w*)|in welche\w*)\b)"
)
_SHORTEST = 35  # letters of a clause that can stand for the question
_PERIOD = re.compile(
    r"(?:\b(?:im|am|seit|in|ab|vor|nach|bis|since|on|from)\s+(?:dem\s+|jahr\s+|ende\s+|anfang\s+|mitte\s+)*)?"
    r"(?:\d{1,2}\.?\s+)?(?:[A-ZÄÖÜ][a-zäöü]{2,8}\s+)?(?:19|20)\d\d\b"
)


def title_of(question: str) -> str:
    """The title of a chat that begins with `question`: at most 60 characters, with its names and its period."""
    text = _without_asking(" ".join(question.split()).strip("?!., "))
    text = text.strip("?!.,:; ")
    if not text:
        return _DEFAULT
    text = text[0].upper() + text[1:]
    return text if len(text) <= LONGEST else _cut(text)


def _without_asking(text: str) -> str:
    asked = _FILLERS.sub("", _GREETING.sub("", text))
    for _ in range(2):  # "Bitte sag mir, ..."
        asked = _POLITE.sub("", asked, count=1)
    if compared := _COMPARED.match(asked):
        return f"{compared['one']} {'and' if compared['and'] in ('and', 'with', 'to') else 'und'} {compared['other']}"
    if (happened := _HAPPENED.match(asked)) and (matter := _matter_first(happened["first"])):
        return matter
    for pattern in _ASKING:
        if match := pattern.match(asked):
            return _PARTICLE.sub("", asked[match.end() :]) or asked
    identity = _IDENTITY.match(asked)
    if identity and not _VERBAL.search(identity["matter"]):
        return identity["matter"]
    return asked


def _matter_first(told: str) -> str:
    """`Intel seit dem 3. Mai 2023` from `seit dem 3. Mai 2023 bei Intel`; empty where the two aren't told apart."""
    dated = _WHEN.match(told)
    about = _ABOUT.match(dated["rest"] if dated else told)
    if about is None:
        return ""
    return f"{about['matter']} {dated['when']}" if dated else about["matter"]


def _cut(text: str) -> str:
    """The first clause, or as many words as have room, and the period behind them where it would be lost."""
    clause = next((text[: match.start()] for match in _CLAUSE.finditer(text) if match.start() >= _SHORTEST), text)
    if len(clause) <= LONGEST:
        return clause
    periods = [match for match in _PERIOD.finditer(clause) if match.end() > LONGEST - 2]
    tail = f" … {periods[-1][0].strip()}" if periods and len(periods[-1][0]) < LONGEST // 2 else " …"
    words = clause[: LONGEST - len(tail) + 1].split(" ")[:-1]
    while len(words) > 1 and words[-1].strip(",;:–-").lower() in FUNCTION_WORDS:
        words.pop()
    return " ".join(words).rstrip(",;:–- ") + tail
