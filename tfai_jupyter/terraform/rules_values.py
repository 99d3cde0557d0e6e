"""Rules for values: for_each and count, indexes, attributes, templates, functions, types.

Within a table the first rule that holds wins. Wordings are those of Terraform 1.3 to 1.15 and OpenTofu.
"""

from __future__ import annotations

from .clues import function, variable
from .rules import Rule

_NAME = r'"(?P<name>[^"]+)"'
_DID_YOU_MEAN = r'(?:.*?Did you mean "(?P<nearest>[^"]+)")?'

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
        "Use a map whose keys are static in the configuration, with the unknown parts only in its values; or apply"
        " what it"
        " depends on first with -target.",
    ),
    Rule(
        "count_unknown",
        r'"?count"? .*(?:cannot be determined until apply|known only after apply)',
        "count at {where} depends on what is known only after apply: {code}",
        "Take the number from a variable, a local or something else that is known while planning; or apply what it"
        " depends"
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
        r"^(?:Invalid index|Unexpected \w+ instance key|Missing map element|Invalid collection index|Empty tuple"
        r"|Invalid slice)",
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
        r'function "\w+" failed: (?:failed to )?(?:open|read|stat) (?P<path>[^\s:]+): (?:no such file|The system'
        r" cannot find)",
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
        "Correct the text: JSON needs double quotes around every key and string; or write an HCL object and no JSON at"
        " all.",
    ),
    Rule(
        "function_error",
        r"^(?:Error in function call|Invalid function argument|Call to unknown function|(?:Not enough|Too many)"
        r" function"
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
        "Give it a value that is not null, or leave the argument out if it has a default; or set -var, a .tfvars file"
        " or"
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
        r"|Invalid template interpolation value|Iteration over non-iterable|Invalid type|Incorrect (?:condition|value)"
        r" type"
        r"|Invalid count argument|Invalid conditional|Incorrect value|Invalid expression type|Inconsistent)"
        r"(?:.*?: (?P<wanted>[\w ()]+?)(?: is)? required)?",
        "A value has the wrong type at {where}: {code} ({sentence})",
        "Give a value of the right type[[: {wanted}]]; convert with tostring(), tonumber(), tolist(), toset() or"
        " tomap()"
        " where that is meant.",
    ),
)
