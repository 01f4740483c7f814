"""Which form an answer is asked for in: a fact, a dated list, an overview, a comparison, quotations.

German and English, as people type them: without capitals, without umlauts, as a heading ("Chronologie: Log4j"). Who
asks for a fact about such a thing ("Wer verlor den Überblick?") gets a fact.
"""

import re
from dataclasses import dataclass
from typing import Literal

Form = Literal["fact", "timeline", "overview", "comparison", "quotations"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The form of an answer; `speaker` is the one whose words are asked for, as typed, empty where no one is named."""

    form: Form
    speaker: str = ""


_LONGEST = 400  # characters; what is longer is a text that was pasted, not a question

_NEWEST = r"(?:neue?ste|jüngste|juengste|letzte|aktuell(?:st)?e)[nrs]?"
_TIMELINE = re.compile(
    r"\b(?:chronologi(?:e|en|sche?n?|sches?)|chronik|zeitleiste|zeitstrahl|zeitachse|zeittafel|time ?line|chronology"
    r"|chronological(?:ly)?|werdegang"
    r"|zeitliche[nr]?\s+(?:ab|ver)l(?:auf|äufe|aeufe)|(?:ab|ver)lauf\s+der\s+(?:ereignisse|dinge|affäre|krise)"
    r"|sequence\s+of\s+events|course\s+of\s+events)\b"
    r"|\bwie\s+(?:verlief|verliefen|verläuft|verlaeuft)\b"
    r"|\bwie\s+(?:ist|war|sind|waren)\b.{2,120}\bverlaufen\b"
    r"|\bwie\s+(?:entwickelte|entwickelten|hat|haben)\b(?=.{2,120}\b(?:seit|zwischen|von|nach|über die jahre)\b)"
    r"(?:\s+(?:sich)\b.*|.*\bsich\b.*\bentwickelt\b)"
    r"|\bwie\s+(?:ging|geht|ist)\s+(?:es|das)\b.{0,100}\bweiter(?:gegangen)?\s*[?!.]*$"
    r"|\bzeichne\b.{0,120}\bnach\b|\bzeichnen\s+sie\b.{0,120}\bnach\b|\btrace\s+(?:the|how)\b"
    r"|\bwas\s+(?=(?:ist|geschah|passierte|hat|gab|wurde|war|tat|ereignete)n?\b)"
    r"(?=.*\b(?:seit(?:dem|her)?|zwischen|von\s+\S+(?:\s+\d{4})?\s+bis)\b)"
    r"(?=.*\b(?:geschah|geschehen|passiert\w*|getan|tat|ereignet\w*|los|gemeldet|berichtet|neues|verändert|geändert)\b)"
    r"|\bwhat\s+(?:has\s+)?(?:happened|been\s+happening|changed)\b(?=.*\b(?:since|between|from)\b)"
    r"|\bhow\s+did\b.{2,120}\b(?:unfold|develop|evolve)\b|\bhow\s+has\b.{2,120}\b(?:unfolded|developed|evolved)\b",
    re.IGNORECASE,
)
_OVERVIEW = re.compile(
    r"\b(?:überblick\w*|ueberblick\w*|(?<!preis)übersicht|uebersicht|zusammenfassung|zusammenfassen|zusammenfassend"
    r"|stand\s+der\s+(?:dinge|sache|ermittlungen|verhandlungen)|sachstand|überblicksartig"
    r"|overview|summary|recap|rundown|summari[sz]e|state\s+of\s+(?:affairs|play)|round-?up)\b"
    r"|\bfass(?:e|en\s+sie|t)?\b.{0,160}\bzusammen\b"
    r"|\b(?:der|den|dem)\s+(?:aktuelle|jetzige|neueste|letzte|derzeitige)n?\s+stand\b|^\W*aktueller\s+stand\b"
    r"|\bwie\s+ist\s+der\s+stand\b"
    r"|\bwas\s+(?:gibt\s+es|gibt's|gibts)\s+(?:alles\s+)?neues\b|\bwhat(?:'s|’s|\s+is)\s+new\b|\blatest\s+on\b"
    r"|\bwas\s+(?:weißt|weisst)\s+du\s+(?:alles\s+)?über\b|\bwhat\s+do\s+you\s+know\s+about\b"
    r"|\b(?:alle|sämtliche)\s+(?:meldungen|artikel|nachrichten|berichte)\s+(?:zu|zum|zur|über|von|rund\s+um)\b"
    rf"|\b{_NEWEST}\s+(?:meldung(?:en)?|nachricht(?:en)?|berichte?|artikel)"
    r"\s+(?:zu|zum|zur|über|von|vom|rund\s+um)\b|\blatest\s+(?:news|reports?|articles?)\s+(?:on|about|from)\b",
    re.IGNORECASE,
)
_COMPARISON = re.compile(
    r"^\W*(?:bitte\s+)?vergleich(?:e|en\s+sie|t)?\b|\bvergleiche(?:n\s+sie)?\s+(?:mal|bitte|doch)?"
    r"|\b(?:im|in)\s+vergleich\s+(?:zu[rm]?|mit|zwischen)\b|\bverglichen\s+mit\b|\bim\s+gegensatz\s+zu[rm]?\b"
    r"|\b(?:mit(?:einander)?|und)\b.{1,80}\bvergleichen\b"
    r"|\bunterschiede?n?\s+(?:gibt\s+es\s+)?(?:zwischen|von)\b|\bunterscheide[nt]\b|\bgemeinsamkeiten\b"
    r"|\bgegenüberstellung\b|\bhaben\b.{2,80}\bgemeinsam\b|\bstelle?\b.{2,120}\bgegenüber\b"
    r"|\bcompare[ds]?\b|\bcomparison\b|\bdifferences?\s+between\b|\bdiffers?\s+from\b|\bhave\s+in\s+common\b",
    re.IGNORECASE,
)
# Set against itself at another time: one article tells that, and it has no second side to look for.
_ITSELF = re.compile(
    r"\b(?:vergleich|verglichen|compared)\s+(?:zum|mit\s+dem|mit|to\s+the|to|with)\s+"
    r"(?:vor|voran|previous|last|vergangenen|letzten)\s*-?(?:jahr|monat|quartal|tag|woche|gegangen|year|month|quarter)",
    re.IGNORECASE,
)
_QUOTATIONS = re.compile(
    r"\b(?:zitate?n?|zitiere|zitieren\s+sie|(?:o|original)-?t(?:on|oene|öne)|wörtliche[nrs]?|woertliche[nrs]?"
    r"|wortlaut|wortwörtlich|äußerungen|aeusserungen|quot(?:es|ations?)|verbatim)\b"
    r"|^\W*(?:please\s+)?quote\b|\b(?:a|the|any)\s+quote\b|\bin\s+(?:his|her|their)\s+own\s+words\b",
    re.IGNORECASE,
)
_WHO = r"(?P<speaker>[^,?!:]{2,60}?)"
_ABOUT = r"(?:zu[rm]?|über|ueber|zum\s+thema|bezüglich|gegen|wegen|nach|angesichts|in|im|am|bei)"
_ON = r"(?:about|on|regarding|to|after|in)"
_SAID = (
    re.compile(
        rf"\bwas\s+(?:sagte|sagten|meinte|erklärte|erklaerte|äußerte|schrieb|twitterte|antwortete)n?\s+{_WHO}"
        rf"\s+{_ABOUT}\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\bwas\s+(?:hat|haben|hatte)\s+{_WHO}\s+{_ABOUT}\b.*\b(?:gesagt|geäußert|erklärt|gemeint|geschrieben)\b",
        re.IGNORECASE,
    ),
    re.compile(rf"\bwie\s+(?:äußerten?|aeusserten?)\s+sich\s+{_WHO}\s+{_ABOUT}\b", re.IGNORECASE),
    re.compile(rf"\bwie\s+(?:hat|haben)\s+sich\s+{_WHO}\s+{_ABOUT}\b.*\bgeäußert\b", re.IGNORECASE),
    re.compile(rf"\bwhat\s+(?:did|has)\s+{_WHO}\s+(?:say|said|write|written)\s+{_ON}\b", re.IGNORECASE),
)
_BY = (
    re.compile(
        rf"\b(?:zitate?|äußerungen|aeusserungen|o-töne|aussagen|worte)\s+(?:von|vom|der|des)\s+{_WHO}"
        rf"(?=\s+{_ABOUT}\b|\s*[,?!:.]|\s*$)",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?:quotes?|quotations?)\s+(?:by|from|of)\s+{_WHO}(?=\s+{_ON}\b|\s*[,?!:.]|\s*$)", re.IGNORECASE),
    re.compile(
        rf"^\W*(?:bitte\s+)?(?:zitiere|quote)\s+{_WHO}(?=\s+(?:{_ABOUT}|{_ON})\b|\s*[,?!:.]|\s*$)", re.IGNORECASE
    ),
)
# "Was sagt die Studie zu ...?" asks what a paper holds, "der Sprecher" is someone.
_IS_NO_ONE = re.compile(
    r"(?:das|die|der)\s+(?:\w*(?:studie|umfrage|gesetz|bericht|urteil|artikel|meldung|text|gutachten|vertrag|archiv))",
    re.IGNORECASE,
)
# Who asks so wants a name, a number, a day or a reason, whatever the thing is called that it is about.
_FACT = re.compile(
    r"^\W*(?:(?:in|an|auf|aus|bei|von|vor|mit|seit|bis|für|by|from|for|in|at|on)\s+)?"
    r"(?:wer|wen|wem|wessen|wann|wo|woher|wohin|warum|wieso|weshalb|welche[mnrs]?|wie\s+(?:viele?|lange|oft|hoch|alt|teuer)"
    r"|who|whom|whose|when|where|why|which|how\s+(?:many|much|long|old|often))\b",
    re.IGNORECASE,
)
# What was said before in the talk, not the archive, is to be told again.
_OF_THE_TALK = re.compile(
    r"^\W*(?:bitte\s+|kannst\s+du\s+|please\s+|can\s+you\s+)*"
    r"(?:fass(?:e|t)?|summari[sz]e)\s+(?:mir\s+)?(?:das|dies|alles|es|deine\s+antwort|this|that|it|your\s+answer|den\s+(?:artikel|text)"
    r"|diesen\s+(?:artikel|text)|the\s+article|this\s+article)\b",
    re.IGNORECASE,
)


def form_of(question: str) -> Wanted:
    """The form that `question` asks for; a fact where it names none, or asks who, when, where or why."""
    if len(question) > _LONGEST or _OF_THE_TALK.search(question):
        return Wanted("fact")
    if _COMPARISON.search(question) and not _ITSELF.search(question):
        return Wanted("comparison")
    if _FACT.search(question):
        return Wanted("fact")
    if speaker := _speaker(question, _SAID):
        return Wanted("quotations", speaker)
    if _QUOTATIONS.search(question):
        return Wanted("quotations", _speaker(question, _BY))
    if _TIMELINE.search(question):
        return Wanted("timeline")
    if _OVERVIEW.search(question) and not _LOST.search(question):
        return Wanted("overview")
    return Wanted("fact")


_LOST = re.compile(r"\b(?:verl(?:or|oren|iert|ieren)|behält|behalten|behielt|verschaff\w+\s+sich)\b", re.IGNORECASE)


def _speaker(question: str, patterns: tuple[re.Pattern[str], ...]) -> str:
    for pattern in patterns:
        if (match := pattern.search(question)) and not _IS_NO_ONE.match(match["speaker"]):
            return match["speaker"].strip(" „“\"'")
    return ""


# The words that ask for the form; what is left of a question is its matter.
_ASKING = re.compile(
    r"^\W*(?:(?:bitte|mal|kannst\s+du|können\s+sie|könntest\s+du|gib|geben\s+sie|gebt|zeig|zeige|erstelle?|mach|mache|schreib|"
    r"schreibe|nenn|nenne|liste?|stelle?|zeichne|fasse?|brauche|ich|wir|hätte|gern|gerne|möchte|suche|mir|uns|einen?|eine[rn]?|"
    r"den|die|das|der|kurzen?|kurze|kurz|knappen?|knappe|alle|was|ist|sind|"
    rf"{_NEWEST}|latest|what|is|are|please|can|could|you|give|show|write|make|create|list|"
    r"me|us|a|an|the|short|brief|i|need|want|auf)\s+)*"
    r"(?:chronologische[rns]?\s+(?:übersicht|liste|überblick)|chronologie|chronik|zeitleiste|zeitstrahl|zeitachse|zeittafel|werdegang"
    r"|time ?line|chronology|überblick|ueberblick|übersicht|uebersicht|zusammenfassung|"
    r"(?:aktueller\s+)?stand\s+der\s+dinge|sachstand|aktueller\s+stand|zitate?|overview|summary|recap|rundown|summari[sz]e|"
    r"quotes?|quotations?|meldung(?:en)?|artikel|nachricht(?:en)?|berichte?|news|reports?|articles?|state\s+of\s+(?:affairs|play))"
    r"(?:\s+(?:der|des|zu|zur|zum|über|ueber|von|vom|um|rund\s+um|bei|beim|in|zu\s+den|an|about|on|of|for|with|the|ereignisse|"
    r"geschehnisse|events|thema|den|dem))*\b[\s:,–-]*",
    re.IGNORECASE,
)
_HAPPENED = re.compile(
    r"^\W*(?:was\s+(?:ist|geschah|passierte|hat\s+sich|gab\s+es|gibt\s+es|wurde|wurden|tat\s+sich|ereignete\s+sich)\s*(?:alles|denn|neues)?"
    r"|wie\s+(?:verlief|verliefen|ging\s+es|geht\s+es|ist\s+der\s+stand(?:\s+der\s+dinge)?|ist|hat\s+sich|entwickelte\s+sich)"
    r"|what\s+(?:has\s+)?(?:happened|changed)|what(?:'s|\s+is)\s+new"
    r"|zeichne\s+nach,?\s+wie\s+(?:es)?|fass(?:e|en\s+sie)?(?:\s+(?:mir|uns|bitte|mal|kurz))*)\s+",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\s*,?\s*\b(?:passiert|geschehen|getan|los|gemeldet|berichtet|weiter(?:gegangen)?|ging|verlaufen|entwickelt|zusammen|gesagt|geäußert|"
    r"erklärt|chronologisch|als\s+(?:chronologie|zeitleiste|liste)|in\s+stichpunkten|bitte|please)\s*[?!.]*\s*$",
    re.IGNORECASE,
)

_LEADING = re.compile(r"^(?:(?:bei|beim|mit|über|zu[rm]?|um|with|to|about|on|alles|es)\s+)+(?=\S{2})", re.IGNORECASE)


def matter_of(text: str) -> str:
    """`text` without the words that ask for a form: "Gib mir einen Überblick über Log4j" is about "Log4j".

    As it is where nothing else would be left. What is searched for a list: words such as "Chronologie" find articles
    that have them in their headlines.
    """
    rest = _HAPPENED.sub("", _ASKING.sub("", text, count=1), count=1)
    while (shorter := _AFTER.sub("", rest)) != rest:
        rest = shorter
    rest = _LEADING.sub("", rest.strip(" ?!.:,–-"))
    return rest if re.search(r"\w{2}", rest) else text
