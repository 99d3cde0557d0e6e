"""Starter patterns of the offline expert: configurations that are complete, chosen by words, filled from a request.

The table says what there is; the files stand below `patterns/` and are read when asked for. `@@name@@` marks what
a request may set: HCL has no such sign.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .wishes import ENVIRONMENTS, Wish

Cloud = Literal["", "local", "aws", "azure", "google"]

FOLDER = Path(__file__).with_name("patterns")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One kind of configuration, and the words that ask for it.

    `needs` are words of which one must stand beside a keyword; `includes` names patterns that this one contains;
    `called` is the name of its resources where the request gives none.
    """

    name: str
    title: str
    keywords: tuple[str, ...]
    summary: str
    cloud: Cloud = ""
    needs: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    called: str = "example"

    def fits(self, words: str, clouds: set[str]) -> bool:
        """Tell whether a text asks for this, and for no other cloud."""
        is_elsewhere = bool(clouds and self.cloud and self.cloud not in clouds)
        is_supported = not self.needs or any(f" {word} " in words for word in self.needs)
        return not is_elsewhere and is_supported and self.place(words) < len(words)

    def place(self, words: str) -> int:
        """Return where the first keyword stands, the end of the text when there is none."""
        places = (words.find(_words(keyword)) for keyword in self.keywords)
        return min((place for place in places if place >= 0), default=len(words))


PATTERNS: tuple[Pattern, ...] = (
    Pattern(
        name="services",
        title="Services without a cloud",
        keywords=(
            "service",
            "terraform_data",
            "built-in",
            "example",
            "hello world",
            "hello terraform",
            "local resource",
        ),
        summary="Named services with ports and replicas on Terraform's built-in resource; applies anywhere.",
        cloud="local",
        called="demo",
    ),
    Pattern(
        name="aws_bucket",
        title="S3 bucket",
        keywords=("s3", "bucket"),
        summary="A private bucket: versioned, encrypted, public access blocked, TLS only, access logged.",
        cloud="aws",
    ),
    Pattern(
        name="aws_vpc",
        title="VPC over several zones",
        keywords=("vpc", "aws network", "virtual private cloud"),
        summary="Public and private subnets in each zone, NAT, an emptied default security group, encrypted flow logs.",
        cloud="aws",
    ),
    Pattern(
        name="aws_eks_roles",
        title="IAM roles for EKS",
        keywords=("iam", "irsa role", "node role"),
        summary="Least-privilege roles for the control plane, the nodes and (IRSA) the service accounts of pods.",
        cloud="aws",
        needs=("eks", "irsa"),
    ),
    Pattern(
        name="aws_instance",
        title="Hardened EC2 instances",
        keywords=("ec2", "aws instance", "aws vm", "aws virtual machine", "aws server"),
        summary="Instances without public address or SSH: IMDSv2, encrypted disks, Session Manager.",
        cloud="aws",
        includes=("aws_vpc",),
    ),
    Pattern(
        name="aws_accounts",
        title="Multi-account AWS structure",
        keywords=("multi account", "multiple account", "account structure", "aws organization", "landing zone"),
        summary="Organizational units, an account for each concern, guard rails (SCP) and one encrypted audit trail.",
        cloud="aws",
    ),
    Pattern(
        name="aws_eks",
        title="EKS cluster with IRSA",
        keywords=("eks", "kubernetes", "k8s"),
        summary="A private cluster with its VPC, encrypted secrets, and IAM roles for service accounts (IRSA).",
        cloud="aws",
        includes=("aws_vpc",),
    ),
    Pattern(
        name="azure_aks",
        title="AKS cluster with workload identity",
        keywords=("aks", "kubernetes", "k8s"),
        summary="A private cluster: Entra for people, workload identity for pods, policies, logs, no local accounts.",
        cloud="azure",
    ),
    Pattern(
        name="azure_storage",
        title="Azure storage account",
        keywords=("storage account", "blob storage", "azure storage", "blob container"),
        summary="An account without keys or public blobs: closed network, versions, soft delete, logs, a lock.",
        cloud="azure",
        called="data",
    ),
    Pattern(
        name="google_gke",
        title="GKE cluster with Workload Identity",
        keywords=("gke", "kubernetes", "k8s"),
        summary="A regional cluster of private, shielded nodes with few rights, and Workload Identity for pods.",
        cloud="google",
    ),
    Pattern(
        name="google_bucket",
        title="Cloud Storage bucket",
        keywords=("gcs", "bucket", "cloud storage"),
        summary="A private bucket: no ACLs, never public, versioned, encrypted with its own key, access logged.",
        cloud="google",
    ),
    Pattern(
        name="module",
        title="Reusable module and its caller",
        keywords=("module",),
        summary="A module with checked inputs and described outputs, and a root that calls it once for each entry.",
        called="component",
    ),
    Pattern(
        name="workspaces",
        title="Workspaces for environments",
        keywords=("workspace",),
        summary="One configuration whose settings follow the selected workspace, and that refuses an unknown one.",
        needs=("environment", "dev", "staging", "prod", "terraform"),
        called="app",
    ),
)

_CLOUDS = {
    "aws": ("aws", "amazon", "eks", "ec2", "s3", "irsa"),
    "azure": ("azure", "azurerm", "aks", "entra"),
    "google": ("gcp", "google", "gke", "gcs"),
}
_REGIONS = {"aws": "eu-central-1", "azure": "westeurope", "google": "europe-west1"}

# About something that exists already: nothing is to be generated.
_TROUBLE = re.compile(
    r" (?:corrupt|corrupted|diagnose|error|fail|failed|failing|failure|locked|poem|stuck|troubleshoot|unlock|why) "
    r"|^ (?:please )?(?:delete|destroy|explain|fix|import|list|migrate|refactor|remove|repair|review|show|upgrade) "
)
# There is no pattern for these; one for the words around them would be half an answer.
_FOREIGN = re.compile(
    r" (?:alb|apprunner|aurora|bigquery|cloudflare|cloudfront|cloudsql|cognito|cosmosdb|database|documentdb|dynamodb"
    r"|ecs|efs|elasticache|fargate|firestore|github|gitlab|kafka|kinesis|lambda|lightsail|mongodb|mysql|opensearch"
    r"|postgres|postgresql|pubsub|rds|redis|redshift|route53|sagemaker|snowflake|sns|spanner|sqs|vsphere"
    r"|api gateway|cloud run|cosmos db|service (?:account|bus|control|mesh|principal)) "
)


def choose(text: str) -> Pattern | None:
    """Return the pattern that a request asks for; None where none fits, or two fit alike: no guessing.

    What is asked for stands first in English: "roles for a cluster", "a cluster with roles".
    """
    words = _words(text)
    clouds = {cloud for cloud, signs in _CLOUDS.items() if any(f" {sign} " in words for sign in signs)}
    if len(clouds) > 1 or _TROUBLE.search(words) or _FOREIGN.search(words):
        return None
    fitting = [pattern for pattern in PATTERNS if pattern.fits(words, clouds)]
    # A cloud's pattern says more than a general one.
    fitting = [pattern for pattern in fitting if pattern.cloud in _CLOUDS] or fitting
    if not fitting:
        return None
    places = [pattern.place(words) for pattern in fitting]
    first = min(places)
    if places.count(first) > 1:
        return None
    chosen = fitting[places.index(first)]
    whole = [pattern for pattern in fitting if chosen.name in pattern.includes]
    return whole[0] if whole and " for " not in words[first : whole[0].place(words)] else chosen


def files(pattern: Pattern, text: str) -> dict[str, str]:
    """Return the files of a pattern, path to content, with what the request says filled in."""
    values = _values(pattern, Wish(text))
    folder = FOLDER / pattern.name
    paths = sorted(path for path in folder.rglob("*.tf") if path.is_file())
    return {
        _filled(path.relative_to(folder).as_posix(), values): _filled(path.read_text(encoding="utf-8"), values)
        for path in paths
    }


def _words(text: str) -> str:
    """Return the words of a text, in lower case and singular, with a blank on each side."""
    words = re.findall(r"[a-z0-9][a-z0-9_]*", text.lower().replace("for example", ""))
    return f" {' '.join(_singular(word) for word in words)} "


def _singular(word: str) -> str:
    """Take the plural's s from a word, but not from abbreviations such as EKS."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _filled(template: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        template = template.replace(f"@@{name}@@", value)
    return template


def _values(pattern: Pattern, wish: Wish) -> dict[str, str]:
    """Return what a template may ask for."""
    environments = wish.environments()
    return {
        "name": next(iter(wish.names()), pattern.called),
        "environment": environments[0] if len(environments) == 1 else "dev",
        "region": wish.region(pattern.cloud) or _REGIONS.get(pattern.cloud, ""),
        "zones": str(wish.count("zones?|availability zones?|azs?|subnets?", 2, 6) or 3),
        "nodes": str(wish.count("nodes?|workers?|instances?", 1, 50) or 2),
        "instances": str(wish.count("instances?|servers?|vms?|machines?", 1, 20) or 1),
        "accounts": _accounts(wish),
        "services": _services(pattern, wish),
        "first_environment": (environments or ENVIRONMENTS)[0],
        "environment_settings": _settings(environments if len(environments) > 1 else ENVIRONMENTS),
    }


def _services(pattern: Pattern, wish: Wish) -> str:
    """Return the entries of a map of services, aligned as `terraform fmt` does."""
    count = wish.count("services?", 1, 20)
    names = [*wish.names()][: count or None]
    usual = ("api", "worker", "web") if not names else ()
    names += [name for name in usual if name not in names][: (count or 3) - len(names)]
    names += [f"{pattern.called}-{number}" for number in range(len(names) + 1, (count or 0) + 1)]
    width, port = max(map(len, names)), wish.port() or 8080
    replicas = wish.count("replicas?|copies|instances?", 1, 10) or 2
    return "\n".join(
        f"    {name.ljust(width)} = {{ port = {port + place}, replicas = {replicas} }}"
        for place, name in enumerate(names)
    )


def _accounts(wish: Wish) -> str:
    """Return the entries of a map of accounts to their units; the names that are asked for are workloads."""
    names = wish.names() or wish.environments() or ENVIRONMENTS
    units = {"log-archive": "security", "security": "security", "network": "infrastructure"}
    units |= {name: units.get(name, "workloads") for name in names}
    width = max(map(len, units))
    return "\n".join(f'    {name.ljust(width)} = "{unit}"' for name, unit in units.items())


def _settings(environments: tuple[str, ...]) -> str:
    """Return the entries of a map of environments to their settings: the nearer to production, the more careful."""
    settings = {
        "dev": 'replicas = 1, size = "small", protected = false',
        "staging": 'replicas = 2, size = "small", protected = false',
        "prod": 'replicas = 3, size = "medium", protected = true',
    }
    width = max(map(len, environments))
    return "\n".join(f"    {name.ljust(width)} = {{ {settings[name]} }}" for name in environments)
