"""Articles from the web, fetched the way a careful neighbour would: `Visitor.visit` is the only way out."""
