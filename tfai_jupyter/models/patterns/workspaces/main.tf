# One configuration, one workspace for each environment: `terraform workspace new prod` begins one,
# `terraform workspace select prod` goes to it. Each has a state of its own.

locals {
  environment = terraform.workspace == "default" ? var.default_environment : terraform.workspace

  # Settings of this workspace; the ones of a workspace that nobody described do not matter, see the precondition.
  settings = lookup(var.environments, local.environment, { replicas = 1, size = "small", protected = true })

  tags = merge(var.tags, {
    environment = local.environment
    managed_by  = "terraform"
  })
}

# --- Application ---

# What differs between environments comes from their settings. Replace the built-in resource by your own.
resource "terraform_data" "application" {
  input = {
    name      = "${var.name}-${local.environment}"
    replicas  = local.settings.replicas
    size      = local.settings.size
    protected = local.settings.protected
    tags      = local.tags
  }

  lifecycle {
    precondition {
      condition     = contains(keys(var.environments), local.environment)
      error_message = "The workspace ${local.environment} has no entry in var.environments; select or describe one."
    }
  }
}

# --- Checks ---

# Warns, without stopping an apply, when production is less careful than it should be.
check "production_is_careful" {
  assert {
    condition     = local.environment != "prod" || (local.settings.protected && local.settings.replicas >= 2)
    error_message = "In production there should be at least two replicas, protected from deletion."
  }
}
