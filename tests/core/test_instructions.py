"""What a model is told of its duties."""

from tfai_jupyter.core.instructions import ROLE, TASKS, instructions


def test_every_task_has_the_same_role_and_its_own_words():
    """A model always knows that it never writes, and what this turn is for."""
    told = {task: instructions(task) for task in TASKS}

    assert {"ask", "generate", "diagnose"} == told.keys()
    assert all(text.startswith(ROLE) and text.endswith(TASKS[task]) for task, text in told.items())
    assert "You never apply or write anything" in ROLE


def test_a_command_without_words_of_its_own_is_answered():
    """Whatever else asks the model is a question."""
    assert instructions("ask") == instructions("review")
