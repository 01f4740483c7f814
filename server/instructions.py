"""Sentences of an article that speak to a language model instead of telling news: found, and kept from the prompt.

Articles are data. A small model does what stands in its prompt, whoever wrote it, so a sentence that gives orders to an
assistant never gets there; the source that a reader is shown keeps it. Such a sentence is known by what it does (set
rules aside, dictate the answer, address an assistant, play a turn of a talk, ask for the prompt), never by the word
that it wants said. News about such attacks loses a quotation by that, and nothing else.
"""

import re
import unicodedata

from server.sentences import sentences

# Letters of other scripts that look Latin; what is spelled with them is read as it looks.
_LOOKALIKES = str.maketrans(
    "аеорсухіѕјԁһьАВЕКМНОРСТУХІЅЈαοενιρΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxisjdhbABEKMHOPCTYXISJaoevipABEZHIKMNOPTYX",
)
_DIGITS_FOR_LETTERS = str.maketrans("013457@$", "oieastas")
_SPACED_WORD = re.compile(r"\b(?:[^\W\d_] ){3,}[^\W\d_]\b")
# Thirty letters of both cases without a space are no German; a checksum is hexadecimal.
_UNREADABLE = re.compile(
    r"(?<![\w/.-])(?=[A-Za-z0-9+/]*[A-Z])(?=[A-Za-z0-9+/]*[g-z])[A-Za-z0-9+/]{30,}={0,2}(?![\w/.-])"
)

_RULES = (
    r"(?:an(?:weisung|ordnung)\w*|vorgaben?|regeln?|regelwerk|instruktion\w*|befehle?n?|richtlinien?|kontext|gesagt\w*"
    r"|(?:system|start)?[- ]?prompts?|system(?:nachricht|anweisung|meldung)\w*|quellenangaben?|einschränkung\w*"
    r"|instructions?|rules?|guidelines?|directi(?:on|ve)s?|constraints?|context|system message|told)"
)
_ASSISTANT = (
    r"(?:ki(?:-(?:assistent\w*|systeme?n?|modelle?n?|agent\w*|bots?))?|assistent(?:en|in)?|sprachmodelle?n?|chat-?bots?"
    r"|llms?|ai(?: (?:assistant|model|agent|system)s?)?|assistants?|language models?|chatgpt|claude|gemini|copilot)"
)
_SAY = (
    r"(?:antwortet?|antworten sie|beantworte|erwidere|schreibe?|schreibt|schreiben sie|gib|gebt|geben sie|sage?|sagt"
    r"|sagen sie|nenne?|nennt|nennen sie|wiederholt?e?|wiederholen sie|beginne?|beginnen sie|beende|bestätige|zeige?"
    r"|verwende|benutze|stelle?|setze?|füge?|hänge?|binde|weise|lasse?|zitiere|gehe?|fang"
    r"|reply|respond|answer|say|print|output|repeat|write|return|begin|start|end|append|insert|include|embed|add|show"
    r"|reveal|tell|display|use|cite|quote|give|omit|translate)"
)
_CLAUSE = (
    r"(?:^\W*|[:;,!?–—„\"»(>|]\s*"
    r"|\b(?:und|dann|bitte|also|stattdessen|zuerst|and|then|please|instead|first|always|now)\s+)"
)
_ONLY = (
    r"(?:nur|nichts (?:als|anderes)|ausschließlich|lediglich|exakt|wörtlich|immer|ab (?:jetzt|sofort)|künftig|stets"
    r"|jede[nrs]?|unverändert|only|nothing (?:but|else)|exactly|solely|exclusively|verbatim|always|from now on|every"
    r"|instead of|and stop)"
)
_ANSWER = (
    r"(?:antwort(?:en)?|(?:die )?frage|ausgabe|code-?(?:wort|word)|quellenangaben?|(?:system|start)[- ]?prompts?"
    r"|(?:das|dem) wort|the (?:single )?(?:word|phrase)|nummer|json|html(?:-code)?|werkzeugaufruf|system ?prompt"
    r"|(?:auf|in) (?:englisch|französisch|spanisch|english|german|french)|(?:this |your )?(?:answer|reply|response)"
    r"|sources?|citations?)"
)

_SIGNS = [
    # rules set aside, new ones given
    r"(?:\b(?:ignoriere?|ignorieren sie|vergiss|vergesst|vergessen sie|missachte\w*|übergehe?t?"
    rf"|überschreibe?n?|verwirf|umgehe|ignore|disregard|forget|override|bypass)|^\W*ignoriert)\b[^.!?]{{1,80}}?\b{_RULES}\b",
    r"\b(?:vergiss|forget|disregard|ignoriere?t?|ignore)\b\W+(?:\w+\W+)?"
    r"(?:alles|everything|all|anything|what|was|(?:die |the )?(?:frage|question))\b",
    rf"\b{_RULES}\b[^.!?]{{1,40}}"
    r"\b(?:aufgehoben|ungültig|nichtig|hinfällig|außer kraft|void|cancelled|revoked|obsolete)\b",
    r"\b(?:neue|new|geänderte|updated|geheime|secret)\W+"
    r"(?:anweisung\w*|aufgabe|instruktion\w*|instructions?|task|orders?)\s*:",
    # the answer dictated
    rf"{_CLAUSE}{_SAY}\b[^.!?]{{0,80}}\b(?:{_ONLY}|{_ANSWER})\b",
    rf"{_CLAUSE}{_SAY}:?\s+(?:\w+ ){{0,2}}\W?(?-i:[A-ZÄÖÜ]{{4,}}[A-ZÄÖÜ0-9-]*)\W*$",
    r"\b(?:deine|eure|your)\W+(?:\w+ )?(?:antwort\w*|ausgabe|answers?|reply|response|output)\W+(?:\w+ )?"
    r"(?:besteh\w+|laute\w*|ist|muss|soll|darf|beginn\w+|must|should|is|has|consists?|shall|will|starts?)\b",
    r"\b(?:alle|jede|all|every)\W+(?:antwort|frage|answer|question|repl|response)\w*\W+(?:\w+ ){0,2}?"
    r"(?:müssen|muss|soll\w*|mit|must|should|with|beginn\w+|starts?)\b",
    r"\b(?:verlangt|erfordert|requires?|demands?)\b[^.!?]{0,30}\b(?:antworten|answers|replies|responses)\b",
    r"\b(?:antwortformat|(?:answer|response|output) format)\b",
    r"\byou (?:must|should|shall|have to|need to|will|may only|can only)\W+(?:\w+ ){0,3}?"
    r"(?:answer|reply|respond|say|output|write|print|repeat|include|obey|follow|ignore)\b",
    r"\b(?:(?:du|dass du) (?:musst|sollst|darfst|sagst|antwortest)|(?:musst|sollst|darfst|könntest|sagst|antwortest) du"
    r"|(?:wenn|falls) du)\b[^.!?]*\b(?:antwort\w*|schreib\w*|sag\w*|wort|ausgeben|befolg\w*|nennen|zuerst)\b",
    r"\b(?:if|unless) you\b[^.!?]{0,30}\b(?:answer|reply|respond|say|write)\b",
    r"\b(?:dekodiere?|entschlüssele?|decode|decrypt|übersetze)\b[^.!?]{0,60}\b(?:befolg\w*|folge|follow|obey|execute)\b",
    r"\bweise?\b[^.!?]{0,30}\b(?:leser|nutzer|benutzer)\b[^.!?]{0,20}\bdarauf hin"
    r"|\btell the (?:user|reader)s? (?:to|that)\b",
    # an assistant addressed, a part given to it
    rf"^\W*(?:\w+ )?(?:an|to) (?:die|den|alle|jede|the|all|any|every)(?: \w+)? {_ASSISTANT}\b[^.!?]{{0,30}}[:!]",
    rf"\b(?:hinweis|nachricht|mitteilung|anweisung|note|message|instructions?) (?:an|to|for) (?:\w+ )?{_ASSISTANT}\b",
    rf"^\W*(?:liebe[rs]?|dear|hey|hallo|hello|achtung|attention)\W+{_ASSISTANT}\b",
    rf"^\W*{_ASSISTANT}\s*[,:]\s*(?:\w+ )?(?:{_SAY}|ignor\w+|antwortet|du|you|vergiss|forget)\b",
    rf"^\W*{_ASSISTANT} (?:antworten|schreiben|sagen|answer|reply|respond|say|must|müssen)\b[^.!?]*\b{_ONLY}\b",
    r"\b(?:du bist|you are|you're)\W+(?:ab (?:jetzt|sofort)|nun|jetzt|von nun an|kein\w*|now|no longer|henceforth"
    r"|in \w+ mode|an? (?:\w+ ){0,2}?(?:ai|assistant|language model|bot))\b",
    r"\b(?:ab (?:jetzt|sofort)|von nun an|from now on|henceforth)\W+(?:bist|antwort\w*|sprichst|you|du)\b",
    r"\bstell(?:e|t)? dir vor,? (?:du|dass du)\b|\b(?:pretend|role-?play)\W+(?:that |as )?you\b|^\W*act as an?\b"
    r"|\bstay in character\b|\bbleibe? in deiner rolle\b",
    # a turn of a talk, a call of a tool
    r"[\"'](?:role|tool_calls?|function_call|arguments)[\"']\s*:",
    # the prompt asked for, a leak
    r"\b(?:reveal|zeige?|verrate?|wiederhole?|print|show|repeat|nenne|gib|output|leak)\b[^.!?]{0,60}"
    r"\b(?:system ?-?prompt\w*|systemnachricht|your (?:instructions|prompt|rules)"
    r"|deine\w* (?:anweisungen|regeln|vorgaben))\b",
    r"!\[[^\]]*\]\(|\b(?:javascript|vbscript):\S",
]
_SIGN = [re.compile(sign, re.IGNORECASE) for sign in _SIGNS]
_OVERRIDE = _SIGN[0]
# One of these begins a word of every sentence with a sign; nearly all sentences of news have none.
_BEGINNINGS = frozenset(
    """
    ignor vergi verge missa übers verwi umgeh disre forge overr bypas aufge ungül nicht hinfä auße void cance revok
    obsol neue new geänd updat gehei secre antwo beant erwid schre gib gebt geben sag sage sagt sagen nenne nennt wiede
    begin beend bestä zeig zeige verwe benut stell stel setz setze füg füge häng hänge binde weise weis lass lasse ziti
    zitie gehe geh fang reply respo answe say print outpu repea write retur start end appen inser inclu embed add show
    revea tell displ use cite quote give omit trans deine eure your you jede verla erfor requi deman du wenn falls
    dekod entsc decod decry übers assis ki ai sprac chatb chat llm llms langu chatg claud gemin copil pret prete rolep
    role act stay bleib role tool_ funct argum verra leak javas vbscr tool if unles
""".split()
)
# From a forged frame on, an article only says what the forger wants to seem somebody else's. Markup of chats opens one
# anywhere, the rest at the start of a sentence.
_MARKUP = re.compile(
    r"<[|｜]?\s*/?(?:im_start|im_end|system|assistant|user|endoftext|tool_call|start_of_turn|end_of_turn"
    r"|context|documents?)\b"
    r"|\[/?INST\]|<</?SYS>>",
    re.IGNORECASE,
)
_FRAME = re.compile(
    rf"{_MARKUP.pattern}"
    r"|^\W*(?:system|assistant|user|human|assistent|benutzer|nutzer)\s*:(?:\s|$)"
    r"|^\W*#{1,6}\s*(?:system|assistant|user|human|instructions?|response|(?:neue\s+)?(?:anweisung\w*|regeln?)|frage|input"
    r"|prompt|meldung|quelle|report|source)\b"
    r"|^\W*\[\d{1,2}\]\W+(?:meldung|quelle|report|source)\b[^.!?]{0,60}:"
    r"|^\W*(?:ende|schluss)\W+(?:der|des|dieser)\W+(?:meldung|quelle|kontext|dokument|artikel|eingabe|text|nachricht)\w*\W*$"
    r"|^\W*end\W+of\W+(?:the\W+)?(?:report|source|context|document|article|input|text|message|prompt)s?\W",
    re.IGNORECASE,
)
_TALK = re.compile(r"^\W*(?:frage|antwort|question|answer|q|a|f)\s*:", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_LEET = re.compile(r"[a-zäöü][0134$@][a-zäöü]")


def addresses_model(sentence: str) -> bool:
    """Whether a sentence gives orders to a language model, or plays a turn of a talk with one."""
    read = _as_it_looks(sentence)
    return _gives_orders(read) or _FRAME.search(read) is not None or _TALK.search(read) is not None


def without_instructions(text: str) -> str:
    """`text` without the sentences that address a model; nothing of it is kept from a forged frame on.

    A label ("Antwort:") and what it announces go together. Paragraphs stay apart.
    """
    kept: list[list[str]] = []
    announced = False
    for paragraph in _MARKUP.sub("\n\\g<0>", _seen(text)).split("\n"):
        kept.append([])
        for sentence in sentences(_UNREADABLE.sub("", paragraph)):
            read = _as_it_looks(sentence)
            if _FRAME.search(read):
                return _joined(kept)
            if announced or _gives_orders(read) or _TALK.search(read):
                announced = read.endswith(":")
                if kept[-1] and kept[-1][-1].endswith(":"):
                    kept[-1].pop()
            else:
                kept[-1].append(sentence)
    return _joined(kept)


def _joined(paragraphs: list[list[str]]) -> str:
    return "\n".join(" ".join(sentences) for sentences in paragraphs).strip()


def _gives_orders(read: str) -> bool:
    low = read.lower()
    if _LEET.search(low) and _OVERRIDE.search(low.translate(_DIGITS_FOR_LETTERS)):
        return True
    if "![" not in low and _BEGINNINGS.isdisjoint(word[:5] for word in _WORD.findall(low)):
        return False
    return any(sign.search(read) for sign in _SIGN)


def _as_it_looks(text: str) -> str:
    """Lookalikes and spaced-out words as a reader sees them, on one line."""
    seen = text if text.isascii() else unicodedata.normalize("NFKC", _seen(text)).translate(_LOOKALIKES)
    return _SPACED_WORD.sub(lambda match: match[0].replace(" ", ""), " ".join(seen.split()))


def _seen(text: str) -> str:
    """`text` without characters that can't be seen."""
    return text if text.isascii() else "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
