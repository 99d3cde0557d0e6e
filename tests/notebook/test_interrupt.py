"""Interrupting a kernel ends what runs, keeps what was said, and leaves the kernel usable."""

import os

import psutil
import pytest


@pytest.fixture
def own_kernel(place, script, environment, slow_terraform, start_kernel):
    """Start a kernel with a Terraform that takes its time."""
    with start_kernel(place, environment(**script.environment, TFAI_TERRAFORM_BINARY=str(slow_terraform))) as kernel:
        yield kernel


def last_turn(kernel):
    """Return command, outcome and answer of the newest turn but this one, from the journal."""
    kernel.run("turns = %tfai sql select turn_id, command, outcome from turns order by started_at")
    kernel.run("said = %tfai sql select turn_id, content from messages where role = 'assistant'")
    turn_id, command, outcome = kernel.value("turns.rows[-2]")
    return command, outcome, [text for turn, text in kernel.value("said.rows") if turn == turn_id]


def sleepers():
    """Find the slow Terraform's children below this process."""
    below = psutil.Process(os.getpid()).children(recursive=True)
    return [process for process in below if process.name() == "sleep"]


def test_an_interrupt_in_mid_stream_ends_the_model_call_and_keeps_the_text(own_kernel, script, eventually):
    """The model's connection is closed, the partial answer is in the journal, the next question works."""
    before = script.state["disconnects"]
    script.reply("Half an answer", *("." for _ in range(600)), delay_seconds=0.1)
    cell = own_kernel.run("%tfai ask tell me everything", interrupt_when="Half an answer")

    assert ("error", []) == (cell.status, cell.errors)
    assert cell.stdout.startswith("Half an answer")
    assert "UsageError: cancelled; what was said until then is kept\n" == cell.stderr
    eventually(lambda: script.state["disconnects"] == before + 1)
    command, outcome, said = last_turn(own_kernel)
    assert ("ask", "cancelled") == (command, outcome)
    assert said[0].startswith("Half an answer")
    script.reply("Here.")
    assert "Here.\n" == own_kernel.run("%tfai ask still there?").stdout


def test_an_interrupt_in_mid_terraform_ends_it_with_its_children(own_kernel, eventually):
    """No Terraform and no child of it is left; the turn is recorded as cancelled."""
    cell = own_kernel.run("%tfai plan -d infra", interrupt_when="planning")

    assert "cancelled" in cell.stderr
    eventually(lambda: not sleepers())
    assert ("plan", "cancelled") == last_turn(own_kernel)[:2]


def test_cells_that_wait_behind_an_interrupted_one_do_not_run(own_kernel, script):
    """An interrupted cell has failed, so that running all cells stops there."""
    script.reply("Half", *("." for _ in range(600)), delay_seconds=0.1)
    cell = own_kernel.run("%tfai ask tell me everything\nreached = True", interrupt_when="Half")

    assert "error" == cell.status
    assert not own_kernel.value("'reached' in globals()")


def test_a_kernel_that_was_shut_down_left_its_history(place, script, environment, start_kernel):
    """Another kernel opens the same journal and finds the turn."""
    settings = environment(**script.environment)
    with start_kernel(place, settings) as first:
        script.reply("Kept.")
        first.run("%tfai ask remember this")
        first.client.shutdown(reply=True, timeout=30)
    with start_kernel(place, settings) as second:
        second.run("turns = %tfai sql select command, outcome from turns order by started_at")

        assert ["ask", "ok"] == second.value("turns.rows[0]")
