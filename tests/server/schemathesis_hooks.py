"""For schemathesis: valid requests that mean something. What a schema can't say, such as that one asks, is mended.

Requests that are meant to be wrong stay as they are.
"""

import os

import schemathesis

EMBEDDER, RERANKER = "multilingual-e5-small-q4", "archivar-reranker-de"
MODELS = {"/v1/embeddings": EMBEDDER, "/v1/rerank": RERANKER, "/v2/rerank": RERANKER}
ARTICLE = os.environ.get("FUZZ_ARTICLE", "")


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or case.meta.generation.mode.is_negative:
        return
    is_even = len(str(case.body)) % 2 == 0
    for name, known in (("article_id", ARTICLE), ("name", "heise-archiv")):
        if name in (case.path_parameters or {}) and len(str(case.path_parameters[name])) % 2:
            case.path_parameters[name] = known
    if isinstance(body := case.body, dict):
        mend(case.operation.path, body, is_even)


def mend(path: str, body: dict, is_even: bool) -> None:
    if "model" in body:
        body["model"] = MODELS.get(path, "heise-archiv" if is_even else "scripted")
    if path in ("/v1/chat/completions", "/v1/responses"):
        mend_question(body)
    if path == "/v1/embeddings":
        body.pop("dimensions", None)
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        body["input"] = [text if text.strip() else "Log4j" for text in texts]
    for period in (body, body.get("archive")):
        if isinstance(period, dict) and period.get("from") and period.get("to"):
            period["from"], period["to"] = sorted((period["from"], period["to"]))


def mend_question(body: dict) -> None:
    for turns in (body.get("messages"), body.get("input")):
        if isinstance(turns, list):
            turns[-1] = {"role": "user", "content": "Was ist Log4j?"}
    if isinstance(body.get("input"), str) and not body["input"].strip():
        body["input"] = "Was ist Log4j?"
    if body.get("stream_options") is not None:
        body["stream"] = True
    if body["model"] == "heise-archiv":  # it has no tools to choose from, and a shape of its own
        for key in ("tool_choice", "response_format", "text"):
            body.pop(key, None)
    elif not body.get("tools") or isinstance(body.get("tool_choice"), dict):
        body.pop("tool_choice", None)
