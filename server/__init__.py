"""Questions in: HTTP, understand, retrieve, rerank, prompt, generate, cite, stream."""
