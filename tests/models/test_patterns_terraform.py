"""What the real Terraform says of every pattern; clouds are stood for by providers that create nothing."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tfai_jupyter.models.patterns import PATTERNS, choose, files

MOCK = Path(__file__).parents[2].parent / "shared" / "tools" / "mock_provider" / "mock_provider.py"
PYTHON = os.environ.get("MOCK_PROVIDER_PYTHON", sys.executable)
BY_NAME = {pattern.name: pattern for pattern in PATTERNS}
BUILT_IN = [pattern.name for pattern in PATTERNS if pattern.cloud in {"", "local"}]
CLOUDS = [pattern.name for pattern in PATTERNS if pattern.name not in BUILT_IN]
BUSY = 'named "payments-and-more" in production over two zones with five nodes and three instances'

# Built from lists that the real service fills in on creation, and the stand-in leaves empty.
PLANNED_ONLY = {"aws_accounts", "aws_eks"}

pytestmark = pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not on PATH")


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    """Install the stand-ins for the clouds' providers; return Terraform's settings that find them."""
    if not MOCK.is_file():
        pytest.skip(f"{MOCK} is absent: no provider stands in for a cloud")
    needed = [PYTHON, "-c", "import tf, grpc, msgpack, cryptography"]
    if subprocess.run(needed, capture_output=True, check=False).returncode:
        pytest.skip(
            f"{PYTHON} lacks tf, grpcio, msgpack or cryptography; MOCK_PROVIDER_PYTHON may name one that has them"
        )
    folder = tmp_path_factory.mktemp("mirror")
    install = [PYTHON, str(MOCK), "install", "--mirror", str(folder), "--providers", "aws,azurerm,google"]
    subprocess.run(install, capture_output=True, check=True)
    return folder / "terraform.tfrc"


class Terraform:
    """Real commands in a directory, with nothing of this machine's own settings."""

    def __init__(self, folder, settings=None):
        """Work in a folder, with the settings file that finds the providers."""
        self.folder = folder
        empty = folder / "empty.tfrc"
        empty.write_text("disable_checkpoint = true\n")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TF_CLI_CONFIG_FILE": str(settings or empty),
            "TF_IN_AUTOMATION": "1",
        }

    def run(self, *arguments, code=0, **variables):
        """Run a command that ends with a code; return what it printed."""
        command = ["terraform", *arguments, "-no-color"]
        environment = self.environment | {f"TF_VAR_{name}": value for name, value in variables.items()}
        ended = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=100
        )
        assert (code, "") == (ended.returncode, ended.stderr), ended.stdout
        return ended.stdout

    def write(self, name, text=""):
        """Write the files of a pattern and initialise."""
        for path, content in files(BY_NAME[name], text).items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        self.run("fmt", "-check", "-diff", "-recursive")
        self.run("init", "-input=false")

    def outputs(self):
        """Return the outputs after an apply."""
        return {name: output["value"] for name, output in json.loads(self.run("output", "-json")).items()}


@pytest.mark.parametrize("text", ["", BUSY])
@pytest.mark.parametrize("name", BUILT_IN)
def test_a_pattern_without_a_cloud_applies_as_it_is(name, text, tmp_path):
    """It is formatted, valid, applied without an input, download or warning, and then nothing is left to change."""
    terraform = Terraform(tmp_path)
    terraform.write(name, text)
    printed = terraform.run("validate") + terraform.run("apply", "-auto-approve", "-input=false")

    assert "Warning" not in printed
    assert "No changes." in terraform.run("plan", "-input=false", "-detailed-exitcode")


@pytest.mark.slow
@pytest.mark.parametrize("name", CLOUDS)
def test_a_pattern_of_a_cloud_plans_and_applies(name, tmp_path, mirror):
    """It is formatted, fits the provider's schema, is planned without input, and applied where that can be tried."""
    terraform = Terraform(tmp_path, mirror)
    terraform.write(name)
    printed = terraform.run("validate") + terraform.run("plan", "-input=false", "-out=saved")
    assert "Warning" not in printed
    if name in PLANNED_ONLY:
        return
    terraform.run("apply", "saved")

    assert "No changes." in terraform.run("plan", "-input=false", "-detailed-exitcode")


@pytest.mark.slow
def test_roles_of_service_accounts_follow_the_issuer(tmp_path, mirror):
    """IRSA comes with the cluster's issuer: its provider, and a role with one policy for each service account."""
    terraform = Terraform(tmp_path, mirror)
    terraform.write("aws_eks_roles")

    assert "Plan: 6 to add" in terraform.run("plan", "-input=false")
    assert "Plan: 11 to add" in terraform.run("plan", "-input=false", oidc_issuer="https://oidc.example.com/id/1")


def test_the_services_of_the_request_are_running(tmp_path):
    """The quickstart's request gives services of these names, with ports of their own."""
    request = "three services named api, worker and web"
    terraform = Terraform(tmp_path)
    terraform.write(choose(request).name, request)
    terraform.run("apply", "-auto-approve", "-input=false")
    outputs = terraform.outputs()

    assert {name: f"demo-dev-{name}" for name in ("api", "worker", "web")} == outputs["service_names"]
    assert "demo-dev-worker:8081" == outputs["endpoints"]["worker"]
    assert 6 == outputs["replicas"]


def test_a_release_token_leaves_no_trace(tmp_path):
    """The token is used, checked, and neither printed nor kept in the state."""
    token = "a-token-that-nobody-may-see"  # noqa: S105 - made up
    terraform = Terraform(tmp_path)
    terraform.write("services")
    printed = terraform.run("apply", "-auto-approve", "-input=false", release_token=token)

    assert "authorised = true" in " ".join(printed.split())
    assert token not in printed + (tmp_path / "terraform.tfstate").read_text()


@pytest.mark.parametrize(
    ("name", "variables", "told"),
    [
        ("services", {"environment": "test"}, "must be dev, staging or prod"),
        ("services", {"release_token": "short"}, "at least 16 characters"),
        ("services", {"services": "{a={port=8080},b={port=8080}}"}, "a port of its own"),
        ("services", {"services": "{a={port=80}}"}, "between 1024 and 65535"),
        ("module", {"instances": '{a={size="huge"}}'}, "small, medium or large"),
        ("workspaces", {"default_environment": "test"}, "no entry in var.environments"),
    ],
)
def test_a_wrong_input_is_refused_in_words(name, variables, told, tmp_path):
    """Validation says what is wrong before anything changes."""
    terraform = Terraform(tmp_path)
    terraform.write(name)
    command = ["terraform", "plan", "-input=false", "-no-color"]
    environment = terraform.environment | {f"TF_VAR_{key}": value for key, value in variables.items()}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert 1 == ended.returncode
    assert told in " ".join(ended.stderr.replace("│", " ").split())


def test_a_workspace_brings_its_settings(tmp_path):
    """The same configuration gives production what production needs."""
    terraform = Terraform(tmp_path)
    terraform.write("workspaces", "workspaces for dev and prod")
    terraform.run("workspace", "new", "prod")
    terraform.run("apply", "-auto-approve", "-input=false")

    assert {"replicas": 3, "size": "medium", "protected": True} == terraform.outputs()["settings"]
