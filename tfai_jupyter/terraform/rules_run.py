"""Rules for what happens while a sound configuration is planned or applied: conditions, provisioners, clouds."""

from __future__ import annotations

from .clues import assigned, both, configured, permission, service, subject, variable
from .rules import Rule

CREDENTIALS = (
    Rule(
        "cloud_credentials_expired",
        r"Expired ?Token|RequestExpired|(?:token|session|credentials?|secret|keys?)\b[^.\n]{0,60} (?:has |have |is "
        r"|are )?expired|expired"
        r" (?:token|credentials|session)|AADSTS(?:700082|50173|70043|700084|7000222)|invalid_grant|invalid_rapt|reauth"
        r"|InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient|SignatureDoesNotMatch|security token included in"
        r" the"
        r" request is invalid|AuthFailure",
        "The cloud credentials are expired or no longer valid: {summary}.",
        "Log in again to get fresh ones (e.g. `aws sso login`, `az login`, `gcloud auth application-default login`), or"
        " renew the session token in the environment, then run again.",
        clue=configured,
    ),
    Rule(
        "cloud_credentials_missing",
        r"No valid credential sources|no EC2 IMDS role|could not find default credentials|NoCredentialProviders|Unable"
        r" to"
        r" locate credentials|application default credentials|az login|Azure CLI|unable to build authorizer|could not"
        r" configure \w+ Authori[sz]er|no (?:suitable )?credentials|Missing credentials|credentials? (?:not|were not)"
        r" found"
        r"|subscription[_ ]?id.* (?:required|could not be determined)|failed to (?:get|refresh) (?:shared|cached)"
        r" (?:config|credentials)|Invalid provider configuration.*credential",
        "The provider[[ {provider}]] found no cloud credentials: {summary}.",
        "Give it some in the environment: AWS_PROFILE or AWS_ACCESS_KEY_ID (after `aws configure sso`), `az login` or"
        " ARM_*, `gcloud auth application-default login` or GOOGLE_APPLICATION_CREDENTIALS.",
        clue=configured,
    ),
)

FILES = (
    Rule(
        "file_not_found",
        r"(?:open|stat|read|lstat) (?P<path>[^\s:]+): (?:no such file|The system cannot find)",
        "The file {path} does not exist; {where} reads it.",
        "Create the file {path}, or correct the path: it is relative to where Terraform runs, so begin it with"
        " ${path.module}/.",
    ),
)

CLOUD = (
    Rule(
        "cloud_api_disabled",
        r"(?:^|[ :])(?P<service>[A-Z][\w ]+ API) has not been used in project (?P<project>\S+)|SERVICE_DISABLED"
        r"|accessNotConfigured|is not registered to use namespace '(?P<namespace>[^']+)'"
        r"|MissingSubscriptionRegistration"
        r"|OptInRequired|SubscriptionRequiredException|API .{0,40}(?:is disabled|not enabled)",
        "A service that {where} needs is not switched on[[: {service} in project {project}]][[: {namespace}]].",
        "Enable the API: `gcloud services enable {host}`, or a google_project_service resource that"
        " this"
        " one depends on[[; in Azure: az provider register --namespace {namespace}]]. Then wait a few minutes and run"
        " again.",
        clue=both(subject, service),
    ),
    Rule(
        "cloud_throttled",
        r"Throttl|Rate ?(?:limit)? ?exceeded|rateLimitExceeded|TooManyRequests|Too Many Requests|RequestLimitExceeded"
        r"|SlowDown|PriorRequestNotComplete|ProvisionedThroughputExceeded|StatusCode[:=] ?429|Error 429|requests per"
        r" minute",
        "The cloud refused {where} because too many requests came at once (rate limit): {summary}.",
        "Run again; with fewer at a time, e.g. -parallelism=3, or with more retries in the provider block"
        " (max_retries).",
        clue=subject,
    ),
    Rule(
        "cloud_capacity",
        r"InsufficientInstanceCapacity|ZONE_RESOURCE_POOL_EXHAUSTED|AllocationFailed|SkuNotAvailable|does not have"
        r" enough"
        r" (?:resources|capacity)",
        "The cloud has no capacity left for what {where} asks for: {summary}.",
        "Choose another zone, region or size, or try again later; a higher quota does not help.",
        clue=subject,
    ),
    Rule(
        "cloud_quota_exceeded",
        r"\w*LimitExceeded|Quota ?Exceeded|quota\b.{0,80}\bexceed|exceed\w*\b.{0,80}\bquota|maximum number of"
        r"|LimitExceeded"
        r"|TooManyBuckets|exceeding approved|limit (?:of \d+ )?(?:has been |was )?(?:reached|exceeded)"
        r"|RESOURCE_EXHAUSTED",
        "{where} would exceed a quota (limit) of the cloud account: {summary}.",
        "Request an increase of that quota, delete what is not needed, or ask for fewer.",
        clue=subject,
    ),
    Rule(
        "cloud_access_denied",
        r"Access ?Denied|UnauthorizedOperation|Unauthorized ?Access|not authorized to perform:?"
        r" ?(?P<aws>[\w-]+:[\w*]+)?"
        r"|AuthorizationFailed|does not have authorization to perform action '(?P<azure>[^']+)'"
        r"|Permission '?(?P<google>[\w.]+)'? (?:denied|on)|Required '?(?P<needed>[\w.]+)'? permission|PERMISSION_DENIED"
        r"|googleapi: Error 403|Error 403[: ]|StatusCode[:=] ?403|LinkedAuthorizationFailed|RequestDisallowedByPolicy"
        r"|Forbidden\b|explicit deny|insufficient (?:privileges|permissions)|not authorized",
        "The identity that runs Terraform may not do this at {where}[[: {action} is missing]]. {summary}.",
        "Add a policy that allows the permission[[ {action}]] to that identity, or run as one that has it; an explicit"
        " deny"
        " (service control policy, permission boundary) must be lifted first.",
        clue=both(subject, permission),
    ),
    Rule(
        "cloud_dependency_violation",
        r"DependencyViolation|has a dependent object|BucketNotEmpty|DeleteConflict|InUse\b|\bin use\b|ResourceInUse"
        r"|InUseBy"
        r"|still contains|is (?:being|currently) used|being used by|RepositoryNotEmpty|must (?:be empty|delete|remove"
        r"|detach)"
        r"|not empty|non-empty|CannotBeDeleted|cannot be deleted (?:because|since|while)|NestedResource|attached to"
        r"|containing objects",
        "{where} cannot be deleted because something else still uses or fills it (it is in use): {summary}.",
        "Find what depends on it, e.g. a network interface (ENI), instance or object that is still attached, and"
        " remove or"
        " detach that first; then run again.",
        clue=subject,
    ),
    Rule(
        "cloud_already_exists",
        r"Already ?Exists?|AlreadyOwned|already (?:exists?|in use by|taken)|alreadyExists|NameTaken|AlreadyTaken"
        r"|\w+\.Duplicate\b|Duplicate\w*Exception|QueueNameExists|RoleAssignmentExists|name is not available|Error 409"
        r"|ConflictException|already been (?:taken|used)",
        "What {where} would create already exists, or its name is taken: {summary}.",
        "Choose another, unique name; or take what exists over: terraform import[[ {base}]] ID, or an import block.",
        clue=subject,
    ),
    Rule(
        "ambiguous_lookup",
        r"returned more than one|multiple .{0,40} matched|more than one .{0,40} (?:found|matched)",
        "The lookup at {where} finds more than one match: {summary}.",
        "Narrow the filter, or add most_recent = true where the data source has it.",
        clue=subject,
    ),
    Rule(
        "cloud_not_found",
        r"Not ?Found\b|NoSuch\w+|returned no results|no matching|couldn't find|could not find|was not found|not found"
        r"|empty result|does not exist|Error 404|StatusCode[:=] ?404|\bnotFound\b|no .{0,60} (?:matched|found)",
        "The lookup at {where} found nothing: {summary}.",
        "Check name, id, region, owner and filter of what it looks for: no result matches them. If it was deleted"
        " outside"
        " Terraform, `terraform plan -refresh-only` shows that.",
        clue=subject,
    ),
    Rule(
        "cloud_timeout",
        r"timeout while waiting|deadline exceeded|timed out|\btimeout\b|did not become",
        "The cloud took longer at {where} than it was given (timeout): {summary}.",
        "Look at the object in the cloud: it may still come up. Raise the time in a timeouts block of the resource (a"
        " longer"
        " create, update or delete), then run again.",
        clue=subject,
    ),
)

INTERRUPTS = (
    Rule(
        "interrupted",
        r"^Interrupt received|^execution halted|^operation canceled|context canceled|signal: (?:killed|interrupt"
        r"|terminated)",
        "The run was interrupted before its end[[ while it worked on {address}]].",
        "Look whether something waited for what never came (a hang, a missing timeout). Then run `terraform plan`"
        " again: the"
        " state holds what was done, and what was unfinished is tainted or missing.",
        clue=subject,
    ),
)

CONDITIONS = (
    Rule(
        "prevent_destroy",
        r"^(?:Resource )?instance cannot be destroyed(?:.*?Resource (?P<subject>\S+) has)?|lifecycle\.prevent_destroy",
        "The plan would destroy[[ {subject}]], which has prevent_destroy set.",
        "Undo the change that makes it a replacement (such as triggers_replace or another argument that forces it),"
        " or, if"
        " destroying is right, remove prevent_destroy first.",
        "{subject}",
        assigned("prevent_destroy"),
    ),
    Rule(
        "missing_variable",
        r'^No value for required variable(?:.*?variable "(?P<name>[^"]+)")?|variable "(?P<other>[^"]+)" is not set',
        "The variable {where} has no value and no default.",
        "Give one: -var '{name}{other}=...', a line `{name}{other} = ...` in terraform.tfvars, TF_VAR_{name}{other} in"
        " the"
        " environment, or a default.",
    ),
    Rule(
        "variable_validation",
        r"^Invalid value for variable(?:.*?validation rule at (?P<rule>[^ ,]+:\d+))?|checked by the validation rule",
        "The value at {where} breaks the variable's validation rule[[ at {rule}]][[ ({values})]]: {sentence}.",
        "Give a value that meets the rule: {sentence}.",
        clue=variable,
    ),
    Rule(
        "postcondition_failed",
        r"postcondition failed",
        "The postcondition at {where} is not met: {code}[[ ({values})]]. {sentence}.",
        "Change what the condition looks at so that it holds, or correct the postcondition.",
    ),
    Rule(
        "precondition_failed",
        r"precondition failed",
        "The precondition at {where} is not met: {code}[[ ({values})]]. {sentence}.",
        "Change the values so that the condition holds, or correct the precondition.",
    ),
    Rule(
        "provider_inconsistent_result",
        r"^Provider (?:produced|returned|bug)[^\n]*\n(?:.*?(?:changes to|plan for|value for|creating|configuration for)"
        r" (?P<subject>[\w.\[\]\"-]+?)\.?[, ])?",
        "The provider contradicted its own plan at {subject}: {sentence}.",
        "This is a bug of the provider, not of your configuration: run again, upgrade the provider, and if it stays"
        " report"
        " it to the provider with this output.",
        "{subject}",
        subject,
    ),
    Rule(
        "provider_crashed",
        r"^(?:Plugin did not respond|Request cancelled|Failed to (?:load|instantiate) (?:plugin|provider)|Plugin error"
        r"|The terraform-provider-\S+ plugin crashed)",
        "The provider's process ended unexpectedly: {sentence}.",
        "Run again, upgrade the provider, and report the crash with its output to the provider if it stays.",
        clue=subject,
    ),
)

PROVISIONERS = (
    Rule(
        "provisioner_failed",
        r"provisioner error|^Error running command|^Failed to (?:run|upload) (?:provisioner|script)|timeout - last"
        r" error:"
        r" (?:dial|SSH)",
        "A provisioner of {where} failed: {detail}",
        "Correct what the command needs, then apply again: the resource is tainted and will be replaced (or `terraform"
        " untaint` it if it is sound).",
    ),
)

AFTERMATH = (
    Rule(
        "check_failed",
        r"^(?:Check block assertion failed|Test assertion failed)",
        "The check {where} does not hold: {code}[[ ({values})]]. {sentence}.",
        "Correct what the check looks at. A failed check is a warning: it does not stop plan or apply.",
        severities=("warning", "error"),
    ),
    Rule(
        "tainted_resource",
        r"^Resource is tainted",
        "{where} is tainted: an earlier run failed while it was created, so it must be replaced.",
        "Let the next apply replace it, or keep it with `terraform untaint {address}` if it is sound.",
        clue=subject,
        severities=("warning",),
    ),
)
