"""The HTTP side: create_app() puts routes, errors and the loaded engine together."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from archive.settings import Settings
from server import openapi, problems
from server.access.bodies import BoundedBodies
from server.access.guard import Guard
from server.access.headers import SecureHeaders
from server.engine import Engine, check_settings, load_engine, warm_up
from server.observing import Observed
from server.probes import Probes
from server.routes import chat, health, library, pages, responses, tools, websearch
from server.routes.mcp import mcp_route
from server.running import Runnings
from server.stopping import breaking_off
from server.tracing import load_tracing

VERSION = version("archivar")


def create_app(settings: Settings, load: Callable[[Settings], Engine] = load_engine) -> FastAPI:
    """The server over one archive. Raises SettingsError at once; models load when it starts."""
    check_settings(settings)
    tracing = load_tracing(settings.otlp_endpoint, VERSION) if settings.otlp_endpoint else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = await asyncio.to_thread(load, settings)
        app.state.engine, app.state.runnings = engine, Runnings()
        app.state.probes = Probes(engine, VERSION)
        warming = asyncio.create_task(warm_up(engine))
        with breaking_off(app.state.runnings, settings.shutdown_seconds):
            yield
        warming.cancel()
        await asyncio.gather(warming, return_exceptions=True)
        await engine.turns.close()
        app.state.probes.close()
        if tracing:
            await asyncio.to_thread(tracing.close)
        await asyncio.to_thread(engine.close)

    # Its pages of documentation would load scripts from elsewhere.
    app = FastAPI(
        title="Archivar", version=VERSION, lifespan=lifespan, docs_url=None, redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )  # fmt: skip
    problems.install(app)
    openapi.install(app)
    app.add_middleware(BoundedBodies, limit=int(settings.body_megabytes * 1_000_000))
    app.add_middleware(Guard)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=settings.origins, allow_methods=("GET", "POST"), allow_headers=("*",),
            expose_headers=("Retry-After", "X-Request-Id", "X-RateLimit-Remaining-Requests"),
        )  # fmt: skip
    app.add_middleware(Observed, tracing=tracing)
    app.add_middleware(SecureHeaders)  # the last that is added is the outermost: no response goes without
    app.include_router(chat.router)
    app.include_router(responses.router)
    app.include_router(library.router)
    app.include_router(library.cohere)
    app.include_router(health.router)
    app.include_router(pages.router)
    app.include_router(websearch.router)
    app.include_router(tools.router)
    app.include_router(tools.document)
    app.router.routes.append(mcp_route())
    return app
