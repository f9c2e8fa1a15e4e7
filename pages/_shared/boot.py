"""The lab's own script in the browser, run before Streamlit's: see boot.js."""

from __future__ import annotations

from pathlib import Path

from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response

from pages._shared.assets import PLOTLY_PATH

BOOT_PATH = "/lab/boot.js"
_SCRIPT = (Path(__file__).parent / "boot.js").read_text(encoding="utf-8").replace("{{charts}}", PLOTLY_PATH)
_TAG = b'<head><script src="./lab/boot.js"></script>'
_NEEDLESS = (b"accept-encoding", b"if-none-match", b"if-modified-since")


async def boot_js(_request: Request) -> Response:
    """The script that `BootScript` puts into the index page."""
    return Response(_SCRIPT, media_type="text/javascript")


class BootScript(BaseHTTPMiddleware):
    """Puts the script first into the index page, which is a few kilobytes and is asked for plain and whole."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Passes everything but pages through."""
        if "text/html" not in request.headers.get("accept", ""):
            return await call_next(request)
        request.scope["headers"] = [(n, v) for n, v in request.scope["headers"] if n not in _NEEDLESS]
        response = await call_next(request)
        if not response.headers.get("content-type", "").startswith("text/html"):
            return response
        page = b"".join([chunk async for chunk in response.body_iterator])  # type: ignore[union-attr]
        return Response(page.replace(b"<head>", _TAG, 1), response.status_code, media_type="text/html")
