"""OpenAIModel: a ChatModel over the `openai` SDK, for OpenAI, Ollama and whatever else speaks chat completions.

The SDK takes a second to import, so a thread does that at the first call. Its own retries and deadlines
are off: ours end with the first word of the answer and tell a person what to do.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import random
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import SplitResult, urlsplit

from tfai_jupyter.core.errors import ModelError, ModelRefused, ModelTimeout, SettingsError
from tfai_jupyter.core.messages import ModelName, Piece, Prompt

from .openai_errors import CONNECT_SECONDS, Party, failure, may_pass, retry_after
from .openai_wire import MAX_ANSWER_BYTES, StreamedReply, request_body

if TYPE_CHECKING:
    from openai import APIError, AsyncOpenAI, AsyncStream

OPENAI_URL = "https://api.openai.com/v1"
PING_SECONDS = 5.0
_LATE_SECONDS = 2.0  # how long a complete answer waits for its token counts
_BACKOFF_SECONDS = 0.5
_NO_KEY = "none"  # what is sent to servers of one's own, Ollama among them; the SDK insists on something


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A model and where it answers, with the limits of one call.

    An empty `base_url` is the provider's usual one. `first_token_seconds` counts from the request,
    `idle_seconds` from chunk to chunk; a Retry-After above `longest_wait_seconds` is told, not waited for.
    """

    provider: Literal["openai", "ollama"]
    model: str
    base_url: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    max_tokens: int | None = 4096
    temperature: float | None = 0.2
    first_token_seconds: float = 60.0
    idle_seconds: float = 60.0
    retries: int = 2
    longest_wait_seconds: float = 20.0
    max_answer_bytes: int = MAX_ANSWER_BYTES

    def url(self) -> SplitResult:
        """Return the address in parts; raises SettingsError (without the address: it may hold a password)."""
        address = self.base_url or (OPENAI_URL if self.provider == "openai" else ollama_url(""))
        try:
            parts = urlsplit(address)
            (parts.hostname or "").encode("idna")  # raises for what can be no name
            if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and len(address.split()) == 1:
                return parts
        except ValueError:
            pass
        name = "OLLAMA_HOST" if self.provider == "ollama" else "OPENAI_BASE_URL"
        message = f"{name} is no http or https address; it looks like http://localhost:11434"
        raise SettingsError(message)


def ollama_url(host: str) -> str:
    """Return the base URL for an OLLAMA_HOST, which may lack scheme and port as Ollama's own may."""
    scheme, found, rest = host.strip().rstrip("/").removesuffix("/v1").rpartition("://")
    address = rest.replace("0.0.0.0", "127.0.0.1", 1)  # noqa: S104 - where a server listens, not where it is found
    if not found:
        address = address if ":" in address.rpartition("]")[2] else f"{address or '127.0.0.1'}:11434"
        address = f"127.0.0.1{address}" if address.startswith(":") else address
    return f"{scheme or 'http'}://{address}/v1"


class OpenAIModel:
    """A model behind an endpoint that speaks chat completions; belongs to one event loop."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Keep the endpoint; nothing is imported or opened yet. Raises SettingsError for a bad address."""
        self._endpoint = endpoint
        self._party = Party(endpoint.provider, endpoint.model, _host(endpoint.url()), endpoint.api_key.strip())
        self._options = _options(endpoint)
        self._client: AsyncOpenAI | None = None
        self._opening = asyncio.Lock()

    @property
    def name(self) -> ModelName:
        """Provider and model."""
        return ModelName(self._endpoint.provider, self._endpoint.model)

    async def prepare(self) -> None:
        """Import the SDK and make the client, once; what is wrong with it the call itself will tell."""
        with suppress(ModelRefused):
            await self._connected()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Yield text as it comes, then whole tool calls, token counts and Truncated; raises ModelError.

        Closing the generator closes the connection, so that the provider stops.
        """
        reply = StreamedReply(self._endpoint.max_answer_bytes)
        answer, first_by = await self._ask(request_body(self._endpoint.model, prompt))
        async with answer:
            while not reply.full and (text := await self._read(answer, reply, first_by)) is not None:
                if text:
                    yield text
        if reply.finish_reason == "content_filter":
            message = f"the content filter of {self._party.host} stopped the answer: ask in other words"
            raise ModelError(message)
        for piece in reply.rest():
            yield piece

    async def ping(self) -> None:
        """List the models, which costs no token; an Ollama must have ours. Raises ModelError."""
        client = await self._connected()
        import openai  # noqa: PLC0415 - imported by a thread in the line above

        try:
            async with asyncio.timeout(PING_SECONDS):
                answer = await client.models.with_raw_response.list()
        except TimeoutError:
            message = f"{self._party.host} did not list its models within {PING_SECONDS:.0f} s"
            raise ModelTimeout(message) from None
        except openai.APIError as error:
            raise failure(error, self._party) from None
        names = _model_names(answer.text)
        if names is None:
            raise self._party.no_api()
        if self._endpoint.provider == "ollama" and not {self._endpoint.model, f"{self._endpoint.model}:latest"} & names:
            raise self._party.unknown_model()

    async def aclose(self) -> None:
        """Give back the connections; a later call opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _connected(self) -> AsyncOpenAI:
        """Return the client; the first call imports the SDK, in a thread, for it takes a second."""
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(_client, self._endpoint, self._party)
            return self._client

    async def _ask(self, body: dict[str, Any]) -> tuple[AsyncStream[object], float]:
        """Begin an answer, if need be after a few attempts; return it and when its first token is due."""
        client = await self._connected()
        import openai  # noqa: PLC0415 - imported by a thread in the line above

        attempt = 0
        while True:
            first_by = asyncio.get_running_loop().time() + self._endpoint.first_token_seconds
            options = dict(self._options)
            try:
                async with asyncio.timeout_at(first_by):
                    answer = await client.post(
                        "/chat/completions",
                        cast_to=object,
                        body=body | options,
                        stream=True,
                        stream_cls=openai.AsyncStream[object],
                    )
                return await self._checked(answer), first_by
            except TimeoutError:
                raise self._late(begun=False) from None
            except openai.APIError as error:
                if self._adapted(error, options):
                    continue
                pause = self._pause(error, attempt)
                if pause is None:
                    raise failure(error, self._party) from None
            attempt += 1
            await asyncio.sleep(pause)

    async def _checked(self, answer: AsyncStream[object]) -> AsyncStream[object]:
        """Refuse a web page; a portal or a wrong path may well answer 200."""
        if "html" not in answer.response.headers.get("content-type", ""):
            return answer
        await answer.close()
        raise self._party.no_api()

    async def _read(self, answer: AsyncStream[object], reply: StreamedReply, first_by: float) -> str | None:
        """Return the text of the next chunk, None after a complete answer; raises ModelError for any other end."""
        import openai  # noqa: PLC0415 - imported by _connected

        seconds = _LATE_SECONDS if reply.finish_reason else self._endpoint.idle_seconds
        in_time = asyncio.get_running_loop().time() + seconds if reply.begun or reply.finish_reason else first_by
        try:
            async with asyncio.timeout_at(in_time):
                return reply.feed(await anext(answer))
        except TimeoutError:
            problem: ModelError = self._late(begun=reply.begun)
        except ValueError:  # a chunk is parsed where it is read
            problem = ModelError(f"{self._party.host} sent something that is no JSON in its answer: ask again")
        except StopAsyncIteration:
            problem = self._cut() if reply.heard else self._party.no_api()
        except openai.APIConnectionError:
            problem = self._cut()
        except openai.APIError as error:
            problem = failure(error, self._party)
        if reply.finish_reason:  # the answer is whole; only its token counts did not come
            return None
        raise problem

    def _adapted(self, error: APIError, options: dict[str, Any]) -> bool:
        """Leave out, from now on, an option that this model refuses; reasoning models rename one."""
        name = error.param or ""
        if name not in options or not (error.code or "").startswith("unsupported_"):
            return False
        value = self._options.pop(name, None)
        if name == "max_tokens" and value is not None:
            self._options["max_completion_tokens"] = value
        return True

    def _pause(self, error: APIError, attempt: int) -> float | None:
        """Return how long to wait before the next attempt, None when there is to be none."""
        if attempt >= self._endpoint.retries or not may_pass(error):
            return None
        jitter = random.uniform(0.5, 1.5)  # noqa: S311 - spreads clients, keeps no secret
        asked = retry_after(error)
        if asked is None:
            return float(_BACKOFF_SECONDS * 2**attempt * jitter)
        return asked + 0.1 * jitter if asked <= self._endpoint.longest_wait_seconds else None

    def _late(self, *, begun: bool) -> ModelTimeout:
        limit = self._endpoint.idle_seconds if begun else self._endpoint.first_token_seconds
        what = "stopped in the middle of its answer for" if begun else "did not begin to answer within"
        return ModelTimeout(f"{self._party.model} at {self._party.host} {what} {limit:g} s: ask again")

    def _cut(self) -> ModelError:
        return ModelError(f"the answer of {self._party.host} was cut off: ask again")


def _client(endpoint: Endpoint, party: Party) -> AsyncOpenAI:
    """Import the SDK and make a client, both slow; raises ModelRefused for a key that can be none."""
    key = party.key or ("" if endpoint.url().hostname == urlsplit(OPENAI_URL).hostname else _NO_KEY)
    if not key or not (key.isascii() and key.isprintable()):
        message = f"{party.setting('key')} holds characters that no key has: set it again"
        raise ModelRefused(message if key else "OPENAI_API_KEY is not set: set it")
    import anyio  # noqa: PLC0415 - the SDK's
    import openai  # noqa: PLC0415 - takes a second

    # A proxy cannot reach our loopback, though an environment made for the network may name one.
    http = openai.DefaultAsyncHttpxClient(trust_env=not _is_loopback(endpoint.url().hostname or ""))
    client = openai.AsyncOpenAI(
        api_key=key,
        base_url=endpoint.url().geturl(),
        timeout=openai.Timeout(None, connect=CONNECT_SECONDS),
        max_retries=0,
        http_client=http,
    )
    _ = client.models  # this and anyio's backend are imported at first use: let that be here,
    anyio.run(anyio.sleep, 0)  # where no event loop has to wait for it
    return client


def _options(endpoint: Endpoint) -> dict[str, Any]:
    limits = {"max_tokens": endpoint.max_tokens, "temperature": endpoint.temperature}
    given = {name: value for name, value in limits.items() if value is not None}
    return {"stream_options": {"include_usage": True}, **given}


def _host(url: SplitResult) -> str:
    """Return host and port alone: an address may carry credentials."""
    port = url.port or (443 if url.scheme == "https" else 80)
    return f"{url.hostname}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _model_names(text: str) -> set[str] | None:
    """Read a list of models; None when it is none."""
    try:
        listed = json.loads(text)
    except ValueError:
        return None
    match listed:
        case {"data": list(models)}:
            return {str(model["id"]) for model in models if isinstance(model, dict) and "id" in model}
        case {"data": None}:  # an Ollama without models
            return set()
        case _:
            return None
