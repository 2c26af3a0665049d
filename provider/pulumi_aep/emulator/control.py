"""`/__emulator__/…`: health, reset, journal, objects, settings. No credentials, this machine only, not journalled."""

from collections.abc import Awaitable, Callable
from importlib.metadata import version
from ipaddress import ip_address

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as WebRoute

from . import catalog, data_prep, flow_service, schema_registry
from .gateway import SANDBOXES
from .journal import Journal
from .rules import Json
from .store import Space, Store

# resource kind → the objects of a sandbox as the service would show them, under `id` and `name`
VIEWS: dict[str, Callable[[Space], list[Json]]] = {
    **{kind: flow_service.viewer(kind) for kind in ("BaseConnection", "SourceConnection", "TargetConnection", "Flow")},
    "MappingSet": data_prep.view_all,
    "FieldGroup": schema_registry.viewer("fieldgroups"),
    "Schema": schema_registry.viewer("schemas"),
    "Dataset": catalog.view_all,
}


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    latency_ms: int = Field(0, ge=0, le=600_000)
    page_size: int | None = Field(None, ge=1, le=1000)


def routes(store: Store, journal: Journal) -> list[WebRoute]:
    async def health(request: Request) -> Response:
        return JSONResponse({"service": "pulumi-aep-emulator", "status": "ok", "version": version("pulumi-aep")})

    async def reset(request: Request) -> Response:
        with store.transaction():
            store.reset()
        journal.entries.clear()
        return Response(status_code=204)

    async def read_journal(request: Request) -> Response:
        return JSONResponse(journal.entries)

    async def clear_journal(request: Request) -> Response:
        journal.entries.clear()
        return Response(status_code=204)

    async def objects(request: Request) -> Response:
        spaces = {name: Space(store, name) for name in SANDBOXES}
        return JSONResponse(
            {name: {kind: view(space) for kind, view in VIEWS.items()} for name, space in spaces.items()}
        )

    async def read_settings(request: Request) -> Response:
        return JSONResponse(store.settings)

    async def change_settings(request: Request) -> Response:
        try:
            changes = Settings.model_validate_json(await request.body()).model_dump(exclude_unset=True)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_input=False, include_context=False)
            text = "; ".join(f"{'.'.join(map(str, p['loc'])) or 'body'}: {p['msg']}" for p in problems)
            return JSONResponse({"message": text}, 422)
        with store.transaction():
            store.update_settings(changes)
        return JSONResponse(store.settings)

    table = {
        ("GET", "health"): health,
        ("POST", "reset"): reset,
        ("GET", "journal"): read_journal,
        ("DELETE", "journal"): clear_journal,
        ("GET", "objects"): objects,
        ("GET", "settings"): read_settings,
        ("PUT", "settings"): change_settings,
    }
    return [
        WebRoute(f"/__emulator__/{path}", _local(handler), methods=[verb]) for (verb, path), handler in table.items()
    ]


Endpoint = Callable[[Request], Awaitable[Response]]


def _local(handler: Endpoint) -> Endpoint:
    async def guarded(request: Request) -> Response:
        if request.client is None or not ip_address(request.client.host).is_loopback:
            return JSONResponse({"message": "the control interface answers to this machine only"}, 403)
        return await handler(request)

    return guarded
