"""The GraphiQL page and its assets, all from this server, under a strict content security policy."""

import gzip
import html
import json
import re
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response

from app.graphiql.build import OUTPUT

TABS = Path(__file__).parent / "tabs"
ASSETS_PATH = "/graphiql"
FOREVER = "public, max-age=31536000, immutable"
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".ttf": "font/ttf", ".txt": "text/plain"}
NOT_BUILT = "GraphiQL is not built yet: run <code>make graphiql</code> (or <code>{command}</code>), then reload."
SHELL = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Windtunnel</title>
<link rel="icon" href="data:,">
{head}
</head>
<body>
{body}
</body>
</html>
"""


class GraphiQLPage:
    """The bundle in `directory`; it may be built while the server runs."""

    def __init__(self, directory: Path = OUTPUT) -> None:
        self._directory = directory

    def respond(self, request: Request) -> Response:
        """The page, or one line on how to build it."""
        return HTMLResponse(self._html(), headers={"Content-Security-Policy": _policy(request)})

    async def asset(self, request: Request) -> Response:
        """One file of the bundle; its name holds the hash of its content, so that it never changes."""
        name = str(request.path_params["name"])
        media_type = MEDIA_TYPES.get(Path(name).suffix)
        files = self._files()
        if media_type is None or not files & {name, f"{name}.gz"}:
            return _no_such_asset()
        hashed = re.search(r"-[A-Z0-9]{8}\.", name) is not None
        headers = {"Cache-Control": FOREVER if hashed else "no-cache", "Vary": "Accept-Encoding"}
        if f"{name}.gz" in files:
            packed = self._directory / f"{name}.gz"
            if "gzip" in request.headers.get("accept-encoding", ""):
                return FileResponse(packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=media_type)
            return Response(gzip.decompress(packed.read_bytes()), headers=headers, media_type=media_type)
        return FileResponse(self._directory / name, headers=headers, media_type=media_type)

    def _files(self) -> set[str]:
        return {file.name for file in self._directory.iterdir()} if self._directory.is_dir() else set()

    def _html(self) -> str:
        try:
            manifest = json.loads((self._directory / "manifest.json").read_text("utf-8"))
        except FileNotFoundError:
            return SHELL.format(head="", body=f"<p>{NOT_BUILT.format(command='python -m app.graphiql.build')}</p>")
        base = ASSETS_PATH.strip("/")  # relative to /graphql, so that a prefix before it does no harm
        page = {
            "tabs": _tabs(),
            "workers": {label: f"{base}/{name}" for label, name in manifest["workers"].items()},
        }
        styles = "\n".join(f'<link rel="stylesheet" href="{base}/{html.escape(name)}">' for name in manifest["styles"])
        return SHELL.format(
            head=f'{styles}\n<script type="module" src="{base}/{html.escape(manifest["script"])}"></script>',
            body='<div id="graphiql"><p class="notice">Loading GraphiQL …</p></div>\n'
            f'<script type="application/json" id="page">{_inline(page)}</script>\n'
            "<noscript><p>GraphiQL needs JavaScript; the API itself does not.</p></noscript>",
        )


def _tabs() -> list[dict[str, str]]:
    tabs = []
    for query in sorted(TABS.glob("*.graphql")):
        variables = query.with_suffix(".json")
        tabs.append({"query": query.read_text("utf-8")})
        if variables.exists():
            tabs[-1]["variables"] = variables.read_text("utf-8")
    return tabs


def _inline(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(value).replace("<", "\\u003c")


def _policy(request: Request) -> str:
    host = request.headers.get("host", "")
    sockets = f" ws://{host} wss://{host}" if re.fullmatch(r"[\w.:\[\]-]+", host) else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "worker-src 'self'",
            "style-src 'self' 'unsafe-inline'",  # the editor positions its lines by style attributes
            "img-src 'self' data:",
            "font-src 'self' data:",
            f"connect-src 'self'{sockets}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def _no_such_asset() -> Response:
    return JSONResponse({"error": {"code": "NOT_FOUND", "message": "There is no such asset."}}, 404)
