"""Rules for what Terraform's own language refuses: syntax, names, blocks and arguments, values, functions.

Within a table the first rule that holds wins. Wordings are those of Terraform 1.3 to 1.15 and OpenTofu.
"""

from __future__ import annotations

from .clues import assigned, circle, directory, function, heredoc, module_variable, nearest, target, variable, within
from .rules import NOWHERE, Rule

_NAME = r'"(?P<name>[^"]+)"'
_DID_YOU_MEAN = r'(?:.*?Did you mean "(?P<nearest>[^"]+)")?'

SYNTAX = (
    Rule(
        "syntax_error",
        r"curly quotes",
        'Typographic ("curly") quotes stand at {where}: {code}; HCL knows straight quotes only.',
        'Replace each curly quote by a straight quote (").',
        NOWHERE,
    ),
    Rule(
        "syntax_error",
        r"^Unterminated template string|^Unterminated heredoc|heredoc .*(?:missing|not found|never)",
        "A string or heredoc at {at} is opened and never closed[[: the heredoc that begins at {opened} has no line"
        " with its end marker {marker} alone]][[: {code}]].",
        "[[Put {marker} alone on a line after the text that begins at {opened}.]] Add the missing closing quote (\") of a"
        " string, or the end marker of a heredoc alone on its line.",
        NOWHERE,
        heredoc,
    ),
    Rule(
        "syntax_error",
        r"^Invalid multi-line string",
        "The quoted string at {at} has no closing quote on its line: {code}",
        'Add the missing closing quote ("), or use a heredoc (<<-EOT ... EOT) for text of several lines.',
        NOWHERE,
    ),
    Rule(
        "syntax_error",
        r"^Unclosed (?:configuration )?block",
        "The block that begins at {at} has no closing brace: {code}",
        "Add the missing closing brace } where the block should end.",
        NOWHERE,
    ),
    Rule(
        "syntax_error",
        r"^Missing (?:newline after|item separator|attribute separator|argument separator|key/value)|^Missing comma",
        "At {at} something follows where the line, item or argument should have ended: {code} ({sentence})",
        "Put each argument on a line of its own, and a comma between the items of a list or call.",
        NOWHERE,
    ),
    Rule(
        "syntax_error",
        r"^(?:Unclosed|Unterminated|Unbalanced|Missing close|Missing closing)",
        "Something opened at {at} is never closed: {code} ({sentence})",
        "Add the missing closing bracket, brace, parenthesis or quote.",
        NOWHERE,
    ),
    Rule(
        "syntax_error",
        r"^(?:Invalid (?:character|expression|argument name|attribute name|block definition|string literal|number literal"
        r"|escape sequence|template (?!interpolation value)|'for' expression|single-argument block|legacy index|UTF-8|keyword|symbol|block label"
        r"|(?:resource|data source|variable|output|module|provider|local|check)(?: value)?(?: type| instance)? name|JSON)"
        r"|Argument or block definition required|Extra characters|Missing (?:expression|false expression|attribute"
        r"|name for|type for|property|JSON|colon|key|value|token)|Extraneous|Unsupported (?:operator|marker)|Unexpected (?!\w+ instance key)"
        r"|Ambiguous attribute key|Incorrect JSON|Trailing comma|JSON (?:parse|syntax)|Error parsing|Syntax error"
        r"|Argument definition required|Block definition required|Invalid splat|Wrong number of labels)"
        r"(?! for .* function)",
        "The configuration cannot be parsed at {at}: {code} ({sentence})",
        "Correct the syntax there: {sentence}. `terraform fmt` shows whether the file parses.",
        NOWHERE,
    ),
)

NAMES = (
    Rule(
        "count_and_for_each",
        r'^Invalid combination of "count" and "for_each"',
        "{where} sets both count and for_each, which exclude each other.",
        "Keep one of the two: count for a number of equal instances, either for_each for named ones; remove the other.",
    ),
    Rule(
        "duplicate_declaration",
        r'^(?:Duplicate|Multiple|Attribute redefined|Redundant)\b.*?\n.*?"(?P<name>[^"]+)" was already (?:declared|defined'
        r"|given|set|configured) at (?P<first>[^ ,]+:\d+)",
        '"{name}" is declared twice: at {at}, and already at {first}.',
        "Remove one of the two declarations, or rename one so that each name is unique.",
    ),
    Rule(
        "duplicate_declaration",
        r"^(?:Duplicate|Attribute redefined|Multiple \w+ (?:blocks|configurations))\b",
        "The same thing is declared twice, the second time at {where}: {sentence}.",
        "Remove one of the duplicate declarations, or rename one so that each name is unique.",
    ),
    Rule(
        "self_reference",
        r"^Self-referen\w+|may not refer to itself",
        "{where} refers to itself: {code}",
        "Remove the reference to its own address; take the value from a variable, a local or another resource, or `self`"
        " where a provisioner or postcondition needs it.",
    ),
    Rule(
        "dependency_cycle",
        r"^Cycle: (?P<chain>.+)",
        "These depend on one another in a circle, so that none can come first: {members}.",
        "Break the cycle: remove one of the references between them (circular dependency), or move what both need into a"
        " third resource or local.[[ Begin at {file}:{line}.]]",
        clue=circle,
    ),
    Rule(
        "unknown_reference",
        rf"input variable with the name {_NAME} has not been declared{_DID_YOU_MEAN}",
        'var.{name} is used at {where} but no variable "{name}" is declared.',
        'Correct the name[[ to "{nearest}"]], or declare it: add `variable "{name}" {}` with type and description.',
        clue=nearest("variable"),
    ),
    Rule(
        "unknown_reference",
        rf"local value with the name {_NAME} has not been declared{_DID_YOU_MEAN}",
        "local.{name} is used at {where} but no local value of that name is declared.",
        'Correct the name[[ to "{nearest}"]], or add `{name} = ...` to a locals block.',
        clue=nearest("local"),
    ),
    Rule(
        "unknown_reference",
        r'(?:managed|data|ephemeral) resource "(?P<type>[^"]+)" "(?P<name>[^"]+)" has not been declared' + _DID_YOU_MEAN,
        "{type}.{name} is used at {where} but is not declared in that module.",
        "Correct the name[[: did you mean {type}.{nearest}?]] or add the resource; a typo or a rename is the usual reason"
        " for an undeclared resource.",
        clue=nearest("resource"),
    ),
    Rule(
        "unknown_reference",
        rf"No module call named {_NAME}{_DID_YOU_MEAN}",
        "module.{name} is used at {where} but no such module call is declared.",
        'Correct the name[[ to "{nearest}"]], or add a module "{name}" block.',
        clue=nearest("module"),
    ),
    Rule(
        "unknown_reference",
        rf"A variable named {_NAME} was assigned",
        'A value is given for the variable "{name}", which the root module does not declare.',
        'Declare it: add variable "{name}", or leave the value out.',
        "var.{name}",
    ),
    Rule(
        "unknown_reference",
        r'^Reference to "(?P<name>each|count)[^"]*" in|The "(?P<object>each|count|self)" object (?:can be used only'
        r"|is not available|cannot be used)",
        "{where} uses {name}{object}, which does not exist there: {code}",
        "Add for_each (for each.*) or count (for count.index) to the block, or remove the reference; it is undeclared here.",
    ),
    Rule(
        "unknown_reference",
        r"^(?:Reference to undeclared|Invalid reference|Unknown variable|Unknown reference|Invalid \"self\" reference"
        r"|Undeclared)",
        "{where} refers to something that is not declared: {code} ({sentence})",
        "Correct the name (check for a typo), or declare what is missing: {sentence}.",
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
        '[[Use "{nearest}": if it is an argument, give it a value with an equals sign.]] Remove the {name} block, or move'
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
        rf'^Missing required argument\nThe argument "(?P<name>source)" is required',
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
        rf"^(?:Missing required \w+|Insufficient \S+ blocks|Missing Configuration for Required Attribute)\n[^\"]*?{_NAME}",
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
        "Write a condition that is true or false and refers to what it checks, with an error_message of full sentences.",
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
        r'^Invalid (?:resource type|data source)\n.*?(?:provider (?P<provider>\S+) does not support \S+(?: \S+)? '
        rf'"(?P<name>[^"]+)")\.?{_DID_YOU_MEAN}',
        'The provider {provider} has no type "{name}", used at {where}.',
        '[[Use "{nearest}".]] Correct the type\'s name, or choose a provider version that has it.',
    ),
    Rule(
        "variables_not_allowed",
        r"^(?:Variables not allowed|Function calls not allowed|Unsuitable value type|A single static variable reference)",
        "{where} must be a constant, but it is computed: {code} ({sentence})",
        "Write a literal (constant) value there instead of a variable or call. A backend's values can come from"
        " `terraform init -backend-config=NAME=VALUE`; a default that is computed belongs in locals.",
    ),
    Rule(
        "invalid_provider_reference",
        r'To work with (?P<subject>\S+) .*?provider configuration at provider\["[^"]*?/?(?P<provider>[\w-]+)"\]'
        r"(?:\.(?P<alias>[\w-]+))? is required",
        "{subject} needs the provider configuration {provider}[[ with alias {alias}]], which does not exist.",
        "[[Correct the alias, or add a provider block with `alias = \"{alias}\"`.]] If the provider block was removed, put"
        " it back until the resource is destroyed.",
        "{subject}",
        within(r"^\s*providers?\s*="),
    ),
    Rule(
        "invalid_provider_reference",
        r"^(?:Provider configuration not present|Reference to undefined provider|Missing required provider configuration"
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
        r"^(?:Invalid use of ephemeral|Ephemeral|\w+ refers to ephemeral)|Ephemeral (?:values|outputs|resources) (?:are|is|can)"
        r"|derived from (?:an )?ephemeral",
        "{where} would store an ephemeral value, which must not be persisted: {code}",
        "Remove it from there, or use a write-only argument (its name often ends in _wo), or mark the variable or output"
        " `ephemeral = true`; an ephemeral value is not allowed where it is stored.",
    ),
    Rule(
        "invalid_moved_block",
        r"(?:declares a move|^Moved|move statement)(?:.*?from (?P<subject>[\w.\[\]\"-]+?),? (?:to|but|which|and|from)\b)?"
        r'|^Invalid "?moved"?|^(?:Ambiguous|Cyclic dependency in|Cross-package|Redundant) move',
        "A moved block[[ at {at}]] cannot be followed: {sentence}.",
        "[[Remove the old block {subject} (it moved), or delete the moved block.]] A moved block needs its `from` gone and"
        " its `to` declared; remove or correct whichever is wrong.",
        "{subject}",
        clue=target("moved", "from"),
    ),
    Rule(
        "invalid_removed_block",
        r"^(?:Removed \w+ still exists|Invalid removed|(?:Resource|Module) instance keys not allowed)(?:.*?declares that (?P<subject>\S+) was removed)?",
        "The removed block of[[ {subject}]] {base} cannot be followed: {sentence}.",
        "Delete the resource block, or delete the removed block if the resource is to stay; its `from` names the whole"
        " resource, without an instance key.",
        "{subject}",
        target("removed", "from"),
    ),
    Rule(
        "import_target_missing",
        r"^(?:Configuration for )?import target[^\n]*(?:.*?import target (?P<subject>[\w.\[\]\"-]+) does not exist)?|resource"
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
        "Give the id of an existing object in the form that the provider's documentation shows; it must be known and not"
        " empty (a non-empty string).",
    ),
)

VALUES = (
    Rule(
        "for_each_sensitive",
        r"Sensitive values, or values derived from sensitive values, cannot be used as (?P<name>for_each|count)",
        "{where} takes its {name} from a sensitive value, which would show in addresses[[ ({values})]].",
        "Use keys that are not secret, e.g. a separate set of names; nonsensitive(keys(...)) if the keys may be seen.",
    ),
    Rule(
        "for_each_unknown",
        r'"?for_each"? .*(?:cannot be determined until apply|known only after apply)',
        "The keys of for_each at {where} are known only after apply: {code}[[ ({values})]]",
        "Use a map whose keys are static in the configuration, with the unknown parts only in its values; or apply what it"
        " depends on first with -target.",
    ),
    Rule(
        "count_unknown",
        r'"?count"? .*(?:cannot be determined until apply|known only after apply)',
        "count at {where} depends on what is known only after apply: {code}",
        "Take the number from a variable, a local or something else that is known while planning; or apply what it depends"
        " on first with -target.",
    ),
    Rule(
        "invalid_for_each",
        r"^(?:Invalid for_each|Invalid dynamic for_each|Invalid value for for_each)",
        "for_each at {where} must be a map or a set of strings: {code} ({sentence})",
        "Turn a list into a set with toset([...]) or into a map with { for ... }; no null and no other types.",
    ),
    Rule(
        "missing_instance_key",
        r"^Missing (?:resource|module) instance key",
        "{where} uses a resource that has count or for_each without saying which instance: {code}",
        'Say which: an index such as [0] or ["key"], or all of them with the splat [*].',
    ),
    Rule(
        "invalid_index",
        r"^(?:Invalid index|Unexpected \w+ instance key|Missing map element|Invalid collection index|Empty tuple|Invalid slice)",
        "There is no such element or key: {code} at {where}[[ ({values})]].",
        "Add the key or element to the collection, correct the index (it counts from 0 and must be in range: below the"
        " length), or use lookup(..., default) or try(...).",
    ),
    Rule(
        "unsupported_attribute",
        rf"^(?:Unsupported attribute|Invalid \"\w+\" attribute|Missing resource attribute)\n.*?(?:attribute|named)"
        rf" (?:named )?{_NAME}{_DID_YOU_MEAN}",
        'There is no attribute "{name}" in {code} at {where}.',
        '[[Use "{nearest}".]] Use an attribute that it has; a module gives only what it declares as output.',
    ),
    Rule(
        "unsupported_attribute",
        r"^(?:Unsupported attribute|Attempt to get attribute from|Invalid \"\w+\" attribute)",
        "{code} at {where} asks for an attribute of something that has none: {sentence}.",
        "Refer to an attribute that exists; where the value may be null, use try(...) or a condition.",
    ),
    Rule(
        "invalid_template",
        r"vars map does not contain key \"(?P<name>[^\"]+)\"(?:, referenced at (?P<used>[^ ,]+))?",
        'The template needs a value "{name}"[[ (used at {used})]] that the call at {where} does not give.',
        "Add `{name} = ...` to the map of values in that call, or take it out of the template.",
    ),
    Rule(
        "invalid_template",
        r'function "template\w+" failed: (?P<why>.+?)\.*$|^Invalid template (?:control|directive)|endfor|endif',
        "The template of the call at {where} cannot be rendered[[: {why}]].",
        "Correct the template file there: every %{ for } needs its %{ endfor }, every %{ if } its %{ endif }.",
    ),
    Rule(
        "file_not_found",
        r"no file exists at \"?(?P<path>[^\";]+)|variables file (?P<tfvars>\S+) does not exist",
        "The file {path}{tfvars} does not exist; {where} reads it.",
        "Create the file {path}{tfvars}, or correct the path: it is relative to where Terraform runs, so begin it with"
        " ${path.module}/.",
    ),
    Rule(
        "file_not_found",
        r'function "\w+" failed: (?:failed to )?(?:open|read|stat) (?P<path>[^\s:]+): (?:no such file|The system cannot find)',
        "The file {path} does not exist; {where} reads it.",
        "Create the file {path}, or correct the path: it is relative to where Terraform runs, so begin it with"
        " ${path.module}/.",
    ),
    Rule(
        "function_error",
        r'(?:no|unknown) (?:function named|provider function) "?(?P<name>[\w:]+)' + _DID_YOU_MEAN,
        "There is no function {name}(); {where} calls it: {code}",
        "[[Use {nearest}() instead.]] Correct the function's name.",
        clue=function,
    ),
    Rule(
        "function_error",
        r'function "jsondecode" failed: (?P<why>.+?)\.*$',
        "jsondecode at {where} was given text that is no JSON: {why}.",
        "Correct the text: JSON needs double quotes around every key and string; or write an HCL object and no JSON at all.",
    ),
    Rule(
        "function_error",
        r'^(?:Error in function call|Invalid function argument|Call to unknown function|(?:Not enough|Too many) function'
        r'|Function not |Missing function|Expanding argument)|Call to function "(?P<name>\w+)" failed',
        "A function call fails at {where}: {code} ({sentence})",
        "Give the function[[ {name}]] arguments that it accepts: {detail}",
    ),
    Rule(
        "type_mismatch",
        r"^Inconsistent conditional result types",
        "The two branches of the condition at {where} have different types: {code} ({sentence})",
        "Make both branches of the conditional the same type.",
    ),
    Rule(
        "type_mismatch",
        r"^Invalid default value for variable\n[^:]*: (?P<wanted>.+?)(?: is)? required|^Invalid default value",
        "The default of {where} does not fit the variable's type[[: {wanted} is required]].",
        "Correct the default so that it fits the type[[ ({wanted})]], or change the type.",
    ),
    Rule(
        "missing_variable",
        r"^Required variable not set|required variable may not be set to null",
        "{where} is set to null, but it needs a value.",
        "Give it a value that is not null, or leave the argument out if it has a default; or set -var, a .tfvars file or"
        " TF_VAR_ in the environment.",
    ),
    Rule(
        "type_mismatch",
        r"(?:not suitable for|Unsuitable value for) (?:[\w.\[\]\"-]+\.)?(?P<variable>var\.[\w-]+)[^:]*?(?: declared at"
        r" [^:]+:[^:]+)?: (?P<wanted>.+?)(?: is)? required",
        "The value for {variable} has the wrong type: {code}; a value of type {wanted} is required.",
        "Give {wanted} (a list in brackets [ ], a map in braces { }, a number without quotes), or change the variable's"
        " type.",
        clue=variable,
    ),
    Rule(
        "type_mismatch",
        r"^(?:Incorrect attribute value type|Invalid value for input variable|Invalid operand|Unsuitable value"
        r"|Invalid template interpolation value|Iteration over non-iterable|Invalid type|Incorrect (?:condition|value) type"
        r"|Invalid count argument|Invalid conditional|Incorrect value|Invalid expression type|Inconsistent)"
        r"(?:.*?: (?P<wanted>[\w ()]+?)(?: is)? required)?",
        "A value has the wrong type at {where}: {code} ({sentence})",
        "Give a value of the right type[[: {wanted}]]; convert with tostring(), tonumber(), tolist(), toset() or tomap()"
        " where that is meant.",
    ),
)

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
        "Remove the version argument (a local module is what is on disk), or give the address of a module in a registry.",
        clue=assigned("version"),
    ),
    Rule(
        "module_source_not_found",
        r'^(?:Unreadable module|Module not found|Failed to (?:download|retrieve|read|expand) \S*\s*(?:module|available versions'
        r" for module)|Could not (?:find|download) module|Error (?:accessing remote|downloading) module|Unresolvable module"
        r"|Invalid (?:registry )?module source|Remote module|Subdirectory not found|Module is incompatible|Error loading module)"
        r'(?:.*?module "(?P<module>[^"]+)"(?: \(?(?:at|from)? ?(?P<used>[^ ):]+:\d+)\)?)?)?',
        "The source of the module[[ {module}]][[ called at {used}]] cannot be read: {sentence}.",
        "[[The directory {nearest} exists: is it meant?]] Correct the source path or address (check for a typo); a local"
        " source begins with ./ or ../, a remote one must be reachable with your credentials.",
        "module.{module}",
        directory,
    ),
)
