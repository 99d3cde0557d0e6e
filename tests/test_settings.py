"""Settings: precedence, checks, sources, secrets, the YAML file, the generated page."""

import os
import re
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

from tfai_jupyter.core.errors import SettingsError
from tfai_jupyter.options import document
from tfai_jupyter.settings import OPTIONS, Settings
from tfai_jupyter.yamlfile import read_policy

ROOT = Path(__file__).parents[1]
PLAIN = [each for each in OPTIONS if not each.existing and each.name != "home"]


def sample(option, number):
    """Make the text of the first or second of two different usable values."""
    if option.choices:
        return option.choices[-number]
    low = option.low or 0
    texts = {bool: ("true", "false"), int: (f"{low + 1:g}", f"{low + 2:g}"), float: (f"{low + 0.5:g}", f"{low + 1:g}")}
    return texts.get(option.kind, ("/one", "/two"))[number - 1]


def load(tmp_path, environ=None, yaml=None, **traits):
    """Load settings from an empty home, with a YAML file there if one is given."""
    if yaml is not None:
        (tmp_path / "config.yaml").write_text(yaml)
    return Settings.load({"TFAI_HOME": str(tmp_path)} | (environ or {}), traits)


def nested(key, value):
    """Write a dotted key as YAML."""
    parts = key.split(".")
    return "".join(f"{'  ' * depth}{part}:\n" for depth, part in enumerate(parts)).rstrip("\n") + f" {value}\n"


@pytest.mark.parametrize("option", PLAIN, ids=lambda option: option.name)
def test_a_trait_beats_the_environment(tmp_path, option):
    """Every option takes its trait's value first, else its environment variable's."""
    first, second = sample(option, 1), sample(option, 2)
    environ = {option.env: second}

    assert option.convert(second) == getattr(load(tmp_path, environ), option.name)
    assert "environment" == load(tmp_path, environ).source_of(option.name)
    assert option.convert(first) == getattr(load(tmp_path, environ, **{option.name: first}), option.name)
    assert "trait" == load(tmp_path, environ, **{option.name: first}).source_of(option.name)


@pytest.mark.parametrize("option", [each for each in PLAIN if each.yaml], ids=lambda option: option.name)
def test_the_environment_beats_yaml_which_beats_the_default(tmp_path, option):
    """Every option that a file may set is read from it, unless the environment has it."""
    yaml = nested(option.yaml, f'"{sample(option, 1)}"')
    read = load(tmp_path, yaml=yaml)

    assert option.convert(sample(option, 1)) == getattr(read, option.name)
    assert "yaml" == read.source_of(option.name)
    assert "environment" == load(tmp_path, {option.env: sample(option, 2)}, yaml).source_of(option.name)


def test_without_anything_the_defaults_hold(tmp_path):
    """Nothing set: the documented defaults, each with the source `default`, and no problem."""
    settings = load(tmp_path)

    assert () == settings.problems
    assert ("auto", 4096, 0.2) == (settings.model_provider, settings.model_max_tokens, settings.model_temperature)
    assert tmp_path / "history.duckdb" == settings.history_path
    assert {"default"} == {source for key, _, source in settings.table() if key != "TFAI_HOME"}


def test_an_empty_variable_counts_as_unset(tmp_path):
    """A variable that a compose file left empty does not hide the default."""
    assert "default" == load(tmp_path, {"OPENAI_MODEL": ""}).source_of("openai_model")


@pytest.mark.parametrize(
    ("name", "value", "used"),
    [
        ("MODEL_MAX_TOKENS", "abc", "4096 (default)"),
        ("MODEL_TEMPERATURE", "2.5", "0.2 (default)"),
        ("MODEL_TEMPERATURE", "nan", "0.2 (default)"),
        ("EMBEDDING_DIMENSIONS", "0", "nothing (default)"),
        ("RAG_TOP_K", "-1", "5 (default)"),
        ("QDRANT_TLS", "maybe", "false (default)"),
        ("LOG_LEVEL", "loud", "info (default)"),
        ("OPENAI_MODEL", "a\nb", "gpt-4o (default)"),
    ],
)
def test_a_bad_value_is_told_and_replaced(tmp_path, name, value, used):
    """A warning names the key, the value, what it must be, and what is used instead."""
    (problem,) = load(tmp_path, {name: value}).problems

    assert problem.startswith(f"{name}={value} must be ")
    assert problem.endswith(f"; {used} is used instead")


def test_a_bad_value_falls_back_to_the_next_source(tmp_path):
    """A bad variable leaves the file's value in force, not the default."""
    settings = load(tmp_path, {"RAG_TOP_K": "many"}, "embedding:\n  top_k: 7\n")

    assert 7 == settings.rag_top_k
    assert "7 (yaml) is used instead" in settings.problems[0]


def test_zero_and_false_can_be_said(tmp_path):
    """A zero or false is a value, in the environment and in YAML."""
    assert 0.0 == load(tmp_path, {"MODEL_TEMPERATURE": "0"}).model_temperature
    read = load(tmp_path, yaml="model: {temperature: 0}\nqdrant: {tls: false}\nembedding: {top_k: 0}\n")

    assert (0.0, False, 0) == (read.model_temperature, read.qdrant_tls, read.rag_top_k)
    assert "yaml" == read.source_of("qdrant_tls")


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("QDRANT_PORT", "99999", "a whole number from 1 to 65535"),
        ("QDRANT_PORT", "https", "a whole number from 1 to 65535"),
        ("TFAI_DEBUG_PORT", "-1", "a whole number from 0 to 65535"),
        ("MODEL_PROVIDER", "unknown", "one of auto, offline, ollama, openai, azure, bedrock, gemini, replay"),
        ("TFAI_CONFIG", "/no/such.yaml", "the path of an existing file"),
        ("TFAI_APPROVAL_POLICY", "/no/such.yaml", "the path of an existing file"),
        ("TFAI_TERRAFORM_CLI_CONFIG", "/no/such.tfrc", "the path of an existing file"),
    ],
)
def test_what_must_not_be_guessed_is_an_error(tmp_path, name, value, wanted):
    """A port, a provider or a named file that cannot be used stops the start, in one sentence."""
    with pytest.raises(SettingsError, match=re.escape(f"{name}={value} must be {wanted}")):
        load(tmp_path, {name: value})


@hypothesis.settings(deadline=None, database=None)
@hypothesis.given(st.dictionaries(st.sampled_from([each.env for each in OPTIONS]), st.text(), max_size=5))
def test_whatever_the_environment_holds_is_settings_or_one_sentence(environ):
    """No value makes loading fail in any way but the one that a person can read."""
    said = ""
    try:
        said = Settings.load({"TFAI_HOME": "/nowhere"} | environ).hash
    except SettingsError as error:
        said = str(error)

    assert re.search(r"^[0-9a-f]{64}$| must be ", said)


@pytest.mark.parametrize("path", ["~no-such-user/x", "/" + "x" * 5000, "a" * 300])
def test_a_path_that_cannot_exist_is_no_file(tmp_path, path):
    """A path that the system refuses is treated as any other that names no file."""
    assert load(tmp_path, {"TFAI_CASSETTE": path}).cassette == Path(path)
    assert Path(path) == load(tmp_path, {"TFAI_HISTORY_DB": path}).history_path
    assert () == load(tmp_path, {"TFAI_HOME": path}).problems
    with pytest.raises(SettingsError, match="must be the path of an existing file"):
        load(tmp_path, {"TFAI_CONFIG": path})


def test_a_file_that_contains_itself_is_told(tmp_path):
    """A YAML file whose sections go round in circles ends in a warning."""
    assert "is no setting" in load(tmp_path, yaml="model: &m\n  again: *m\n").problems[0]


def test_an_explicit_file_beats_the_one_in_the_environment(tmp_path):
    """A file named by the caller wins over TFAI_CONFIG, and that over the one at home."""
    for name in ("config", "named", "given"):
        (tmp_path / f"{name}.yaml").write_text(f"model:\n  ollama:\n    model: {name}\n")
    environ = {"TFAI_HOME": str(tmp_path)}
    named = environ | {"TFAI_CONFIG": str(tmp_path / "named.yaml")}

    assert "config" == Settings.load(environ).ollama_model
    assert "named" == Settings.load(named).ollama_model
    assert "given" == Settings.load(named, config_file=tmp_path / "given.yaml").ollama_model


def test_yaml_in_a_workspace_is_never_read(tmp_path):
    """A file in the working directory changes nothing, by whatever name."""
    for name in ("config.yaml", "tfai.yaml", ".tfai.yaml"):
        (tmp_path / name).write_text("model:\n  ollama:\n    model: evil\n")
    code = "import os; from tfai_jupyter.settings import Settings as S; print(S.load(os.environ).ollama_model)"
    environ = os.environ | {"TFAI_HOME": str(tmp_path / "home"), "OLLAMA_MODEL": ""}

    assert "llama3\n" == subprocess.check_output([sys.executable, "-c", code], cwd=tmp_path, env=environ, text=True)


@pytest.mark.parametrize(
    ("yaml", "said"),
    [
        (
            "model: {providr: openai}",
            "model.providr in FILE is no setting (did you mean model.provider?); it is ignored",
        ),
        (
            "modle: {provider: openai}",
            "modle.provider in FILE is no setting (did you mean model.provider?); it is ignored",
        ),
        ("model: openai", "model in FILE is no setting; it is ignored"),
        ("server: {port: 8080}", "server.port in FILE has no effect: the Jupyter server's own setting counts"),
        ("server: {api_key: x}", "server.api_key in FILE has no effect: the Jupyter server's own setting counts"),
        (
            "model: {max_tokens: [1]}",
            "model.max_tokens in FILE=[1] must be a whole number from 1 up; 4096 (default) is used instead",
        ),
        ("qdrant: {host: '${NO_SUCH}'}", "qdrant.host in FILE names ${NO_SUCH}, which is not set; it counts as empty"),
        (
            "qdrant: {api_key: canary}",
            "qdrant.api_key in FILE is a secret in plain text; write ${QDRANT_API_KEY} and set that variable instead",
        ),
    ],
)
def test_what_a_file_should_not_hold_is_told(tmp_path, yaml, said):
    """An unknown key, a setting without effect or a plain secret is a warning, never silence."""
    problems = load(tmp_path, yaml=f"version: 1\n{yaml}\n").problems

    assert said.replace("FILE", str(tmp_path / "config.yaml")) in problems
    assert "canary" not in str(problems)


@pytest.mark.parametrize(
    ("yaml", "said"),
    [
        ("version: 2", "version 2 of FILE is unknown; this release reads version 1"),
        ("model: {provider: [", "FILE is no YAML at line 1"),
        ("- model", "FILE must hold sections, not list"),
        ("qdrant: {port: 70000}", "qdrant.port in FILE=70000 must be a whole number from 1 to 65535"),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error(tmp_path, yaml, said):
    """An unknown version or broken YAML stops the start, with the file's name."""
    with pytest.raises(SettingsError, match=re.escape(said.replace("FILE", str(tmp_path / "config.yaml")))):
        load(tmp_path, yaml=yaml)


def test_yaml_takes_values_from_the_environment(tmp_path):
    """`${NAME}` in a file stands for a variable, and is no secret in plain text."""
    settings = load(tmp_path, {"VAULTED": "sesame"}, "qdrant:\n  api_key: ${VAULTED}\n  host: q.${VAULTED}.test\n")

    assert ("sesame", "q.sesame.test", ()) == (settings.qdrant_api_key, settings.qdrant_host, settings.problems)


def test_the_predecessors_file_is_understood(tmp_path):
    """A file of tfai-go works; what has no effect any more is told."""
    yaml = (
        "model: {provider: azure, azure: {deployment: gpt-4o}}\nhistory: {db_path: ~/j.db}\nserver: {host: 0.0.0.0}\n"
    )
    settings = load(tmp_path, yaml=yaml)

    assert ("azure", "gpt-4o") == (settings.model_provider, settings.azure_openai_deployment)
    assert Path("~/j.db").expanduser() == settings.history_path
    assert 1 == len(settings.problems)


def test_unknown_variables_and_traits_are_told(tmp_path):
    """A misspelt TFAI variable or trait is named with the one that was meant."""
    settings = load(tmp_path, {"TFAI_MAX_STREAM": "2", "TFAI_API_KEY": "canary"}, read_onyl=True)

    assert "c.Tfai.read_onyl is no setting (did you mean read_only?); it is ignored" in settings.problems
    assert "TFAI_MAX_STREAM is no setting (did you mean TFAI_MAX_STREAMS?); it is ignored" in settings.problems
    assert any(problem.startswith("TFAI_API_KEY has no effect") for problem in settings.problems)
    assert "canary" not in str(settings.problems)


def test_secrets_are_never_shown(tmp_path):
    """No secret, nor a credential in a URL, is in the table, the text or the hash; the redaction can learn them."""
    environ = {each.env: f"canary{index}" for index, each in enumerate(OPTIONS) if each.secret}
    settings = load(tmp_path, environ | {"OPENAI_BASE_URL": "https://me:canary@host/v1"})
    other = load(tmp_path, dict.fromkeys(environ, "else") | {"OPENAI_BASE_URL": "https://me:other@host/v1"})

    assert "canary" not in f"{settings!r}{settings}{settings.table()}"
    assert ("OPENAI_API_KEY", "set", "environment") in settings.table()
    assert "https://***@host/v1" in repr(settings)
    assert environ == settings.secrets
    assert other.hash == settings.hash


@pytest.mark.parametrize("option", [each for each in PLAIN if not each.secret], ids=lambda option: option.name)
def test_the_hash_tells_values_apart(tmp_path, option):
    """The hash changes when an option that is no secret does."""
    first, second = (load(tmp_path, {option.env: sample(option, number)}).hash for number in (1, 2))

    assert first != second


def test_history_can_be_turned_off(tmp_path):
    """`TFAI_HISTORY_DB=disabled` means no journal file."""
    assert load(tmp_path, {"TFAI_HISTORY_DB": "disabled"}).history_path is None


def test_names_follow_from_the_variable():
    """An attribute is its variable in lower case without TFAI_, so that nobody has to look it up."""
    assert [each.env.lower().removeprefix("tfai_") for each in OPTIONS] == [each.name for each in OPTIONS]
    assert len(OPTIONS) == len({each.env for each in OPTIONS}) == len({each.yaml for each in OPTIONS if each.yaml}) + 2


def test_the_settings_page_is_current():
    """docs/settings.md is what `make docs` writes."""
    assert document(OPTIONS) == (ROOT / "docs" / "settings.md").read_text(), "run make docs"


def test_a_policy_names_digests(tmp_path):
    """A policy file gives the digests that it approves."""
    digest = f"sha256:{'a1' * 32}"
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"version: 1\napprove:\n  - {digest}\n")

    assert frozenset({digest}) == read_policy(policy)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("approve: sha256:1", "approve in FILE must be a list of digests"),
        ("version: 1", "approve in FILE must be a list of digests"),
        ("approve: [sha256:12]", "sha256:12 in FILE is no digest"),
        ("aprove: []", "aprove in FILE is no part of an approval policy"),
        ("version: 3\napprove: []", "version 3 of FILE is unknown"),
    ],
)
def test_a_policy_that_is_not_clear_grants_nothing(tmp_path, text, said):
    """A policy with anything odd in it is an error, not a smaller policy."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(text)

    with pytest.raises(SettingsError, match=re.escape(said.replace("FILE", str(policy)))):
        read_policy(policy)


def test_a_missing_policy_is_an_error(tmp_path):
    """A policy that cannot be read is told by name."""
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        read_policy(tmp_path / "none.yaml")
