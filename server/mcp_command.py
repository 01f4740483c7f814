"""`archivar mcp`: the archive's tools for programs on this machine that start their MCP servers themselves."""

from archive.settings import load_settings


def mcp() -> None:
    """Offer search_archive and get_article to the program that starts this, by MCP over stdin and stdout.

    Nothing that writes answers is loaded, and no port is opened.
    """
    settings = load_settings()
    from archive.ledger import check_archive

    check_archive(settings.home)
    from server.library import open_library
    from server.mcp import serve_stdio

    serve_stdio(open_library(settings))
