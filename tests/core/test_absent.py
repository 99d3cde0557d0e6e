"""Neutral objects for what is not there."""

import pytest

from tfai_jupyter.core.absent import NoJournal, NoModel, NoRetriever
from tfai_jupyter.core.errors import JournalUnavailable, ModelRefused
from tfai_jupyter.core.events import Notice
from tfai_jupyter.core.messages import ModelName, Prompt
from tfai_jupyter.testing import collect


async def test_a_missing_model_says_why_and_breaks_nothing():
    """Asking and pinging tell the same sentence; getting ready and ending do nothing."""
    model = NoModel(ModelName("openai", "gpt-4o"), "OPENAI_API_KEY is not set")
    await model.prepare()
    await model.aclose()

    assert "openai" == model.name.provider
    with pytest.raises(ModelRefused, match="OPENAI_API_KEY is not set"):
        await collect(model.stream(Prompt(())))
    with pytest.raises(ModelRefused, match="OPENAI_API_KEY is not set"):
        await model.ping()


async def test_no_documentation_is_no_error():
    """A search finds nothing, and all is well."""
    retriever = NoRetriever()

    assert (await retriever.search("vpc"), await retriever.ping()) == ((), None)


async def test_chat_goes_on_without_a_journal():
    """Nothing is remembered; only a query says that there is nothing to query."""
    journal = NoJournal()
    journal.append(Notice("info", "c", "text"))
    await journal.flush()
    await journal.aclose()

    assert ("", (), ()) == (journal.notice, await journal.messages("talk"), await journal.events("t1"))
    with pytest.raises(JournalUnavailable, match="TFAI_HISTORY_DB"):
        await journal.query("SELECT 1")
    with pytest.raises(JournalUnavailable, match="history is off"):
        await journal.ping()
