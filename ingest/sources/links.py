"""What an index page tells of an article: enough to store its headline and to fetch it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """One link to an article. `number` is the publisher's own id; `kicker` the line above the title, kept out of it.

    `published` is as the page writes it, and empty where it says nothing, as are the others; `paid`: behind a paywall;
    `advertisement`: marked as one, so no article.
    """

    address: str
    number: str = ""
    title: str = ""
    kicker: str = ""
    published: str = ""
    comments: str = ""
    paid: bool = False
    advertisement: bool = False

    def record(self) -> dict[str, object]:
        """The article as far as it is known without its page, for `article_from`."""
        return {
            "id": self.number,
            "url": self.address,
            "title": self.title,
            "published": self.published,
            "comments": self.comments,
            "paid": self.paid,
        }


@dataclass(frozen=True, slots=True)
class IndexPage:
    """The links of an index page in its order, and the addresses of pages that continue it."""

    links: tuple[Link, ...]
    more: tuple[str, ...] = ()
