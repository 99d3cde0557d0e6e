"""Rules for what stands around a configuration: versions, providers, lock file, backend, state, saved plans."""

from __future__ import annotations

from .clues import lock, locked, required, terraform_block
from .rules import NOWHERE, Rule

_SOURCE = r"(?:provider )?(?:[\w.-]+\.[\w.-]+/)?(?P<source>[\w-]+/(?P<provider>[\w-]+))"

SETUP = (
    Rule(
        "required_version_mismatch",
        r"^Unsupported Terraform (?:Core )?version(?:.*?does not support Terraform version (?P<version>\S+?)\.? )?",
        "The configuration at {at} does not allow[[ Terraform {version}]] this version of Terraform: {code}",
        "Install (upgrade to) a Terraform version that meets the constraint {code}, or change the constraint if yours"
        " is"
        " known to work.",
        "terraform",
        terraform_block(r"^\s*required_version"),
    ),
    Rule(
        "backend_config_changed",
        r"^Backend configuration changed|Backend initialization required.*?Reason: (?P<reason>Backend (?:type changed"
        r"|configuration (?:block )?has changed).*?|Unsetting [^.]*?)(?:  | The |$)",
        "The backend's configuration differs from the one this directory was initialised with[[: {reason}]].",
        "Run `terraform init -migrate-state` to take the state along to the new backend, or `terraform init"
        " -reconfigure`"
        " to start with what is there.",
        "terraform",
        terraform_block(r"^\s*backend\s", r"^\s*cloud\s*\{"),
    ),
    Rule(
        "backend_init_required",
        r"^(?:Backend initialization required|.*? initialization required.*terraform init)|Initial configuration of the"
        r" requested backend",
        "A backend is configured that this directory has not been initialised with.",
        "Run `terraform init`; it sets up the backend (and asks before it moves state: -migrate-state).",
        "terraform",
        terraform_block(r"^\s*backend\s", r"^\s*cloud\s*\{"),
    ),
    Rule(
        "provider_checksum_mismatch",
        rf"(?:(?:package for|installing|Provider) {_SOURCE}[ :]?.*?)?(?:doesn't match any of the checksums|does not"
        rf" match"
        r" any of the checksums|has different checksums|checksum list has (?:no|unexpected)|unexpected SHA-?256)",
        "The package of the provider[[ {source}]] differs from the checksums in the lock file .terraform.lock.hcl.",
        "If you trust the package, record its hash for every platform: terraform providers lock"
        " -platform=linux_amd64[[ {source}]]; or delete that entry of the lock file and run `terraform init`. If not,"
        " find"
        " out who changed it.",
        "provider.{provider}",
        locked,
    ),
    Rule(
        "missing_provider",
        rf"provider {_SOURCE}: required by this configuration but no version is selected.*make the initial dependency"
        rf"|^Missing required provider\n.*?requires"
        rf" {_SOURCE.replace('source>', 'wanted>').replace('provider>', 'name>')},?",
        "The provider {source}{wanted} is not installed in this directory.",
        "Run `terraform init`.",
        "provider.{provider}{name}",
    ),
    Rule(
        "missing_provider",
        rf"^Required plugins are not installed(?:.*?package for {_SOURCE})?|there is no package for \S+ \S+ cached",
        "The provider[[ {source}]] that the lock file names is not installed in this directory.",
        "Run `terraform init`.",
        "provider.{provider}",
    ),
    Rule(
        "lock_file_inconsistent",
        rf"^Inconsistent dependency lock file.*?(?:- {_SOURCE}: (?P<why>.+?))(?: To | - provider|$)",
        "The lock file does not fit the configuration: provider {source}: {why}.",
        "Run `terraform init -upgrade` to select versions again and update the lock file, then review and commit it.",
        "provider.{provider}",
        required("version"),
    ),
    Rule(
        "lock_file_inconsistent",
        rf"locked provider {_SOURCE} (?P<version>\S+) does not match configured version constraints?"
        rf" (?P<constraint>[^;]+)"
        r"|^Inconsistent dependency lock file|dependency lock file .*(?:inconsistent|could not be read)",
        "The lock file does not fit the configuration[[: {source} is locked to {version}, but {constraint} is asked"
        " for]].",
        "Run `terraform init -upgrade` to select versions again and update the lock file, then review and commit it.",
        "provider.{provider}",
        required("version"),
    ),
    Rule(
        "provider_version_conflict",
        rf"(?:{_SOURCE}:? .*?)?no available releases match the given constraints (?P<constraints>.+?)(?: To see|$)",
        "No version of the provider[[ {source}]] meets all version constraints together: {constraints}.",
        "Compare the version constraints of all modules (`terraform providers`): those of the root module and of a"
        " module"
        " in use conflict; loosen one so that both allow a common version.",
        "provider.{provider}",
        required("version"),
    ),
    Rule(
        "provider_unavailable",
        rf"(?:{_SOURCE}:? .*?)?(?:could not connect to|failed to request discovery|could not query provider registry"
        r"|no such host|connection (?:refused|reset)|TLS handshake|i/o timeout|Client\.Timeout|certificate"
        r"|proxyconnect)",
        "The provider[[ {source}]] could not be fetched, because its registry cannot be reached: {sentence}.",
        "Check the network, proxy and DNS of this machine, or configure a mirror of the registry"
        " (provider_installation in"
        " the CLI configuration), then run `terraform init` again.",
        "provider.{provider}",
        required("source"),
        r"^$|^provider\.|^terraform$",
    ),
    Rule(
        "provider_unavailable",
        rf"^(?:Failed to (?:query available|install) provider|Incompatible provider|Invalid provider registry|Provider"
        rf" registry|Failed to resolve provider|Could not (?:find|install) provider)(?:.*?provider {_SOURCE}[: ])?",
        "The provider[[ {source}]] cannot be found where Terraform looks: {sentence}.",
        "Check the spelling (a typo?) and the `source` in required_providers; without one, hashicorp/NAME is assumed."
        " It"
        " must exist in the registry or mirror, for this platform.",
        "provider.{provider}",
        required("source"),
    ),
)

STATE = (
    Rule(
        "state_version_too_new",
        r"state file uses format version (?P<format>\d+), which is not supported|created by Terraform"
        r" v?(?P<version>[\d.]+\w*)"
        r", which is newer|state snapshot was created by Terraform v?(?P<by>[\d.]+\w*), which is newer|newer version"
        r" of the"
        r" state",
        "The state was written by a newer version of Terraform than this one: {detail}",
        "Upgrade Terraform to at least the version that wrote the state; never edit the version inside the state.",
        NOWHERE,
    ),
    Rule(
        "state_corrupt",
        r"Unsupported state file format|could not be parsed as JSON|state data in \S+ does not have the expected"
        r" content"
        r"|^(?:Error (?:loading|reading|refreshing) state|Failed to (?:load|read|open) state)\b.*(?:JSON|EOF|invalid"
        r" character|corrupt|truncated|checksum|parse)",
        "The state cannot be read; it is corrupt or truncated: {detail}",
        "Keep a copy of it, then restore the last good version: terraform.tfstate.backup beside it, or an older"
        " version of"
        " the object in the backend's bucket; check with `terraform state list`.",
        NOWHERE,
    ),
    Rule(
        "stale_plan",
        r"^Saved plan (?:is stale|does not match)|plan file can no longer be applied|plan .*different (?:state"
        r"|lineage)",
        "The saved plan can no longer be applied: the state changed after the plan was made.",
        "Run `terraform plan` again with -out, review the new plan, and apply that one.",
        NOWHERE,
    ),
    Rule(
        "workspace_missing",
        r'^Workspace "(?P<name>[^"]+)" doesn\'t exist|(?:selected )?workspace "?(?P<other>[\w-]+)"? (?:does not'
        r"|doesn\'t) exist"
        r"|No workspaces",
        "There is no workspace[[ {name}]][[ {other}]] in this backend.",
        "Create it: terraform workspace new {name}{other} (or `terraform workspace select -or-create {name}{other}`);"
        " `terraform workspace list` shows which exist.",
        NOWHERE,
    ),
)

LOCKS = (
    Rule(
        "state_locked",
        r"^Error (?:acquiring|locking|releasing|unlocking) the state(?: lock)?|^Failed to (?:lock|unlock) state|state"
        r" blob is"
        r" already locked|Lock Info:",
        "Somebody else holds the lock of the state[[: {who}]][[, for {operation}]][[, since {created}]].",
        "Wait until that run ends, or retry with -lock-timeout=5m. Only if it is certain that no run is active:"
        " terraform force-unlock {lock}",
        NOWHERE,
        lock,
    ),
)

STATE_WRITES = (
    Rule(
        "state_write_failed",
        r"^(?:Failed to (?:save|persist|write|upload) state|Error (?:saving|uploading|writing) (?:the )?state|Failed to"
        r" (?:update|store) state)|errored\.tfstate",
        "The state could not be stored after the run: {sentence}.",
        "Do not run again yet: Terraform wrote the state to errored.tfstate in this directory. Repair the access to the"
        " backend (e.g. s3:PutObject), then `terraform state push errored.tfstate`.",
        NOWHERE,
    ),
)
