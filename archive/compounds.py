"""German compounds taken apart: Sicherheitslücke is Sicherheit and Lücke.

A word is split where the geometric mean of its parts' frequencies by far exceeds its own (Koehn and Knight 2003,
"Empirical Methods for Compound Splitting", doi.org/10.3115/1067807.1067833), which leaves whole what people say as one
word. The frequencies are those of wordfreq's small German list: the 39,000 forms that make up more than a millionth of
all text each, since the parts of compounds are nearly always common words.
"""

import math
import re
from functools import cache, lru_cache

_LINKS = ("s", "es")  # Fugenelemente that no inflected form of the lexicon brings along, as "n" in "Sonnenlicht" does
_SHORTEST = 4  # letters of a part; three only where _SHORT names it: two thirds of the short forms are no nouns
_LONGEST = 60  # letters of a word that is looked at
_MOST_PARTS = 6
_REMEMBERED = 300_000  # words with their parts, about 60 MB: a large archive's common ones
_ADVANTAGE = math.log(2)  # a word must be less than half as common as the mean of its parts, else names are split
_ENDINGS = ("e", "en", "n")  # that a compound drops: Straf-, Fahr-, Förder-
_CLIPPED = math.log(2)  # what dropping one costs

_SHORT = frozenset(
    """
    abo akt amt app arm art bad bau bio box bus ehe eis end erd fan gas hit hof job kur lkw lok mut not oel ohr ort
    ost pkw pop rad rat see ski tag tod ton top tor typ uhr uni wal web weg zoo zug
    """.split()
)

# Words that are common enough to turn up in any split and head no compound: prefixes, function words, endings.
_NO_PART = frozenset(
    """
    alle allen aller alles also auch chen cher chung dann dass dein deine denn dies diese diesem diesen dieser
    dieses doch dort durch eine einem einen einer eines ende enden ender endes erin este esten fuer gegen habe haben
    hast hatte hinter ihre ihrem ihren ihrer ihres isch ische ischen jene kann kein keine lein lich liche lichen
    mein meine miss muss nach nicht nieder noch ohne rauf rein schaft schaften sein seine seinem seinen seiner sind
    soll sten ster tion tionen ueber unter weil wenn wider wieder will wird wurde zurueck zusammen zwischen
    """.split()
)

_RUNS = re.compile(r"\d+|[^\W\d_]+")


def spelled_out(word: str) -> str:
    """Umlauts and ß as ae, oe, ue and ss, so that both spellings are one."""
    return word.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss")


@lru_cache(maxsize=_REMEMBERED)
def compound_parts(word: str) -> tuple[str, ...]:
    """The parts of a lower-case word, each run of neighbouring parts too, without the word itself; () for a whole.

    Parts keep their links and drop their endings (`sicherheits`, `straf`), which a stemmer levels, and come with
    umlauts spelled out. Where letters meet digits the word parts as well: `iphone15` is `iphone` and `15`.
    """
    runs = _RUNS.findall(word)
    if len(runs) > 1:
        return tuple(run for run in runs if len(run) > 1)
    leaves = _leaves(spelled_out(word))
    count = len(leaves)
    spans = ((i, j) for i in range(count) for j in range(i + 1, count + 1) if j - i < count)
    return tuple(dict.fromkeys("".join(leaves[i:j]) for i, j in spans))


def _leaves(word: str) -> tuple[str, ...]:
    parts = _split(word)
    return parts if len(parts) == 1 else tuple(leaf for part in parts for leaf in _leaves(part))


def _split(word: str) -> tuple[str, ...]:
    """The best split in two parts or more, or the word itself."""
    size = len(word)
    if not 6 <= size <= _LONGEST:
        return (word,)
    # best[start] holds the cheapest parts of word[start:], by how many they are, as (sum of their costs, parts).
    best: list[dict[int, tuple[float, tuple[str, ...]]]] = [{} for _ in range(size)]
    for start in range(size - 3, -1, -1):
        if (head := _cost(word[start:])) < math.inf:
            best[start][1] = (head, (word[start:],))
        for stop in range(start + 3, size - 2):
            if best[stop] and (modifier := _modifier_cost(word[start:stop])) < math.inf:
                for count, (total, parts) in best[stop].items():
                    found = (modifier + total, (word[start:stop], *parts))
                    if count < _MOST_PARTS:
                        best[start][count + 1] = min(found, best[start].get(count + 1, found))
    means = [(total / count, parts) for count, (total, parts) in best[0].items() if count > 1]
    mean, parts = min(means, default=(math.inf, (word,)))
    return parts if mean < _costs().get(word, math.inf) - _ADVANTAGE else (word,)


def _modifier_cost(part: str) -> float:
    """Of a part that another follows: as it is, without its link, or with the ending that it has dropped."""
    linked = (_cost(part.removesuffix(link)) for link in _LINKS if part.endswith(link))
    if (plain := min(_cost(part), *linked, math.inf)) < math.inf:
        return plain
    if len(part) < _SHORTEST:
        return math.inf
    return min(_cost(part + ending) for ending in _ENDINGS) + _CLIPPED


def _cost(part: str) -> float:
    """How rare a part is; infinite where it is none."""
    if part in _NO_PART or (len(part) < _SHORTEST and part not in _SHORT):
        return math.inf
    return _costs().get(part, math.inf)


def is_known(word: str) -> bool:
    """Whether a lower-case form with umlauts spelled out is in the lexicon."""
    return word in _costs()


@cache
def _costs() -> dict[str, float]:
    """-log(frequency) of every form in the lexicon."""
    from wordfreq import get_frequency_dict

    costs: dict[str, float] = {}
    for word, frequency in get_frequency_dict("de", "small").items():
        spelled = spelled_out(word)
        costs[spelled] = min(-math.log(frequency), costs.get(spelled, math.inf))
    return costs
