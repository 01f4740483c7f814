"""Words that news uses for one another, by their stems: so plain that an editor would not call it a change."""

from functools import cache, lru_cache

from archive.compounds import spelled_out
from archive.german import stem

_GROUPS = """
    firma unternehmen konzern hersteller anbieter betrieb gesellschaft entwickler company manufacturer
    lücke schwachstelle sicherheitslücke leck fehler vulnerability flaw
    entdeckte entdeckt fand gefunden aufgespürt fiel auffiel bemerkte gestoßen discovered found
    schadsoftware malware schadcode schädling virus trojaner
    erpressungstrojaner ransomware erpressungssoftware
    hintertür backdoor
    gestorben starb tot tod verstorben verstarb died dead death
    getötet umgebracht ermordet mord tötete killed
    verletzt verletzte verletzten injured
    zahlt zahlte bezahlt bezahlte überwies zahlung kostet kosten beträgt beläuft paid costs
    gewann gewonnen sieg siegte siegten gewinnt besiegte durchgesetzt won win
    verlor niederlage unterlag verloren lost
    begann begonnen startete beginn start anfang beginnt gestartet startet began started
    endete beendet ende schloss abgeschlossen ended
    verschoben verschiebt verschob verzögert verlegt vertagt postponed delayed
    angekündigt kündigte ankündigte plant geplant vorhaben will announced plans
    verboten verbot untersagt gesperrt sperre blockiert sperrt banned blocked
    erlaubt genehmigt zugelassen gestattet zulassung genehmigung approved
    erhöht stieg gestiegen anstieg wuchs zunahme zugenommen steigt wachstum increased rose
    gesunken sank fiel gefallen rückgang verringert gesenkt reduziert abnahme decreased fell
    gekauft kauft übernahm übernommen übernahme kauf erworben erwarb acquired bought acquisition
    verkauft veräußert verkauf sold
    chef leiter vorsitzender geschäftsführer direktor vorstand vorstandschef ceo firmenchef head chief
    zurückgetreten rücktritt trat zurücktrat resigned resignation
    verurteilt verurteilte urteil schuldig sentenced convicted
    haft gefängnis haftstrafe freiheitsstrafe prison
    attacke angriff überfall anschlag angegriffen attack
    täter angreifer kriminelle hacker attackers
    betroffen betraf geschädigt trifft traf affected
    kunden nutzer anwender benutzer users customers
    geräte rechner computer systeme pcs devices
    software programm anwendung
    mitarbeiter beschäftigte angestellte belegschaft employees
    veröffentlicht freigegeben publiziert erschienen vorgestellt präsentiert released published veröffentlichte
    zerstört vernichtet destroyed
    gebaut errichtet bau errichtung built
    gericht richter court
    gesetz regelung vorschrift law
    strafe geldstrafe bußgeld sanktion fine
    schaden schäden damage
    aktuell derzeitig gegenwärtig
    größte größter größten größtes riesige
    deutschland deutsche deutscher deutschen bundesrepublik
    hälfte halbiert halb half
    update aktualisierung patch updates
    erster erste ersten erstmals zuerst first
    fußball fußballer
    stadt kommune gemeinde kommunen städte city
    land staat staaten länder country
    kinder kind nachwuchs child children
    auto wagen fahrzeug pkw car
    flugzeug maschine jet plane
    festgenommen verhaftet festnahme verhaftung arrested
    wahl gewählt wählte abstimmung elected election
    beschlossen beschloss beschließt verabschiedet entschieden entscheidung beschluss decided
    gefordert forderte fordert verlangt verlangte forderung demanded
    kritisiert kritik kritisierte bemängelt criticized
    gegründet gründete gründung founded
    geboren geburt born
"""


@cache
def _groups() -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for number, line in enumerate(_GROUPS.strip().splitlines()):
        for word in line.split():
            for key in {stem(spelled_out(word)), spelled_out(word)}:
                found[key] = (*found.get(key, ()), number)
    return found


@lru_cache(maxsize=50_000)
def group_of(form: str) -> tuple[int, ...]:
    """The numbers of the groups that a stem belongs to, mostly none."""
    return _groups().get(form, ())
