"""Links between near-identical articles: one agency story in several papers, one text at two addresses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archive.ledger import Ledger
from archive.schema import MOMENT


@dataclass(frozen=True, slots=True)
class Twin:
    """An article that says the same; `similarity` is the share of the shorter text that stands in the longer one."""

    article_id: str
    similarity: float


class Links:
    """The links of one ledger. They go with either of the two articles."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def replace(self, found: Mapping[str, Mapping[str, float]]) -> None:
        """Put what each article was found to resemble (id to id to similarity) in place of its older links.

        Whichever was published first is noted as the original. Ids that are not held are left out.
        """
        ids = {*found, *(other for twins in found.values() for other in twins)}
        held = self._ledger.select(f"SELECT id, {MOMENT} AS moment FROM articles WHERE id IN ({{}})", ids)
        place = {row["id"]: (row["moment"], row["id"]) for row in held}
        with self._ledger.transaction() as db:
            for article_id, twins in found.items():
                db.execute("DELETE FROM twins WHERE article_id = ?1 OR twin_of = ?1", (article_id,))
                for other, similarity in twins.items():
                    if article_id in place and other in place:
                        earlier, later = sorted((article_id, other), key=place.__getitem__)
                        db.execute("INSERT OR REPLACE INTO twins VALUES (?, ?, ?)", (later, earlier, similarity))

    def of(self, article_id: str) -> tuple[Twin, ...]:
        """The twins of an article that aren't withdrawn, the earliest first."""
        rows = self._ledger.db.execute(_OF, {"id": article_id})
        return tuple(Twin(row["id"], row["similarity"]) for row in rows)

    def among(self, article_ids: Iterable[str]) -> set[frozenset[str]]:
        """Those pairs of the articles that are twins."""
        wanted = set(article_ids)
        rows = self._ledger.select("SELECT article_id, twin_of FROM twins WHERE article_id IN ({})", wanted)
        return {frozenset((row["article_id"], row["twin_of"])) for row in rows if row["twin_of"] in wanted}


_OF = f"""SELECT articles.id, similarity FROM (
        SELECT twin_of AS id, similarity FROM twins WHERE article_id = :id
        UNION ALL SELECT article_id, similarity FROM twins WHERE twin_of = :id
    ) JOIN articles USING (id) WHERE withdrawn IS NULL ORDER BY {MOMENT}, articles.id"""
