"""Which pattern a request chooses, what it fills in, and what every pattern has in common."""

import re
from pathlib import Path

import pytest

from tfai_jupyter.models.patterns import PATTERNS, choose, files

BY_NAME = {pattern.name: pattern for pattern in PATTERNS}
TEXTS = [
    "",
    'services named "a", worker-with-a-very-long-name & x in staging over two zones with five nodes, ca-central-1',
]

CHOSEN = {
    # What the panel offers.
    "EKS cluster with IRSA": "aws_eks",
    "AKS cluster with workload identity": "azure_aks",
    "GKE cluster with Workload Identity": "google_gke",
    "Multi-account AWS structure": "aws_accounts",
    "S3 bucket": "aws_bucket",
    "VPC over three zones": "aws_vpc",
    "IAM roles for EKS nodes": "aws_eks_roles",
    "Workspaces for environments": "workspaces",
    "Reusable module structure": "module",
    # The same in other words.
    "Generate an EKS cluster with IRSA": "aws_eks",
    "a production Kubernetes cluster on AWS in eu-west-1": "aws_eks",
    "EKS cluster with IAM roles for its nodes": "aws_eks",
    "EKS in a VPC with private subnets over three zones": "aws_eks",
    "a private VPC with an EKS cluster": "aws_eks",
    "a VPC for an EKS cluster": "aws_vpc",
    "IRSA: IAM role of a service on EKS": "aws_eks_roles",
    "Create a private AWS VPC with public and private subnets": "aws_vpc",
    "create an s3 bucket named logs-archive with versioning and encryption": "aws_bucket",
    "S3 bucket that deletes old versions after 90 days": "aws_bucket",
    "an AWS bucket for example data": "aws_bucket",
    "two hardened EC2 instances in a VPC": "aws_instance",
    "an AWS VM without public address": "aws_instance",
    "AWS Organizations with an account per team": "aws_accounts",
    "a landing zone": "aws_accounts",
    "kubernetes on azure": "azure_aks",
    "an Azure storage account named reports": "azure_storage",
    "blob storage with soft delete": "azure_storage",
    "k8s on gcp in europe-west3": "google_gke",
    "a GCS bucket": "google_bucket",
    "a bucket on Google Cloud, versioned": "google_bucket",
    "three services named api, worker and web": "services",
    "a service with two replicas on port 9000": "services",
    "an example with terraform_data": "services",
    "hello world": "services",
    "something with the built-in provider": "services",
    "a module called network with a root that calls it": "module",
    "one terraform workspace per environment, dev and prod": "workspaces",
}

NOTHING = [
    "",
    "hello",
    "mars rover telemetry",
    "write me a poem",
    "write me a poem about S3 buckets",
    "diagnose a failed apply",
    "Diagnose why my EKS apply fails",
    "fix corrupted or locked state",
    "Error: creating S3 bucket: BucketAlreadyExists",
    "explain the S3 bucket in main.tf",
    "destroy my VPC",
    "a bucket",
    "a kubernetes cluster",
    "an S3 bucket and an Azure storage account",
    "a PostgreSQL database in a VPC",
    "an IAM role for a Lambda function",
    "an IAM role for a person",
    "three services on AWS Fargate",
    "two AWS services",
    "a service account in Google Cloud",
    "a Cloudflare zone",
    "list the files of my workspace",
]


def blocks(text):
    """Yield the kind, labels, line above and text of each block at the top level of a formatted file."""
    for found in re.finditer(r'(?ms)^(?:(#[^\n]*)\n)?^(\w+)((?: "[^"]+")*) \{(?:\}|.*?^\})$', text):
        yield found.group(2), re.findall(r'"([^"]+)"', found.group(3)), found.group(1) or "", found.group()


def configurations():
    """Yield each directory of each pattern as its files put together, filled from a short and a busy request."""
    for pattern in PATTERNS:
        for number, text in enumerate(TEXTS):
            made = files(pattern, text)
            for folder in sorted({str(Path(path).parent) for path in made}):
                here = {path: content for path, content in made.items() if str(Path(path).parent) == folder}
                yield pytest.param(folder, here, id=f"{pattern.name}-{folder.replace('/', '-')}-{number}")


@pytest.mark.parametrize(("text", "name"), CHOSEN.items())
def test_a_request_chooses_its_pattern(text, name):
    """A request in everyday words finds the pattern that it means, however it is capitalised."""
    assert [name, name] == [choose(text).name, choose(text.upper()).name]


@pytest.mark.parametrize("text", NOTHING)
def test_what_does_not_fit_chooses_nothing(text):
    """A question, a trouble, two things at once, or a thing without a pattern gets none rather than a wrong one."""
    assert choose(text) is None


def test_every_pattern_is_chosen_by_its_own_title():
    """Whoever asks for a pattern by the title that we show gets it."""
    clouds = {"aws": "AWS", "azure": "Azure", "google": "Google"}
    titles = {pattern.name: f"{pattern.title} on {clouds.get(pattern.cloud, 'Terraform')}" for pattern in PATTERNS}

    assert {name: name for name in titles} == {name: choose(title).name for name, title in titles.items()}


def test_a_whole_that_does_not_hold_the_part_is_no_answer_to_it():
    """Every part that a pattern claims to contain is a pattern, too."""
    assert set() == {part for pattern in PATTERNS for part in pattern.includes} - set(BY_NAME)


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("text", TEXTS)
def test_the_same_request_gives_the_same_bytes(name, text):
    """Nothing random, no date: asking twice gives the same files, each complete."""
    made = files(BY_NAME[name], text)

    assert made == files(BY_NAME[name], text)
    assert {"main.tf", "variables.tf", "outputs.tf", "versions.tf"} <= made.keys()
    assert [] == [path for path, content in made.items() if "@@" in path + content or not content.endswith("}\n")]


def test_a_request_cannot_write_code():
    """Quotes, braces and templates in a name come out as letters and dashes."""
    text = 'a module named "x { } ${file(1)} @@region@@ ../../etc" for prod'
    made = files(BY_NAME["module"], text)

    assert ["main.tf", "modules/x-file-1-region-etc/main.tf"] == [path for path in made if path.endswith("main.tf")]
    assert 'default     = "x-file-1-region-etc"' in made["variables.tf"]


def test_names_of_services_replace_the_usual_ones():
    """The services are the ones that are named, in their order, with ports of their own."""
    variables = files(BY_NAME["services"], "two services named api and job-queue with 3 replicas, port 9000")[
        "variables.tf"
    ]

    assert (
        "    api       = { port = 9000, replicas = 3 }\n    job-queue = { port = 9001, replicas = 3 }\n  }" in variables
    )


@pytest.mark.parametrize(
    ("name", "text", "file", "line"),
    [
        ("aws_bucket", 'bucket "logs" in us-east-1', "variables.tf", 'default     = "us-east-1"'),
        ("aws_bucket", 'bucket "logs" in us-east-1', "variables.tf", 'default     = "logs"'),
        ("aws_bucket", "in europe-west1", "variables.tf", 'default     = "eu-central-1"'),
        ("aws_vpc", "over two zones", "variables.tf", "default     = 2"),
        ("aws_vpc", "over 40 zones", "variables.tf", "default     = 6"),
        ("aws_eks", "with five nodes in production", "variables.tf", "default     = 5"),
        ("aws_eks", "with five nodes in production", "variables.tf", 'default     = "prod"'),
        ("aws_instance", "three hardened servers", "variables.tf", "default     = 3"),
        ("aws_accounts", "accounts named shop and billing", "variables.tf", '    shop        = "workloads"'),
        ("azure_aks", "in West Europe", "variables.tf", 'default     = "westeurope"'),
        ("google_gke", "in europe-west3", "variables.tf", 'default     = "europe-west3"'),
        ("module", "module called network", "main.tf", 'module "network" {'),
        ("workspaces", "for dev and prod", "variables.tf", "    prod = { replicas = 3,"),
    ],
)
def test_what_a_request_says_is_filled_in(name, text, file, line):
    """Names, regions, counts and environments become defaults; a region of another cloud does not."""
    assert line in files(BY_NAME[name], text)[file]


@pytest.mark.parametrize(("folder", "made"), [*configurations()])
def test_every_block_is_explained(folder, made):
    """A comment stands above every resource, module, data source and check, in sections once there are several."""
    found = [block for content in made.values() for block in blocks(content)]
    main = made[str(Path(folder) / "main.tf")]

    assert [] == [
        labels for kind, labels, above, _ in found if kind not in {"variable", "output", "locals"} and not above
    ]
    assert main.startswith("# ")
    assert "\n# --- " in main


@pytest.mark.parametrize(("folder", "made"), [*configurations()])
def test_every_variable_and_output_is_described_and_used(folder, made):
    """Every variable has description, type, default and a use; every output a description; every local a use."""
    found = [block for content in made.values() for block in blocks(content)]
    variables = {labels[0]: text for kind, labels, _, text in found if kind == "variable"}
    others = "".join(text for kind, _, _, text in found if kind != "variable")
    locals_ = re.findall(r"(?m)^  (\w+) +=", "".join(text for kind, _, _, text in found if kind == "locals"))
    required = set() if folder == "." else {"name"}

    assert [] == [name for name, text in variables.items() if not re.search(r'\n  description += "[A-Z].*\."\n', text)]
    assert [] == [name for name, text in variables.items() if not re.search(r"\n  type += \w", text)]
    assert required == {name for name, text in variables.items() if not re.search(r"\n  default +=", text)}
    assert [] == [name for name in variables if not re.search(rf"\bvar\.{name}\b", others)]
    assert [] == [name for name in locals_ if not re.search(rf"\blocal\.{name}\b", others)]
    assert [] == [labels for kind, labels, _, text in found if kind == "output" and "\n  description = " not in text]


@pytest.mark.parametrize(("folder", "made"), [*configurations()])
def test_the_files_are_easy_to_read(folder, made):  # noqa: ARG001 - named for the report
    """Lines fit a screen, one blank line stands between blocks, and nothing is left to do."""
    text = "\n".join(made.values())

    assert [] == [line for line in text.splitlines() if len(line) > 120]
    assert [] == re.findall(r"(?m)^}\n(?!\n|\Z).+", "".join(f"{content}\n" for content in made.values()))
    assert "\n\n\n\n" not in text
    assert [] == re.findall(r"(?i)todo|fixme|changeme|lorem", text)
