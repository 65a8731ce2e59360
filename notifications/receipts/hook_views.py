"""Where gateways call: no session, no page; the secret in the address is the password."""

from django.http import HttpRequest, HttpResponse
from django.http.request import RawPostDataException, UnreadablePostError
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications.receipts import hooks as hook_calls


@csrf_exempt
@never_cache
@require_http_methods(["GET", "POST"])
def hook(request: HttpRequest, secret: str) -> HttpResponse:
    """Take what a gateway reports."""
    caller = hook_calls.Caller(
        address=request.META.get("REMOTE_ADDR", ""),
        forwarded_for=request.headers.get("X-Forwarded-For", ""),
    )
    try:
        gateway = hook_calls.gateway_called(secret=secret, caller=caller)
    except hook_calls.NobodyKnows:
        return _said(hook_calls.LATER)
    if gateway is None:
        return _said(hook_calls.NOT_FOUND)
    body = _body(request)
    if body is None:
        return _said(hook_calls.TOO_LARGE)
    return _said(
        hook_calls.take(
            gateway=gateway,
            method=request.method or "",
            query=request.GET.dict(),
            headers=request.headers,
            body=body,
        )
    )


def _body(request: HttpRequest) -> bytes | None:
    """Return the body; None when it is too large, of which at most the limit is read."""
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
        if announced > hook_calls.LARGEST_BODY:
            return None
        body = request.read(hook_calls.LARGEST_BODY + 1)
    except (ValueError, UnreadablePostError, RawPostDataException):
        return b""
    return None if len(body) > hook_calls.LARGEST_BODY else body


def _said(answer: hook_calls.Answer) -> HttpResponse:
    return HttpResponse(answer.text, status=answer.status, content_type="text/plain")
