"""The HTTP side: create_app() puts routes, errors and the loaded engine together."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Header, Request

from archive.errors import Unauthorized
from archive.settings import Settings
from server import metrics, problems
from server.engine import Engine, check_settings, load_engine, warm_up
from server.routes import chat, library, pages
from server.running import Runnings
from server.stopping import breaking_off


def create_app(settings: Settings, load: Callable[[Settings], Engine] = load_engine) -> FastAPI:
    """The server over one archive. Raises SettingsError at once; models load when it starts."""
    check_settings(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = await asyncio.to_thread(load, settings)
        app.state.engine, app.state.runnings = engine, Runnings()
        warming = asyncio.create_task(warm_up(engine))
        with breaking_off(app.state.runnings, settings.shutdown_seconds):
            yield
        warming.cancel()
        await asyncio.gather(warming, return_exceptions=True)
        await engine.turns.close()
        await asyncio.to_thread(engine.close)

    app = FastAPI(title="Archivar", version="0.1.0", lifespan=lifespan, docs_url="/docs", redoc_url=None)
    problems.install(app)
    app.add_middleware(metrics.CountRequests)
    key = settings.api_key.get_secret_value()

    def authorized(_: Request, authorization: Annotated[str, Header()] = "") -> None:
        given = authorization.removeprefix("Bearer ").strip()
        if key and not hmac.compare_digest(given.encode(), key.encode()):
            raise Unauthorized("the API key is missing or wrong; send it as Authorization: Bearer <ARCHIVAR_API_KEY>")

    app.include_router(chat.router, dependencies=[Depends(authorized)])
    app.include_router(library.router, dependencies=[Depends(authorized)])
    app.include_router(pages.router)
    return app
