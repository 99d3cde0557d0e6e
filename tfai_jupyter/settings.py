"""Settings: every option once, and where its value came from.

A trait beats the environment, which beats YAML, which beats the default. What cannot be used is
never passed over in silence: `load` raises SettingsError, or keeps a sentence in `problems`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from .core.errors import SettingsError
from .options import Option, document, expand, is_file, option, options_of, suggest
from .yamlfile import read_config

ModelProvider = Literal["auto", "offline", "ollama", "openai", "azure", "bedrock", "gemini", "replay"]
GenerateProvider = Literal["", "offline", "ollama", "openai", "azure", "bedrock", "gemini"]
EmbeddingProvider = Literal["auto", "offline", "ollama", "openai", "azure", "bedrock", "gemini"]
Source = Literal["trait", "environment", "yaml", "default"]


@dataclass(frozen=True, repr=False)
class Settings:
    """All options, typed: `Settings()` has the defaults, `Settings.load` what a person set."""

    home: Path = option(Path("~/.tfai"), "private directory of journal, approvals and undo copies", "")
    config: Path | None = option(None, "YAML file of settings", "", existing=True, strict=True)

    model_provider: ModelProvider = option(
        "auto", "who answers; auto: an Ollama that answers, else offline", "model.provider", strict=True
    )
    model_max_tokens: int = option(4096, "longest answer in tokens", "model.max_tokens", low=1)
    model_temperature: float = option(0.2, "0 is the steadiest", "model.temperature", low=0, high=2)
    ollama_host: str = option("http://localhost:11434", "where Ollama answers", "model.ollama.host")
    ollama_model: str = option("llama3", "model of Ollama", "model.ollama.model")
    openai_api_key: str = option("", "key of OpenAI", "model.openai.api_key", secret=True)
    openai_model: str = option("gpt-4o", "model of OpenAI", "model.openai.model")
    openai_base_url: str = option("", "another server that speaks OpenAI's wire", "model.openai.base_url")
    azure_openai_endpoint: str = option("", "URL of the Azure OpenAI resource", "model.azure.endpoint")
    azure_openai_api_key: str = option("", "key of Azure OpenAI", "model.azure.api_key", secret=True)
    azure_openai_deployment: str = option("", "deployment, taken verbatim", "model.azure.deployment")
    azure_openai_api_version: str = option("2025-04-01-preview", "API version of Azure", "model.azure.api_version")
    azure_openai_reasoning: Literal["auto", "true", "false"] = option(
        "auto", "whether the deployment is a reasoning model; auto: judged by its name", "model.azure.reasoning"
    )
    azure_openai_codex: bool = option(False, "use the responses API with a Codex model", "model.azure.codex")
    azure_openai_codex_model: str = option("gpt-5.2-codex", "that Codex model", "model.azure.codex_model")
    aws_region: str = option("us-east-1", "region of Bedrock", "model.bedrock.region")
    bedrock_model_id: str = option("", "model of Bedrock", "model.bedrock.model_id")
    aws_bearer_token_bedrock: str = option("", "key of Bedrock", "model.bedrock.bearer_token", secret=True)
    google_api_key: str = option("", "key of Gemini", "model.gemini.api_key", secret=True)
    gemini_model: str = option("gemini-1.5-pro", "model of Gemini", "model.gemini.model")
    generate_model_provider: GenerateProvider = option(
        "", "provider for generate and fix; unset: MODEL_PROVIDER", "model.generate.provider"
    )
    generate_model: str = option("", "their model with ollama, openai or gemini", "model.generate.model")
    generate_model_id: str = option("", "their model with bedrock", "model.generate.model_id")
    generate_azure_deployment: str = option("", "their deployment with azure", "model.generate.azure_deployment")
    generate_azure_version: str = option("", "their API version with azure", "model.generate.azure_version")

    embedding_provider: EmbeddingProvider = option(
        "auto", "who embeds documentation; auto: the model's provider where it can, else offline", "embedding.provider"
    )
    embedding_model: str = option("", "model that embeds; unset: the provider's own", "embedding.model")
    embedding_api_key: str = option("", "unset: the provider's key", "embedding.api_key", secret=True)
    embedding_dimensions: int | None = option(None, "unset: the model's own", "embedding.dimensions", low=1)
    embedding_endpoint: str = option("", "URL; unset: the provider's own", "embedding.endpoint")
    rag_top_k: int = option(5, "passages a model is given, at most", "embedding.top_k", low=0, high=100)

    qdrant_host: str = option("", "Qdrant server; unset: none", "qdrant.host")
    qdrant_port: int = option(6334, "port of Qdrant", "qdrant.port", low=1, high=65535, strict=True)
    qdrant_collection: str = option("tfai-docs", "collection of passages", "qdrant.collection")
    qdrant_api_key: str = option("", "key of Qdrant", "qdrant.api_key", secret=True)
    qdrant_tls: bool = option(False, "speak TLS with Qdrant", "qdrant.tls")

    history_db: str = option(
        "", "file of the journal, or disabled; unset: history.duckdb in TFAI_HOME", "history.db", env="TFAI_HISTORY_DB"
    )

    log_level: Literal["debug", "info", "warn", "warning", "error"] = option(
        "info", "least important line that is logged", "logging.level"
    )
    log_format: Literal["json", "text"] = option("json", "form of a logged line", "logging.format")

    langfuse_public_key: str = option("", "key of Langfuse; traces need both", "tracing.public_key")
    langfuse_secret_key: str = option("", "the other key of Langfuse", "tracing.secret_key", secret=True)
    langfuse_host: str = option("http://localhost:3000", "where Langfuse answers", "tracing.host")
    otel_exporter_otlp_endpoint: str = option("", "where OpenTelemetry traces go", "tracing.endpoint")

    workspace_root: Path | None = option(None, "directory that nothing leaves; unset: the server's root_dir")
    read_only: bool = option(False, "propose and plan, but never write a file or apply")
    approval_policy: Path | None = option(
        None, "file of digests approved in advance, for headless runs", existing=True, strict=True
    )
    approval_seconds: float = option(900.0, "how long an approval can be given", low=1)

    chat_timeout_seconds: float = option(300.0, "deadline of a turn", low=1)
    first_token_seconds: float = option(60.0, "longest wait for a model's first piece", low=1)
    idle_seconds: float = option(60.0, "longest wait for its next piece", low=1)
    max_steps: int = option(12, "rounds of tools in a turn, at most", low=1, high=100)
    context_tokens: int = option(0, "budget of what a model is shown; 0: by model", low=0)
    daily_token_budget: int = option(0, "tokens that a user may use in a day; 0: no limit", low=0)
    openai_api: Literal["chat", "responses"] = option("chat", "which API of OpenAI is spoken")
    cassette: Path | None = option(None, "file of recorded turns that MODEL_PROVIDER=replay plays")

    terraform_binary: str = option("", "name or path of terraform or tofu; unset: what is found")
    terraform_cli_config: Path | None = option(
        None, "Terraform's own CLI configuration, for example a provider mirror", existing=True, strict=True
    )
    terraform_timeout_seconds: float = option(120.0, "deadline of a read, check or plan", low=1)
    apply_timeout_seconds: float = option(0.0, "deadline of an apply; 0: none", low=0)

    max_streams: int = option(8, "turns that run at once", low=1)
    queue_length: int = option(16, "turns that may wait for a place", low=0)
    rate_per_second: float = option(10.0, "requests of a user in a second, sustained", low=0.01)
    rate_burst: int = option(20, "requests of a user at once", low=1)
    reconnect_seconds: float = option(30.0, "how long a turn goes on when its reader has left", low=0)
    shutdown_seconds: float = option(5.0, "how long running turns have at shutdown", low=0)

    server: str = option("auto", "server that a kernel or shell asks: auto, off or a URL")
    server_token: str = option("", "token of the server that TFAI_SERVER names", secret=True)
    journal_catalog: str = option("", "PostgreSQL URL of a journal that many machines share", secret=True)
    debug_port: int = option(0, "port of the diagnostics listener; 0: off", low=0, high=65535, strict=True)
    debug_token: str = option("", "its token; unset: a random one, logged once", secret=True)

    sources: Mapping[str, Source] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Give the home its real name, also where it is the default."""
        object.__setattr__(self, "home", expand(str(self.home)))

    @classmethod
    def load(
        cls, environ: Mapping[str, str], traits: Mapping[str, object] | None = None, config_file: Path | None = None
    ) -> Settings:
        """Resolve every option; `config_file` beats TFAI_CONFIG. Raises SettingsError in one sentence."""
        given = dict(traits or {}) | ({"config": config_file} if config_file else {})
        problems = [*_unknown_traits(given), *_unknown_variables(environ)]
        layers = [
            Layer("trait", given, "c.Tfai.{0.name}"),
            Layer("environment", {each.name: environ.get(each.env) for each in OPTIONS}, "{0.env}"),
        ]
        if path := _config_file(layers):
            written = read_config(path, OPTIONS, environ)
            problems += written.problems
            layers.append(Layer("yaml", written.values, f"{{0.yaml}} in {path}"))
        values: dict[str, Any] = {}
        sources: dict[str, Source] = {}
        for each in OPTIONS:
            values[each.name], sources[each.name] = _resolve(each, layers, problems)
        return cls(**values, sources=sources, problems=tuple(problems))

    def source_of(self, name: str) -> Source:
        """Say where an option's value came from."""
        return self.sources.get(name, "default")

    def table(self) -> tuple[tuple[str, str, str], ...]:
        """Return key, value (secrets as set or unset) and source of every option."""
        return tuple((each.env, each.show(getattr(self, each.name)), self.source_of(each.name)) for each in OPTIONS)

    @property
    def hash(self) -> str:
        """A SHA-256 that changes when, and only when, an option that is no secret has another value."""
        shown = {each.env: each.show(getattr(self, each.name)) for each in OPTIONS if not each.secret}
        return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()

    @property
    def secrets(self) -> Mapping[str, str]:
        """The secret values that are set, by environment name, for the redaction to learn."""
        return {each.env: value for each in OPTIONS if each.secret and (value := getattr(self, each.name))}

    @property
    def history_path(self) -> Path | None:
        """The journal's file; None when history is disabled."""
        if self.history_db == "disabled":
            return None
        return expand(self.history_db) if self.history_db else self.home / "history.duckdb"

    def __repr__(self) -> str:
        """Show what was set and by whom, never a secret."""
        told = (f"{key}={value} ({source})" for key, value, source in self.table() if source != "default")
        return f"Settings({', '.join(told)})"


OPTIONS = options_of(Settings)
_BY_NAME = {each.name: each for each in OPTIONS}
_VARIABLES = {each.env for each in OPTIONS}


@dataclass(frozen=True, slots=True)
class Layer:
    """One source: the values it gives by option name, and how a person finds an option in it."""

    source: Source
    values: Mapping[str, object]
    place: str

    def key(self, option: Option) -> str:
        """Name the place where this source has the option."""
        return self.place.format(option)


def _resolve(each: Option, layers: Iterable[Layer], problems: list[str]) -> tuple[Any, Source]:
    """Take the first layer that gives a usable value, else the default; complain of what was refused."""
    given = ((layer, layer.values[each.name]) for layer in layers if layer.values.get(each.name) not in (None, ""))
    refused = []
    chosen: tuple[Any, Source] = each.default, "default"
    for layer, value in given:
        try:
            chosen = each.convert(value), layer.source
            break
        except ValueError as error:
            refused.append(f"{layer.key(each)}={each.show(value)} must be {error}")
            if each.strict:
                raise SettingsError(refused[-1]) from None
    instead = f"{each.show(chosen[0]) or 'nothing'} ({chosen[1]})"
    problems += [f"{said}; {instead} is used instead" for said in refused]
    return chosen


def _config_file(layers: list[Layer]) -> Path | None:
    named, _ = _resolve(_BY_NAME["config"], layers, [])
    home, _ = _resolve(_BY_NAME["home"], layers, [])
    default = expand(str(home)) / "config.yaml"
    return named or (default if is_file(default) else None)


def _unknown_traits(traits: Iterable[str]) -> list[str]:
    unknown = sorted(set(traits) - set(_BY_NAME))
    return [f"c.Tfai.{name} is no setting{suggest(name, _BY_NAME)}; it is ignored" for name in unknown]


def _unknown_variables(environ: Iterable[str]) -> list[str]:
    unknown = sorted(name for name in environ if name.startswith("TFAI_") and name not in _VARIABLES)
    return [
        "TFAI_API_KEY has no effect: the Jupyter server's own authentication guards every route"
        if name == "TFAI_API_KEY"
        else f"{name} is no setting{suggest(name, _VARIABLES)}; it is ignored"
        for name in unknown
    ]


if __name__ == "__main__":
    sys.stdout.write(document(OPTIONS))
