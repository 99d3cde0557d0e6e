# The module: one thing, built one way. Replace the built-in resource by what the module is for.

locals {
  # What a size means is decided here, once for all callers.
  capacity = { small = 1, medium = 2, large = 4 }[var.size]
}

# --- Resources ---

# What the module builds. Terraform's built-in resource stands for it, so that this applies anywhere.
resource "terraform_data" "this" {
  input = {
    name     = var.name
    capacity = local.capacity
    tags     = var.tags
  }
}
