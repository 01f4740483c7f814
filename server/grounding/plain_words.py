"""Words that neither bear out a sentence nor speak against it: how something is said, not what."""

_REPORTING = """
    meldung meldungen bericht berichte berichten berichtet berichtete archiv quelle quellen artikel angabe angaben
    zufolge demnach laut sagte sagt sagen sagten gesagt erklärte erklärt erklären erklärten teilte teilten mitgeteilt
    mitteilung teilt meldet meldete meldeten gemeldet hieß heißt heißen genannt nennt nennen nannte betonte betont
    bekannt bekanntgegeben gab geben gegeben gibt lautet lautete handelt handele handelte geht ging gehen aussage
    aussagen frage antwort information informationen beispiel grund tatsache fall weise art said says told according
    reported reports report stated announced
"""
_AUXILIARY = """
    aufgetreten stattgefunden fand statt geschah passiert passierte ereignet ereignete erfolgt erfolgte mann frau person
    name namen worten schätzung ansicht einschätzung
    sei seien wäre wären würde würden worden geworden gewesen sein bin bist seid habe habt hätte hätten haben können
    könnte könnten konnten sollen sollten müssen mussten dürfen darf durfte dürfte dürften mag mögen möchte wollen
    wollten lassen lässt ließ ließen tun tat getan werden geworden machen macht machte gemacht kommen kommt kam bleibt
    had having been did does would could should might must
"""
_JOINING = """
    sowie während obwohl weil da indem wobei wodurch daher deshalb deswegen somit zudem außerdem ebenfalls ebenso
    jedoch allerdings aber sondern zwar damals heute bereits schon erst nun jetzt noch immer wieder weiter weiterhin
    insgesamt zunächst später danach zuvor vorher bisher seitdem seither sodass falls sobald solange je jeweils etwa
    rund circa knapp fast gut ungefähr mindestens höchstens maximal nahezu unter anderem darunter dazu hierzu hiermit
    dessen deren welche solche solcher solchen dasselbe diejenigen derjenige wegen aufgrund trotz statt anstatt
    innerhalb außerhalb sowohl entweder weder beziehungsweise bzw einige einigen einiger mehrere mehreren vielen
    weitere weiteren weiterer andere anderen anderem jede jeden jedem jeder jedes allem allen aller alle ja nein
    selbst ihnen euch ihm bloß ganz besonders insbesondere derzeit aktuell aktuelle aktuellen neben zwischen ohne
    gegenüber nie niemals keine keiner keinem keinen keines nichts niemand kaum hier dort dorthin dabei dass denen
    also both either neither while because although however therefore after before since until during between under
    over through against within without only just still already yet even not no never nor its
"""

PLAIN_WORDS = frozenset(f"{_REPORTING} {_AUXILIARY} {_JOINING}".split())
