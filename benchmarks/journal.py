"""How fast the journal makes events durable, and whether the event loop notices.

Goals: durable within 50 ms (p50) after it was emitted; 2,000 events/s sustained without an
event-loop lag over 100 ms. The baseline of the ratio is fsync of a plain file on the same disk.
"""

import asyncio
import os
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from tfai_jupyter.core.events import Event, TextDelta, ToolProgress, TurnFinished, TurnStarted
from tfai_jupyter.core.ids import new_id, utc_now
from tfai_jupyter.core.messages import ModelName
from tfai_jupyter.storage.journal import DuckDBJournal

RATE = 2_000
SECONDS = 10
PROBES = 60


def stamped(event: Event, turn_id: str, seq: int) -> Event:
    """Stamp an event as the recorder would."""
    return replace(event, turn_id=turn_id, seq=seq, at=utc_now())


def started(turn_id: str) -> Event:
    """Begin a turn."""
    return stamped(TurnStarted(new_id(), new_id(), ModelName("scripted", "script"), "", "ask"), turn_id, 1)


async def durable_ms(journal: DuckDBJournal) -> list[float]:
    """Time single events from `append` until they are on the disk, as a turn leaves them: nobody flushes."""
    turn_id, times = new_id(), []
    journal.append(started(turn_id))
    await journal.flush()
    for seq in range(2, PROBES + 2):
        await asyncio.sleep(0.02)
        begun = time.perf_counter()
        journal.append(stamped(ToolProgress("call", f"line {seq}"), turn_id, seq))
        while journal.pending:
            await asyncio.sleep(0.0005)
        times.append((time.perf_counter() - begun) * 1000)
    return times


async def lag_ms(stop: asyncio.Event) -> list[float]:
    """Sample how late the loop wakes us."""
    lags = []
    while not stop.is_set():
        begun = time.perf_counter()
        await asyncio.sleep(0.005)
        lags.append((time.perf_counter() - begun - 0.005) * 1000)
    return lags


async def sustain(journal: DuckDBJournal) -> tuple[float, list[float], float]:
    """Append at a steady rate; return events/s reached, the lags, and how long the last flush took."""
    stop = asyncio.Event()
    sampler = asyncio.create_task(lag_ms(stop))
    begun, count = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - begun) < SECONDS:
        turn_id = new_id()
        journal.append(started(turn_id))
        for seq in range(2, 100):
            journal.append(stamped(TextDelta("word ") if seq % 3 else ToolProgress("call", "line"), turn_id, seq))
        journal.append(stamped(TurnFinished("end"), turn_id, 100))
        count += 100
        await asyncio.sleep(max(0, count / RATE - elapsed))
    rate = count / (time.perf_counter() - begun)
    begun = time.perf_counter()
    await journal.flush()
    flushed = time.perf_counter() - begun
    stop.set()
    return rate, await sampler, flushed


def fsync_ms(folder: Path) -> float:
    """Return the median of a plain append and fsync."""
    times = []
    with (folder / "plain").open("ab") as file:
        for _ in range(PROBES):
            begun = time.perf_counter()
            file.write(b"x" * 200)
            file.flush()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times)


async def main() -> None:
    """Print both figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        journal = DuckDBJournal(folder / "history.duckdb")
        times = sorted(await durable_ms(journal))
        baseline = fsync_ms(folder)
        rate, lags, flushed = await sustain(journal)
        await journal.aclose()
    p50, p99 = statistics.median(times), times[int(len(times) * 0.99)]
    print(f"durable after: p50 {p50:.1f} ms (goal 50), p99 {p99:.1f} ms; plain fsync {baseline:.1f} ms")
    print(f"ratio to a plain fsync: {p50 / max(baseline, 0.001):.1f}")
    print(f"sustained: {rate:.0f} events/s for {SECONDS} s (goal {RATE}); last flush {flushed * 1000:.0f} ms")
    print(f"event-loop lag: p99 {sorted(lags)[int(len(lags) * 0.99)]:.1f} ms, max {max(lags):.1f} ms (goal 100)")


if __name__ == "__main__":
    asyncio.run(main())
