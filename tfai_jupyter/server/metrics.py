"""Metrics on the host's /metrics: each family is registered once and driven by what happens.

Labels are bounded: routes are templates, tools and commands are those that exist, codes are HTTP's.
"""

from __future__ import annotations

from functools import cache

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from tfai_jupyter import __version__
from tfai_jupyter.core.errors import Busy
from tfai_jupyter.core.events import (
    ApprovalRequired,
    ApprovalResolved,
    Event,
    PassagesFound,
    ToolFinished,
    TurnFailed,
    TurnFinished,
)
from tfai_jupyter.core.messages import ModelName

TURN_BUCKETS = (1, 5, 10, 30, 60, 120, 300)
_HTTP_BUCKETS = (0.005, 0.025, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_TERRAFORM = "terraform_"
_REMEMBERED = 1000


class Metrics:
    """The families, and how events and requests drive them."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        """Register every family."""

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(name, text, labels, buckets=buckets, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, labels, registry=registry)

        self.chats = counter("tfai_chat_requests_total", "Turns by how they ended.", "outcome")
        self.chat_seconds = histogram("tfai_chat_duration_seconds", "Length of a turn.", TURN_BUCKETS, "outcome")
        self.first_token = histogram(
            "tfai_chat_first_token_seconds", "Wait for a turn's first text.", (0.1, 0.5, 1, 2, 5, 10, 30, 60)
        )
        self.streams = gauge("tfai_chat_active_streams", "Turns that run now.")
        self.requests = counter("tfai_http_requests_total", "HTTP requests.", "method", "handler", "code")
        self.request_seconds = histogram(
            "tfai_http_duration_seconds", "Length of an HTTP request.", _HTTP_BUCKETS, "method", "handler"
        )
        self.passages = histogram("tfai_rag_documents_injected", "Passages shown in a turn.", (0, 1, 2, 5, 10, 20, 50))
        self.tools = counter("tfai_tool_invocations_total", "Tools run, by how they ended.", "tool", "outcome")
        self.terraform_seconds = histogram(
            "tfai_terraform_duration_seconds", "Length of a Terraform command.", (0.1, 0.5, *TURN_BUCKETS), "command"
        )
        self.files = counter("tfai_workspace_files_written_total", "Files written, by who asked for it.", "source")
        self.approvals = counter("tfai_approvals_total", "Approvals resolved.", "kind", "decision")
        self.tokens = counter("tfai_tokens_total", "Tokens used.", "provider", "model", "direction")
        self.limited = counter("tfai_limited_total", "Requests refused by a limit.", "reason")
        self.dependency = gauge("tfai_dependency_up", "1 when a part of the assistant works.", "dependency")
        self.lag = gauge("tfai_event_loop_lag_seconds", "How late the event loop woke at its last check.")
        gauge("tfai_build_info", "The version that runs.", "version").labels(__version__).set(1)
        self._kinds: dict[str, str] = {}

    def happened(self, event: Event, known_tools: frozenset[str]) -> None:
        """Count what an event inside a turn tells."""
        match event:
            case ToolFinished():
                tool = event.tool if event.tool in known_tools else "unknown"
                self.tools.labels(tool, event.outcome).inc()
                self._count_files(event)
                if tool.startswith(_TERRAFORM):
                    self.terraform_seconds.labels(tool.removeprefix(_TERRAFORM)).observe(event.duration_ms / 1000)
            case PassagesFound():
                self.passages.observe(len(event.passages))
            case ApprovalRequired():
                self._kinds[event.approval_id] = event.kind
                if len(self._kinds) > _REMEMBERED:
                    del self._kinds[next(iter(self._kinds))]
            case ApprovalResolved():
                self.approvals.labels(self._kinds.pop(event.approval_id, "other"), event.decision).inc()
            case _:
                pass

    def ended(self, last: TurnFinished | TurnFailed, seconds: float, model: ModelName) -> None:
        """Count a turn by its last event."""
        outcome = outcome_of(last)
        self.chats.labels(outcome).inc()
        self.chat_seconds.labels(outcome).observe(seconds)
        if isinstance(last, TurnFailed):
            return
        if last.first_token_ms is not None:
            self.first_token.observe(last.first_token_ms / 1000)
        if last.usage.input_tokens or last.usage.output_tokens:
            self.tokens.labels(model.provider, model.name, "input").inc(last.usage.input_tokens)
            self.tokens.labels(model.provider, model.name, "output").inc(last.usage.output_tokens)

    def refused(self, error: BaseException | None) -> None:
        """Count a turn that was refused before its first event."""
        self.chats.labels("rejected").inc()
        if isinstance(error, Busy):
            self.limited.labels("streams").inc()

    def answered(self, method: str, handler: str, code: int, seconds: float) -> None:
        """Count an HTTP request; `handler` is its route's template."""
        known = method if method in _METHODS else "other"
        self.requests.labels(known, handler, str(code)).inc()
        self.request_seconds.labels(known, handler).observe(seconds)

    def _count_files(self, event: ToolFinished) -> None:
        data = event.data or {}
        files = data.get("files")
        if data.get("done") == "applied" and isinstance(files, list):
            self.files.labels("apply").inc(len(files))


def outcome_of(last: TurnFinished | TurnFailed) -> str:
    """Name how a turn ended, as dashboards know it."""
    if isinstance(last, TurnFailed):
        return "timeout" if last.code == "timeout" else "error"
    return "cancelled" if last.stop_reason == "cancelled" else "ok"


@cache
def shared_metrics() -> Metrics:
    """Return the one set on the host's registry, which refuses a second registration."""
    return Metrics()
