"""The only place where objects are put together: Settings -> Assembly.

Nothing heavy is imported, opened or asked here: DuckDB, the model's SDK and Terraform wait for the
first turn that needs them.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .core.absent import NoJournal, NoModel, NoRetriever
from .core.approvals import Approvals
from .core.assistant import Assistant
from .core.duties import Duties
from .core.errors import NotFound
from .core.messages import ModelName
from .core.protocols import ChatModel, Journal
from .core.recall import Recall
from .core.redaction import Redactor
from .doctor import Doctor
from .models.auto import AutoModel
from .models.offline import OfflineModel
from .models.openai import Endpoint, OpenAIModel, ollama_url
from .settings import Settings
from .storage.journal import DuckDBJournal
from .storage.tools import StorageTools
from .storage.vault import Vault
from .storage.workspace import DiskWorkspace
from .terraform.diagnose import diagnose
from .terraform.diagnosis_tools import DiagnoseTools
from .terraform.drafts import DraftTools
from .terraform.inputs import sensitive_inputs
from .terraform.process import Patience
from .terraform.runner import Runner
from .terraform.tools import TerraformTools
from .yamlfile import read_policy

CONTEXT_TOKENS = 24_000
"""What a model is shown when nothing else is set: fits the smallest models that call tools well."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """An assistant and what faces ask beside it."""

    assistant: Assistant
    doctor: Doctor
    settings: Settings

    async def aclose(self) -> None:
        """End every turn and give model, journal and processes back."""
        await self.assistant.aclose(self.settings.shutdown_seconds)


def assemble(settings: Settings, root: Path, *, model: ChatModel | None = None) -> Assembly:
    """Put an assistant together for the workspaces below `root`.

    Raises SettingsError when a setting cannot be used. `model` stands in for the one that the
    settings name, e.g. a ScriptedModel.
    """
    vault = Vault(settings.home)
    redactor = Redactor(_salt(vault))
    for name, value in settings.secrets.items():
        redactor.learn([value], name)
    workspace = DiskWorkspace(settings.workspace_root or root, vault)
    approvals = _approvals(settings, vault)
    journal = _journal(settings)
    terraform = Runner(
        settings.terraform_binary,
        patience=Patience(timeout_seconds=settings.terraform_timeout_seconds),
        cli_config=settings.terraform_cli_config,
    )
    storage_tools = StorageTools(workspace, journal, approvals, read_only=settings.read_only)
    terraform_tools = TerraformTools(
        terraform, workspace, vault, approvals, redactor, apply_timeout_seconds=settings.apply_timeout_seconds
    )
    chosen = model or _model(settings)
    doctor = Doctor(
        settings=settings,
        model=chosen,
        terraform=terraform,
        journal=journal,
        retriever=NoRetriever(),
        approvals=approvals,
        workspace=workspace,
    )
    makers = (
        storage_tools,
        terraform_tools,
        DraftTools(workspace, terraform),
        DiagnoseTools(workspace, terraform, redactor),
        doctor,
    )
    duties = Duties(
        model=chosen,
        tools={tool.spec.name: tool for maker in makers for tool in maker.tools()},
        appliers={"change_set": storage_tools, "terraform_apply": terraform_tools.applier},
        workspace=workspace,
        vault=vault,
        journal=journal,
        recall=Recall(workspace, journal, NoRetriever()),
        approvals=approvals,
        max_steps=settings.max_steps,
        context_tokens=settings.context_tokens or CONTEXT_TOKENS,
    )
    assistant = Assistant(
        duties,
        redactor,
        turn_seconds=settings.chat_timeout_seconds,
        look_back=terraform_tools.applier.endings,
        secrets_of=_secrets_of,
    )
    return Assembly(assistant, doctor, settings)


async def _secrets_of(directory: Path) -> set[str]:
    return await asyncio.to_thread(sensitive_inputs, directory)


def _model(settings: Settings) -> ChatModel:
    offline = OfflineModel(diagnose)
    match settings.model_provider:
        case "offline":
            return offline
        case "openai" if not (settings.openai_api_key or settings.openai_base_url):
            return NoModel(
                ModelName("openai", settings.openai_model), "OPENAI_API_KEY is not set; set it, or unset MODEL_PROVIDER"
            )
        case "openai":
            return OpenAIModel(_endpoint(settings, "openai"))
        case "ollama":
            return OpenAIModel(_endpoint(settings, "ollama"))
        case "auto":
            return AutoModel(OpenAIModel(_endpoint(settings, "ollama")), offline, ollama_url(settings.ollama_host))
        case other:
            reason = f"MODEL_PROVIDER={other} is not there yet; take offline, ollama or openai"
            return NoModel(ModelName(other, ""), reason)


def _endpoint(settings: Settings, provider: Literal["openai", "ollama"]) -> Endpoint:
    is_ollama = provider == "ollama"
    return Endpoint(
        provider=provider,
        model=settings.ollama_model if is_ollama else settings.openai_model,
        base_url=ollama_url(settings.ollama_host) if is_ollama else settings.openai_base_url,
        api_key="" if is_ollama else settings.openai_api_key,
        max_tokens=settings.model_max_tokens,
        temperature=settings.model_temperature,
        first_token_seconds=settings.first_token_seconds,
        idle_seconds=settings.idle_seconds,
    )


def _journal(settings: Settings) -> Journal:
    path = settings.history_path
    return DuckDBJournal(path) if path else NoJournal()


def _approvals(settings: Settings, vault: Vault) -> Approvals:
    policy = settings.approval_policy
    return Approvals(
        vault,
        seconds=settings.approval_seconds,
        granted=read_policy(policy) if policy else frozenset(),
        policy_name=f"policy {policy.name}" if policy else "",
        read_only=settings.read_only,
    )


def _salt(vault: Vault) -> bytes:
    """Return this installation's key for placeholders; a fresh one where the home cannot be written."""
    try:
        return bytes.fromhex(vault.read("keys", "redaction")["salt"])
    except NotFound:
        salt = secrets.token_bytes(16)
    with suppress(OSError):
        vault.write("keys", "redaction", {"salt": salt.hex()})
    return salt
