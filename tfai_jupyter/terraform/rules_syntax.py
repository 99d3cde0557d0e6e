"""Rules for what cannot be parsed, and for names that are declared twice or not at all.

Within a table the first rule that holds wins. Wordings are those of Terraform 1.3 to 1.15 and OpenTofu.
"""

from __future__ import annotations

from .clues import circle, heredoc, nearest
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
        '[[Put {marker} alone on a line after the text that begins at {opened}.]] Add the missing closing quote (")'
        " of a"
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
        r"^(?:Invalid (?:character|expression|argument name|attribute name|block definition|string literal|number"
        r" literal"
        r"|escape sequence|template (?!interpolation value)|'for' expression|single-argument block|legacy index|UTF-8"
        r"|keyword|symbol|block label"
        r"|(?:resource|data source|variable|output|module|provider|local|check)(?: value)?(?: type| instance)? name"
        r"|JSON)"
        r"|Argument or block definition required|Extra characters|Missing (?:expression|false expression|attribute"
        r"|name for|type for|property|JSON|colon|key|value|token)|Extraneous|Unsupported (?:operator|marker)"
        r"|Unexpected (?!\w+ instance key)"
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
        r'^(?:Duplicate|Multiple|Attribute redefined|Redundant)\b.*?\n.*?"(?P<name>[^"]+)" was already (?:declared'
        r"|defined"
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
        "Remove the reference to its own address; take the value from a variable, a local or another resource, or"
        " `self`"
        " where a provisioner or postcondition needs it.",
    ),
    Rule(
        "dependency_cycle",
        r"^Cycle: (?P<chain>.+)",
        "These depend on one another in a circle, so that none can come first: {members}.",
        "Break the cycle: remove one of the references between them (circular dependency), or move what both need into"
        " a"
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
        r'(?:managed|data|ephemeral) resource "(?P<type>[^"]+)" "(?P<name>[^"]+)" has not been declared'
        + _DID_YOU_MEAN,
        "{type}.{name} is used at {where} but is not declared in that module.",
        "Correct the name[[: did you mean {type}.{nearest}?]] or add the resource; a typo or a rename is the usual"
        " reason"
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
        "Add for_each (for each.*) or count (for count.index) to the block, or remove the reference; it is undeclared"
        " here.",
    ),
    Rule(
        "unknown_reference",
        r"^(?:Reference to undeclared|Invalid reference|Unknown variable|Unknown reference|Invalid \"self\" reference"
        r"|Undeclared)",
        "{where} refers to something that is not declared: {code} ({sentence})",
        "Correct the name (check for a typo), or declare what is missing: {sentence}.",
    ),
)
