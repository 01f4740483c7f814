"""Other ways to ask the same articles with the same models, for `archivar bench answers`."""
