"""The shapes of all responses, for the OpenAPI document alone: nothing is built or checked by them when serving."""
