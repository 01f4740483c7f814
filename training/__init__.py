"""Own models: questions written for the archive's passages, a reranker and an embedder trained on them."""
