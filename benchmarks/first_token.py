"""What our way through a Jupyter server adds to the raw `openai` SDK, on the same scripted server.

Goals: first token through `POST chat` at most 5 ms (p50) and 20 ms (p99) over the SDK; at most
0.2 ms added per streamed token. Requests alternate, so that a busy machine hits both alike.
"""

import asyncio
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import openai

REQUESTS = 150
TOKENS = 4_000
LONG_RUNS = 7
SCRIPT = {
    "models": ["scripted"],
    "replies": [
        {"when": "long", "times": 0, "text": ["word "], "repeat": TOKENS},
        {"when": "", "times": 0, "text": ["hello"]},
    ],
}
SETTINGS = {
    "MODEL_PROVIDER": "openai",
    "OPENAI_API_KEY": "key",
    "OPENAI_MODEL": "scripted",
    "TFAI_RATE_PER_SECOND": "10000",
    "TFAI_RATE_BURST": "10000",
}


@contextlib.contextmanager
def process(command: list[str], environment: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a program until the block ends."""
    with (folder / "log").open("a") as log:
        running = subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            yield running
        finally:
            running.terminate()
            running.wait(20)


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment with an empty home."""
    keep = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    places = {f"JUPYTER_{part}_DIR": str(home / part) for part in ("CONFIG", "DATA", "RUNTIME")}
    return keep | {"HOME": str(home)} | places | more


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def raw(client: openai.AsyncOpenAI, text: str) -> tuple[float, float]:
    """Ask with the SDK alone; return milliseconds to the first token and to the end."""
    begun, first = time.perf_counter(), 0.0
    messages = [{"role": "user", "content": text}]
    async for chunk in await client.chat.completions.create(model="scripted", messages=messages, stream=True):
        if not first and chunk.choices and chunk.choices[0].delta.content:
            first = time.perf_counter() - begun
    return first * 1000, (time.perf_counter() - begun) * 1000


async def ours(client: httpx2.AsyncClient, text: str) -> tuple[float, float]:
    """Ask through the server extension; return the same."""
    begun, first = time.perf_counter(), 0.0
    async with client.stream("POST", "tfai/api/chat", json={"message": text}) as answer:
        async for line in answer.aiter_lines():
            if not first and line == "event: text_delta":
                first = time.perf_counter() - begun
    return first * 1000, (time.perf_counter() - begun) * 1000


@contextlib.asynccontextmanager
async def clients(folder: Path) -> AsyncIterator[tuple[openai.AsyncOpenAI, httpx2.AsyncClient]]:
    """Start the scripted model and a Jupyter server that uses it; yield a client of each."""
    script, port = folder / "script.json", free_port()
    script.write_text(json.dumps(SCRIPT))
    model = [sys.executable, "-m", "tfai_jupyter.testing_server", "--script", str(script)]
    with process(model, environment(folder), folder) as scripted:
        url = scripted.stdout.readline().strip()
        settings = SETTINGS | {"OPENAI_BASE_URL": url}
        options = [f"--ServerApp.port={port}", "--ServerApp.token=x", "--no-browser", "--allow-root"]
        server = [sys.executable, "-m", "jupyter", "server", *options]
        with process(server, environment(folder, **settings), folder):
            headers = {"Authorization": "token x"}
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}/", headers=headers, timeout=60) as client:
                await answering(client)
                async with openai.AsyncOpenAI(base_url=url, api_key="key") as sdk:
                    yield sdk, client


async def answering(client: httpx2.AsyncClient) -> None:
    """Return when the server answers."""
    for _ in range(600):
        with contextlib.suppress(httpx2.TransportError):
            if (await client.get("tfai/api/health")).status_code == 200:
                return
        await asyncio.sleep(0.05)
    raise TimeoutError


def report(name: str, base: list[float], own: list[float]) -> None:
    """Print p50 and p99 of both and what is added."""
    for label, place in (("p50", 0.5), ("p99", 0.99)):
        low, high = (sorted(values)[int(len(values) * place)] for values in (base, own))
        figures = f"SDK {low:.2f} ms, ours {high:.2f} ms, added {high - low:.2f} ms, ratio {high / low:.2f}"
        print(f"{name} {label}: {figures}")


async def main() -> None:
    """Print what is added to the first token, and to each token of a long answer."""
    with tempfile.TemporaryDirectory() as name:
        async with clients(Path(name)) as (sdk, client):
            for _ in range(5):
                await raw(sdk, "warm up")
                await ours(client, "warm up")
            pairs = [(await raw(sdk, "hi"), await ours(client, "hi")) for _ in range(REQUESTS)]
            long = [(await raw(sdk, "long"), await ours(client, "long")) for _ in range(LONG_RUNS)]
    report("first token", [base[0] for base, _ in pairs], [own[0] for _, own in pairs])
    added = statistics.median(own[1] - base[1] for base, own in long) / TOKENS
    both = (statistics.median(base[1] for base, _ in long), statistics.median(own[1] for _, own in long))
    print(f"{TOKENS} tokens at once: SDK {both[0]:.0f} ms, ours {both[1]:.0f} ms, ratio {both[1] / both[0]:.2f}")
    print(f"added per token: {added:.3f} ms (goal 0.2); goals for the first token: 5 ms (p50), 20 ms (p99)")


if __name__ == "__main__":
    asyncio.run(main())
