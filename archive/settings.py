"""Settings: one frozen object, built once at start from the environment (`ARCHIVAR_*`) and `.env`, passed down."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from archive.errors import SettingsError


def default_models_folder() -> Path:
    """The user's cache folder for models: `$XDG_CACHE_HOME/archivar` or `~/.cache/archivar`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "archivar"


class Settings(BaseSettings):
    """Everything that can be set; each field is the variable `ARCHIVAR_<NAME>`."""

    model_config = SettingsConfigDict(
        env_prefix="ARCHIVAR_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    home: Path = Field(Path("data"), description="where the archive lives: ledger, vectors, words")
    models: Path = Field(default_factory=default_models_folder, description="where models are stored")
    offline: bool = Field(False, description="never fetch a model; what is missing is an error")
    threads: int = Field(0, ge=0, le=256, description="CPU threads for models; 0 takes all cores")

    embedder: str = Field("multilingual-e5-small-q4", description="catalogue name, hub id or folder")
    reranker: str = Field(
        "archivar-reranker-de", description="catalogue name, hub id or folder of a cross-encoder; `none`: none"
    )
    generator: str = Field(
        "llamacpp:qwen2.5-coder-1.5b-instruct",
        description="`llamacpp:<catalogue name or .gguf file>`, `ollama:<model>` or `openai:<model>`",
    )
    generator_url: str = Field(
        "", description="base address of the engine, or several with commas; empty: the engine's own default"
    )
    generator_key: SecretStr = Field(SecretStr(""), description="API key for the engine")
    engine_timeout: Annotated[float, Field(gt=0)] = Field(
        120, description="seconds of silence until an engine is given up"
    )
    engine_slots: int = Field(
        0, ge=0, le=1000, description="answers that an engine writes at a time; 0: 1 in this process, else 4"
    )
    queue: int = Field(64, ge=0, le=10_000, description="questions that may wait for an engine; the next gets a 429")
    workers: int = Field(
        1,
        ge=1,
        le=64,
        description="server processes over one archive, which share slots and queue; not with an engine in the process",
    )
    shutdown_seconds: float = Field(
        30, ge=0, le=600, description="time that running answers have when the server is stopped"
    )

    context_tokens: int = Field(4096, ge=512, description="context of the generator, prompt and answer together")
    answer_tokens: int = Field(400, ge=16, description="length of an answer at most")
    temperature: float = Field(0.0, ge=0, le=2, description="0 writes the same answer each time")
    candidates: int = Field(30, ge=1, le=200, description="passages taken from each of the two searches")
    reranked: int = Field(30, ge=1, le=400, description="passages that the reranker reads, best first")
    prompt_characters: int = Field(
        640, ge=200, description="characters of passages in a prompt; more takes longer to read"
    )
    history_tokens: int = Field(
        120, ge=0, description="talk before a follow-up question that its prompt repeats, at most"
    )
    wording: Literal["verbatim", "written"] = Field(
        "verbatim",
        description="`verbatim`: an answer is the archive's own sentences; `written`: the generator's, checked",
    )
    unsupported: Literal["withhold", "mark"] = Field(
        "withhold", description="what becomes of a sentence that no source bears out: `withhold` or `mark`"
    )
    nearest: float | None = Field(
        None,
        ge=0,
        le=1,
        description="cosine below which the archive holds nothing; empty: it is weighed with other signals",
    )
    top_k: int = Field(4, ge=1, le=50, description="articles that go into the prompt and become sources")

    contact: str = Field(
        "",
        pattern="^[ -'*-~]*$",
        description="mail or web address that publishers can write to; part of the User-Agent",
    )
    crawl_delay: float = Field(1.0, ge=0, le=60, description="seconds between two requests to the same host, at least")
    licensed_hosts: str = Field(
        "", description="hosts, with those below them, whose text-and-data-mining reservations a licence lifts for you"
    )

    chroma_url: str = Field("", description="address of a Chroma server; empty: embedded, under `home`")
    host: str = Field("127.0.0.1", description="address the API listens on")
    port: int = Field(8000, ge=0, le=65535, description="port of the API")
    webui_port: int = Field(8080, ge=0, le=65535, description="port of Open WebUI")
    public_url: str = Field("", description="address of the API for browsers; empty: `http://localhost` and the port")
    api_key: SecretStr = Field(
        SecretStr(""), description="a key with all rights; this or one by `archivar keys` is needed beyond loopback"
    )
    webui_key: SecretStr = Field(
        SecretStr(""),
        description="key that `archivar chat` gives to Open WebUI, such as one with a quota; empty: `ARCHIVAR_API_KEY`",
    )
    cors_origins: str = Field(
        "",
        pattern=r"^(https?://[^\s/,]+(\s*,\s*https?://[^\s/,]+)*)?$",
        description="origins of web pages that may call the API from a browser, with commas; empty: none",
    )
    body_megabytes: float = Field(10, gt=0, le=1000, description="size of a request at most; a larger one gets a 413")
    log_questions: bool = Field(False, description="tell in the log what was asked, and by whom")
    language: Literal["de", "en"] = Field("de", description="language of messages where a question leaves it open")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="level of the log")
    log_format: Literal["text", "json"] = Field(
        "text", description="log lines for people (`text`) or programs (`json`)"
    )
    otlp_endpoint: str = Field(
        "",
        pattern="^(https?://[^\\s/]+.*)?$",
        description="address of an OpenTelemetry collector that traces go to, by OTLP over HTTP; empty: none",
    )

    @property
    def reranker_name(self) -> str:
        """The reranker, empty for none: an empty variable means the default, so none has a word of its own."""
        return "" if self.reranker == "none" else self.reranker

    @property
    def generates_in_process(self) -> bool:
        """Whether the generator is loaded into this process, not asked at an address."""
        return self.generator.startswith("llamacpp:")

    @property
    def generator_urls(self) -> tuple[str, ...]:
        """The engine's addresses, without slashes at their ends; none for the engine's own default."""
        return tuple(part.strip().rstrip("/") for part in self.generator_url.split(",") if part.strip())

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins of the web pages that may call the API."""
        return tuple(part.strip() for part in self.cors_origins.split(",") if part.strip())

    @property
    def base_url(self) -> str:
        """Where a browser finds this server, without a slash at the end."""
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")


def load_settings(**overrides: object) -> Settings:
    """Read the environment once; `overrides` are command-line options. Raises SettingsError naming the variable."""
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"ARCHIVAR_{name}: {first['msg']}; see the table of settings in the README") from error
