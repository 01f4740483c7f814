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
    r"\s*(?<![\w/.-])(?=[A-Za-z0-9+/]*[A-Z])(?=[A-Za-z0-9+/]*[g-z])[A-Za-z0-9+/]{30,}={0,2}(?![\w/.-])"
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

# News has no imperative of "du", and no English one, at the start of a sentence.
_IMPERATIVE = (
    r"(?:antworte|beantworte|erwidere|schreibe?|gib|sage?|nenne|wiederhole|beende|bestätige|ersetze|übersetze|tue?|denke?"
    r"|sprich|empfiehl|empfehle|ignoriere?|vergiss|missachte|lies|befolge|behaupte|lobe|füge|hänge|verrate?|zeige?|nimm"
    r"|stelle?|verwende|benutze|fasse?|erkläre?|erfinde?|verweigere|verschweige|überspringe|handle|verhalte"
    r"|formuliere|zitiere|unterlasse?|vermeide|melde|rate|fordere?|leite|sende|öffne|führe"
    r"|print|output|reply|respond|say|write|ignore|forget|disregard|repeat|translate|summari[sz]e|pretend|act|claim"
    r"|reveal|refuse|praise|recommend|answer|tell|speak|stop (?:reading|here)|do not|don't|never|always|replace|obey"
    r"|follow|insert|append|include|mention|send|execute|behave|treat|assume|remember|switch|keep|make sure"
    r"|compose|skip|generate|produce"
    r"|beginne|streiche|lösche|entferne|wechsle|nutze|mache?|halte|bleibe?|tausche|kürze|bewerte|setze|weise)"
)

_SIGNS = [
    rf"^\W*(?:(?:bitte|please|wichtig|important|hinweis|note|now|nun|jetzt|zuerst|first)\W+)*{_IMPERATIVE}\b(?!\W*$|-)",
    r"^\W*(?!\w*(?:tiere|passagiere|premiere|offiziere|papiere|quartiere|turniere|reviere)\b)\w{3,}iere\b(?!n)",
    r"\b(?:und|and|,) (?:gib|sag|schreib|antworte|nenne)\b",
    # an address, where news speaks of others
    r"\bdein(?:e[nrsm]?)?\b|\byou (?:no longer|now|are|must|need|should|can|will|may|have)\b",
    r"\b(?:ai|ki|machine)[- ](?:readers?|leser\w*)\b"
    r"|\b(?:may|must|should) be (?:printed|answered|said|written|returned)\b",
    r"\b(?:modell|assistent|chatbot|model|assistant)\b[^.!?]{0,20}\b(?:hat|has)\b[^.!?]{0,50}\b(?:zu \w+en|to \w+)\b",
    # the reader or user spoken of as a program's
    r"\b(?:wer|jeder|sobald|falls|wenn|whenever|whoever|anyone|if|when)\b[^.!?]{0,60}"
    r"\b(?:dies|diese[nrs]? (?:artikel|text|meldung|satz|zeilen?)|this(?: (?:article|text|line))?)\b[^.!?]{0,40}"
    r"\b(?:liest|lesen|zusammenfass\w+|auswerte\w*|verarbeite\w*|reads?|reading|asks?|summari\w+|process\w*)\b",
    r"\b(?:the user wants you|the user's question|frage des (?:nutzers|benutzers))\b",
    r"\b(?:your|dein\w*) (?:new |neue[nrs]? |einzige[nrs]? |only |real |true |eigentliche[nrs]? )?"
    r"(?:goal|task|job|role|purpose|mission|ziel|aufgabe|auftrag|rolle|zweck|pflicht|duty)\b",
    rf"\b{_RULES}\b[^.!?]{{0,40}}\b(?:gültigkeit|ersetzt|replaced|no longer)\b",
    r"\b(?:ist|sind|hat|haben)\b[^.!?]{0,70}\b(?:zu (?:antworten|beantworten|ignorieren|befolgen)|mit nein zu \w+)\b",
    r"\b(?:richtige|korrekte|einzige|correct|only|right) (?:antwort|answer|reply)\b[^.!?]{0,50}\b(?:ist|lautet|is)\b",
    r"\b(?:andere|other|different) (?:antwort|answer|reply)\b[^.!?]{0,20}\b(?:als|than)\b",
    r"\b(?:your|deine\w*) (?:\w+ )?"
    r"(?:answers?|repl(?:y|ies)|responses?|output|antwort(?:en)?|ausgaben?|anweisungen|regeln)\b",
    r"\bin (?:der|deiner|jeder|your|every) (?:antwort|answer|reply)\b(?! (?:auf|der|des|von|vom|an|heißt|to|of))",
    r"\bantworten\b[^.!?]{0,60}\b(?:müssen|sollen)\b[^.!?]{0,40}\blauten\b|\boverrides? everything\b",
    r"\b(?:reply|answer|response|antwort)\b[^.!?]{0,20}\b(?:has to|must|needs to|muss|hat) "
    r"(?:\w+ ){0,2}?(?:be|zu|lauten|sein)\b",
    r"\bals (?:wärst|wärest|ob) du\b|\bas if you\b|\bas (?:the|an?) (?:ai|assistant|model)\b",
    r"\b(?:muss|müssen|soll|sollen|darf|must|should|shall)\b[^.!?]{0,40}"
    r"\b(?:mit \w+ antworten|(?:answer|reply|respond) with)\b",
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
    r"\b(?:hinweis|nachricht|mitteilung|anweisung|note|message|instructions?) "
    rf"(?:an|für|to|for) (?:\w+ )?{_ASSISTANT}\b",
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
# One of these begins a word of every sentence with a sign; few sentences of news have one.
_BEGINNINGS = frozenset(
    """
    antwo beant erwid schre gib gebt geben sag sage sagt sagen nenn nenne nennt wiede beend bestä ersetz erset übers tu
    tue denk denke spric empfi empfe ignor vergi verge missa lies befol behau lob lobe füg füge häng hänge verra zeig
    zeige nimm spiel stell verwe benut fass fasse erklä erfin lüg lüge verwe versc handl verha rede red formu zitie
    unter verme melde rate forde leite sende schic ruf rufe öffne führe print outpu reply respo say write forge disre
    repea trans summa prete act claim revea refus prais recom answe tell speak stop do don never alway repla obey follo
    inser appen inclu menti send call execu run behav treat assum remem switc übergeh überg übers verwi umgeh overr
    bypas aufge ungül nicht hinfä auße void cance revok obsol gülti neue new geänd updat gehei secre begin setz setze
    binde weise weis lass lasse gehe geh fang retur start end embed add show displ use cite quote give omit dein deine
    eure your you jede alle verla erfor requi deman du wenn falls if unles dekod entsc decod decry assis ki ai sprac
    chatb chat llm llms langu chatg claud gemin copil role rolep stay bleib tool_ funct argum leak javas vbscr tool
    dies diese this frage user zu richt korre einzi corre only right has muss müsse soll solle darf must shoul shall
    needs hat als as keep make ander other diffe in may machi compo skip gener produ strei lösch entfe wechs nutze
    mache mach halte bleib achte tausc kürze bewer model
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
    if "![" not in low and "iere" not in low and _BEGINNINGS.isdisjoint(word[:5] for word in _WORD.findall(low)):
        return False
    return any(sign.search(read) for sign in _SIGN)


def _as_it_looks(text: str) -> str:
    """Lookalikes and spaced-out words as a reader sees them, on one line."""
    seen = text if text.isascii() else unicodedata.normalize("NFKC", _seen(text)).translate(_LOOKALIKES)
    return _SPACED_WORD.sub(lambda match: match[0].replace(" ", ""), " ".join(seen.split()))


def _seen(text: str) -> str:
    """`text` without characters that can't be seen."""
    return text if text.isascii() else "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
