# The root: it decides what is built, how often and under which name; how it is built is the module's matter.

locals {
  tags = merge(var.tags, {
    environment = var.environment
    managed_by  = "terraform"
  })
}

# --- Instances ---

# The module, once for each entry of the map. Another root calls it in the same way, by path or by its repository.
module "@@name@@" {
  source   = "./modules/@@name@@"
  for_each = var.instances

  name = "${var.name}-${var.environment}-${each.key}"
  size = each.value.size
  tags = local.tags
}
