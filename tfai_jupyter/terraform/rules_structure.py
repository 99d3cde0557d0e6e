"""Rules for blocks and arguments: what a resource, a module call or an import may and must hold.

Within a table the first rule that holds wins. Wordings are those of Terraform 1.3 to 1.15 and OpenTofu.
"""

from __future__ import annotations

from .clues import alias, assigned, directory, module_variable, target, within
from .rules import Rule

_NAME = r'"(?P<name>[^"]+)"'
_DID_YOU_MEAN = r'(?:.*?Did you mean "(?P<nearest>[^"]+)")?'

MODULES = (
    Rule(
        "module_not_installed",
        r"^Module (?:not installed|source has changed|version requirements have changed|manifest)",
        "The module called at {where} is not installed in this directory yet.",
        "Run `terraform init` (or `terraform get`).",
    ),
    Rule(
        "module_version_on_local",
        r'local directory .*set the argument "version", which applies only to registry modules|version .*local module',
        "{where} sets a version, but its source is a local directory; only registry modules have versions.",
        "Remove the version argument (a local module is what is on disk), or give the address of a module in a"
        " registry.",
        clue=assigned("version"),
    ),
    Rule(
        "module_source_not_found",
        r"^(?:Unreadable module|Module not found|Failed to (?:download|retrieve|read|expand) \S*\s*(?:module|available"
        r" versions"
        r" for module)|Could not (?:find|download) module|Error (?:accessing remote|downloading) module|Unresolvable"
        r" module"
        r"|Invalid (?:registry )?module source|Remote module|Subdirectory not found|Module is incompatible|Error"
        r" loading module)"
        r'(?:.*?module "(?P<module>[^"]+)"(?: \(?(?:at|from)? ?(?P<used>[^ ):]+:\d+)\)?)?)?',
        "The source of the module[[ {module}]][[ called at {used}]] cannot be read: {sentence}.",
        "[[The directory {nearest} exists: is it meant?]] Correct the source path or address (check for a typo); a"
        " local"
        " source begins with ./ or ../, a remote one must be reachable with your credentials.",
        "module.{module}",
        directory,
    ),
)

STRUCTURE = (
    Rule(
        "module_unsupported_argument",
        rf"^Unsupported argument\nAn argument named {_NAME} is not expected here\.?{_DID_YOU_MEAN}",
        'The call at {where} sets "{name}", but the module has no variable "{name}".[[ It has: {variables}.]]',
        'Rename it[[ to "{nearest}"]], remove it, or declare variable "{name}" in the module.',
        clue=module_variable,
        on=r"^(?:module\.[^.]+\.)*module\.[^.]+$",
    ),
    Rule(
        "unsupported_argument",
        rf"^(?:Unsupported argument|Extraneous JSON object property|Invalid .*argument)\n.*?"
        rf"argument (?:or block type |name )?(?:named )?{_NAME} (?:is|given .*? is) not (?:expected|supported)[^.]*\.?"
        rf"{_DID_YOU_MEAN}",
        '{where} sets "{name}", which is no argument there.',
        '[[Use "{nearest}" instead of "{name}".]] Rename or remove "{name}"; the provider\'s documentation lists the'
        " arguments.",
    ),
    Rule(
        "unsupported_block_type",
        rf"^Unsupported block type\nBlocks of type {_NAME} are not expected here\.?{_DID_YOU_MEAN}",
        '{where} has a block "{name}", which is not supported there.',
        '[[Use "{nearest}": if it is an argument, give it a value with an equals sign.]] Remove the {name} block, or'
        " move"
        " it to where it is expected.",
    ),
    Rule(
        "unsupported_block_type",
        r"^(?:Unsupported block type|Too many (?P<name>\S+) blocks|Invalid block type)",
        "{where} has a block that is not supported there: {sentence}.",
        "Remove the block[[ {name}]] or move it to where it is expected; it is not expected here.",
    ),
    Rule(
        "missing_required_argument",
        r'^Missing required argument\nThe argument "(?P<name>source)" is required',
        'The module call at {where} has no "{name}".',
        'Add "{name}" to the module block.',
    ),
    Rule(
        "module_missing_argument",
        rf"^Missing required argument\nThe argument {_NAME} is required",
        'The module call at {where} gives no value for "{name}", which the module requires.',
        'Add `{name} = ...` to the module block, or give variable "{name}" a default inside the module.',
        on=r"^(?:module\.[^.]+\.)*module\.[^.]+$",
    ),
    Rule(
        "missing_required_argument",
        rf"^(?:Missing required \w+|Insufficient \S+ blocks|Missing Configuration for Required"
        rf" Attribute)\n[^\"]*?{_NAME}",
        'The required "{name}" is not set at {where}.',
        'Add "{name}" to {where}.',
    ),
    Rule(
        "missing_required_argument",
        r'"(?P<name>[\w.]+)"?: required field is not set|one of `(?P<options>[^`]+)` must be specified'
        r"|^(?:Missing required argument|Missing required property|Missing Attribute Configuration)",
        "A required argument is not set at {where}: {sentence}.",
        "Add the required argument[[ {name}]][[ (one of {options})]] there.",
    ),
    Rule(
        "missing_required_argument",
        r"^(?:Zero assert blocks|Missing (?:required value|\w+ value))",
        "Something required is missing at {where}: {sentence}.",
        "Add it there: {sentence}.",
    ),
    Rule(
        "invalid_condition",
        r"^Invalid (?:pre|post)?condition expression|^Invalid (?:check|validation) expression|^Invalid error message",
        "The condition at {where} cannot be used: {code} ({sentence})",
        "Write a condition that is true or false and refers to what it checks, with an error_message of full"
        " sentences.",
    ),
    Rule(
        "unsupported_backend_type",
        r"^Unsupported backend type",
        "{where} names a backend that Terraform does not have: {code}",
        "Correct the backend's name, e.g. local, s3, azurerm, gcs, http, pg, kubernetes, remote.",
    ),
    Rule(
        "unsupported_block_type",
        r'^The "(?P<name>\w+)" provisioner has been removed',
        'The provisioner "{name}" at {where} no longer exists.',
        "Remove the block; use local-exec or remote-exec, or better an image that has what it needs.",
    ),
    Rule(
        "conflicting_arguments",
        r"(?P<name>\w+)\"?: conflicts with|^(?:Conflicting configuration arguments|Invalid (?:Attribute )?Combination)",
        "{where} sets arguments that exclude each other: {sentence}.",
        "Keep one of the conflicting arguments and remove the other.",
    ),
    Rule(
        "unsupported_resource_type",
        r"^Invalid (?:resource type|data source)\n.*?(?:provider (?P<provider>\S+) does not support \S+(?: \S+)? "
        rf'"(?P<name>[^"]+)")\.?{_DID_YOU_MEAN}',
        'The provider {provider} has no type "{name}", used at {where}.',
        '[[Use "{nearest}".]] Correct the type\'s name, or choose a provider version that has it.',
    ),
    Rule(
        "variables_not_allowed",
        r"^(?:Variables not allowed|Function calls not allowed|Unsuitable value type|A single static variable"
        r" reference)",
        "{where} must be a constant, but it is computed: {code} ({sentence})",
        "Write a literal (constant) value there instead of a variable or call. A backend's values can come from"
        " `terraform init -backend-config=NAME=VALUE`; a default that is computed belongs in locals.",
    ),
    Rule(
        "invalid_provider_reference",
        r'^missing provider provider\["[^"]*?/?(?P<provider>[\w-]+)"\]\.(?P<alias>[\w-]+)',
        "{where} uses {provider}.{alias}, but there is no provider block with that alias.",
        'Correct the alias, or add a provider "{provider}" block with `alias = "{alias}"`.',
        clue=alias,
    ),
    Rule(
        "invalid_provider_reference",
        r'To work with (?P<subject>\S+) .*?provider configuration at provider\["[^"]*?/?(?P<provider>[\w-]+)"\]'
        r"(?:\.(?P<alias>[\w-]+))? is required",
        "{subject} needs the provider configuration {provider}[[ with alias {alias}]], which does not exist.",
        '[[Correct the alias, or add a provider block with `alias = "{alias}"`.]] If the provider block was removed,'
        " put"
        " it back until the resource is destroyed.",
        "{subject}",
        within(r"^\s*providers?\s*="),
    ),
    Rule(
        "invalid_provider_reference",
        r"^(?:Provider configuration not present|Reference to undefined provider|Missing required provider"
        r" configuration"
        r"|Undefined provider|Invalid provider (?:configuration )?reference|Provider type mismatch"
        r"|Duplicate provider reference|Cannot override provider|missing provider provider)",
        "{where} refers to a provider configuration that is not there: {sentence}.",
        "Add the provider block with that alias, or correct the provider reference: {sentence}.",
    ),
    Rule(
        "output_needs_sensitive",
        r"^Output refers to sensitive values",
        "{where} holds a sensitive value but is not marked so.",
        "Add `sensitive = true` to the output, or leave the secret out of its value.",
        clue=within(r"^\s*value\s*="),
    ),
    Rule(
        "ephemeral_not_allowed",
        r"^(?:Invalid use of ephemeral|Ephemeral|\w+ refers to ephemeral)|Ephemeral (?:values|outputs|resources)"
        r" (?:are|is|can)"
        r"|derived from (?:an )?ephemeral",
        "{where} would store an ephemeral value, which must not be persisted: {code}",
        "Remove it from there, or use a write-only argument (its name often ends in _wo), or mark the variable or"
        " output"
        " `ephemeral = true`; an ephemeral value is not allowed where it is stored.",
    ),
    Rule(
        "invalid_moved_block",
        r"(?:declares a move|^Moved|move statement)(?:.*?from (?P<subject>[\w.\[\]\"-]+?),? (?:to|but|which|and"
        r"|from)\b)?"
        r'|^Invalid "?moved"?|^(?:Ambiguous|Cyclic dependency in|Cross-package|Redundant) move',
        "A moved block[[ at {at}]] cannot be followed: {sentence}.",
        "[[Remove the old block {subject} (it moved), or delete the moved block.]] A moved block needs its `from` gone"
        " and"
        " its `to` declared; remove or correct whichever is wrong.",
        "{subject}",
        clue=target("moved", "from"),
    ),
    Rule(
        "invalid_removed_block",
        r"^(?:Removed \w+ still exists|Invalid removed|(?:Resource|Module) instance keys not allowed)(?:.*?declares"
        r" that (?P<subject>\S+) was removed)?",
        "The removed block of[[ {subject}]] {base} cannot be followed: {sentence}.",
        "Delete the resource block, or delete the removed block if the resource is to stay; its `from` names the whole"
        " resource, without an instance key.",
        "{subject}",
        target("removed", "from"),
    ),
    Rule(
        "import_target_missing",
        r"^(?:Configuration for )?import target[^\n]*(?:.*?import target (?P<subject>[\w.\[\]\"-]+) does not exist)?"
        r"|resource"
        r' address "(?P<name>[^"]+)" does not exist in the configuration',
        "The import at {at} names {subject}{name}, for which there is no resource block.",
        "Write the resource block, or generate one: terraform plan -generate-config-out=generated.tf",
        "{subject}",
    ),
    Rule(
        "import_target_exists",
        r"^Resource already managed",
        "{where} is already in the state, so it cannot be imported.",
        "Remove the import; `terraform state show` tells what the state holds.",
    ),
    Rule(
        "invalid_import_id",
        r"^Invalid import id|import ID value|(?:unexpected|invalid) format (?:of|for) (?:import )?ID|Cannot import"
        r" non-existent|^Invalid import (?:block|argument)|parsing .*import id",
        "The id of the import[[ at {at}]] cannot be used: {sentence}.",
        "Give the id of an existing object in the form that the provider's documentation shows; it must be known and"
        " not"
        " empty (a non-empty string).",
    ),
)
