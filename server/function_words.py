"""Words that carry no topic of their own, German and English: they tell the language, and count for nothing else."""

GERMAN = frozenset(
    """
    der die das den dem des und oder aber auch was wann wer wem wen wessen warum wieso weshalb wie wo wohin woher womit
    wozu wodurch welche welcher welches welchen welchem war waren ist sind wird wurde wurden werden hat haben hatte
    hatten gab gibt im am in an auf aus bei beim mit von vom zu zum zur nach vor seit bis für über unter um durch gegen
    dass als noch schon nur sehr so denn dann doch mal bitte etwas alles nicht kein keine sich man ein eine einen einem
    einer eines kann konnte soll sollte muss musste will wollte viel viele mehr lange oft genau eigentlich laut
""".split()
)

ENGLISH = frozenset(
    """
    the a an of to and or but not what when who whom whose why how which where was were is are be been being did does
    do done has have had in on at by for from with about as into than then so can could should would will may might
    much many more long often exactly please some all there
""".split()
)

# Words that point back to what was said before.
POINTING = frozenset(
    """
    er sie ihn ihm ihr ihre ihren ihrem ihrer sein seine seinen seinem seiner dies diese dieser dieses diesem diesen
    dort da dabei dafür dagegen damit danach daran darauf daraus darin darüber davon davor dazu deren dessen denen
    jene jener jenes derselbe dieselbe dasselbe letzterer anderen andere
    he she him his her they them their these those there then
""".split()
)

# These point back too, but as often they don't ("Was ist das?", "Wann gab es ...?").
_PRONOUNS = frozenset("es it its that this ich mir mich wir uns du you me i we us".split())

FUNCTION_WORDS = GERMAN | ENGLISH | POINTING | _PRONOUNS
