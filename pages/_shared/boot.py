"""Tells the browser where the server's root is, before Streamlit's own script guesses it.

Opened at /studies, Streamlit 1.67 first asks for /studies/_stcore/health and logs an error in the console. With the
root known it does not guess.
"""

from __future__ import annotations

from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response

BOOT_PATH = "/lab/boot.js"
_SCRIPT = """
const root = new URL("./", location.href).href;
window.__streamlit = { ...window.__streamlit, BACKEND_BASE_URL: root, MAIN_PAGE_BASE_URL: root };
"""
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
