"""The tools as an MCP server, over HTTP and over stdin and stdout.

Source: the Model Context Protocol, server tools and streamable HTTP; both its generations are served by the `mcp`
package. It takes most of a second to load, so this module is imported when the first client comes.
"""

import asyncio
import json
import logging
from importlib.metadata import version
from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)
from pydantic import ValidationError
from starlette.types import Receive, Scope, Send

from server import tools
from server.library import Library
from server.problems import describe
from server.tool_shapes import complaint

# At each request it tells that it has started and ended.
logging.getLogger("mcp.server.streamable_http_manager").setLevel(logging.WARNING)

_HARMLESS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)


def mcp_server(library: Library) -> Server[Any]:
    """The tools over one archive, for any transport."""
    by_name = {tool.name: tool for tool in tools.TOOLS}
    offered = [
        Tool(
            name=tool.name, title=tool.title, description=tool.description, annotations=_HARMLESS,
            input_schema=tool.input_schema, output_schema=tool.output_schema,
        )
        for tool in tools.TOOLS
    ]  # fmt: skip

    async def list_tools(_: Any, __: PaginatedRequestParams | None) -> ListToolsResult:  # noqa: ANN401
        return ListToolsResult(tools=offered)

    async def call_tool(_: Any, call: CallToolRequestParams) -> CallToolResult:  # noqa: ANN401
        tool = by_name.get(call.name)
        if tool is None:
            raise MCPError(INVALID_PARAMS, f"there is no tool {call.name}; there are {', '.join(by_name)}")
        return await asyncio.to_thread(_call, tool, library, call.arguments or {})

    return Server(
        "archivar", title="Archivar", version=version("archivar"), on_list_tools=list_tools, on_call_tool=call_tool
    )


def _call(tool: tools.Tool, library: Library, arguments: dict[str, Any]) -> CallToolResult:
    """The result as data and as text; what went wrong is a result too, since the model has to read it."""
    try:
        result = tool.run(library, tool.arguments.model_validate(arguments))
    except ValidationError as error:
        return _text(complaint(error), is_error=True)
    except Exception as error:
        return _text(describe(error)[1]["message"], is_error=True)
    given = result.model_dump(mode="json", by_alias=True, exclude_none=True)
    return _text(json.dumps(given, ensure_ascii=False), given)


def _text(text: str, structured: dict[str, Any] | None = None, *, is_error: bool = False) -> CallToolResult:
    return CallToolResult(
        content=[TextContent(type="text", text=text)], structured_content=structured, is_error=is_error
    )


async def serve_request(server: Server[Any], scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one HTTP request. Nothing outlives it, so any worker can take the next one of the same client.

    Host and Origin were checked by the guard, which knows better than a list of names where a key is needed.
    """
    manager = StreamableHTTPSessionManager(server, json_response=True, stateless=True)
    async with manager.run():
        await manager.handle_request(scope, receive, send)


def serve_stdio(library: Library) -> None:
    """Serve the program that started this one, until it closes stdin."""
    server = mcp_server(library)

    async def serve() -> None:
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    anyio.run(serve)
