# Services on Terraform's built-in resource: it needs no cloud, no account and no download.

locals {
  prefix = "${var.name}-${var.environment}"

  tags = merge(var.tags, {
    environment = var.environment
    managed_by  = "terraform"
  })

  # Whether a token was given is no secret; the token itself reaches neither a resource nor the state.
  authorised = nonsensitive(var.release_token != null)
}

# --- Services ---

# One service per entry of the map: to add or remove one leaves the others as they are.
resource "terraform_data" "service" {
  for_each = var.services

  input = {
    name       = "${local.prefix}-${each.key}"
    port       = each.value.port
    replicas   = each.value.replicas
    authorised = local.authorised
    tags       = local.tags
  }
}

# --- Checks ---

# Warns, without stopping an apply, when production could not survive the loss of one replica.
check "production_is_redundant" {
  assert {
    condition     = var.environment != "prod" || alltrue([for service in var.services : service.replicas >= 2])
    error_message = "In production each service should have at least two replicas."
  }
}
