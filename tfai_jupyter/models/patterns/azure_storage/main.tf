# An Azure storage account: no keys, no public blobs, TLS 1.2, closed network, everything recoverable and logged.

locals {
  prefix = "${var.name}-${var.environment}"

  # Names of accounts are unique over all of Azure: the subscription makes the suffix, always the same one.
  suffix       = substr(sha1(data.azurerm_subscription.current.subscription_id), 0, 8)
  account_name = "${substr("st${replace(local.prefix, "-", "")}", 0, 16)}${local.suffix}"

  tags = merge(var.tags, {
    environment = var.environment
    managed_by  = "terraform"
  })
}

# The subscription in which all this is built.
data "azurerm_subscription" "current" {}

# --- Group ---

# Holds everything below, so that it can be found, and removed, together.
resource "azurerm_resource_group" "this" {
  name     = "rg-${local.prefix}-storage"
  location = var.region
  tags     = local.tags
}

# --- Account ---

# The account. Whoever reads or writes does so with an identity and a role, never with a key.
resource "azurerm_storage_account" "this" {
  name                = local.account_name
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = local.tags

  account_kind             = "StorageV2"
  account_tier             = "Standard"
  account_replication_type = var.replication

  https_traffic_only_enabled        = true
  min_tls_version                   = "TLS1_2"
  infrastructure_encryption_enabled = true
  shared_access_key_enabled         = false
  default_to_oauth_authentication   = true
  allow_nested_items_to_be_public   = false
  cross_tenant_replication_enabled  = false
  local_user_enabled                = false

  network_rules {
    default_action             = "Deny"
    bypass                     = ["AzureServices"]
    ip_rules                   = var.allowed_ip_ranges
    virtual_network_subnet_ids = var.allowed_subnet_ids
  }

  blob_properties {
    versioning_enabled  = true
    change_feed_enabled = true

    delete_retention_policy {
      days = var.retention_days
    }

    container_delete_retention_policy {
      days = var.retention_days
    }
  }

  identity {
    type = "SystemAssigned"
  }
}

# Containers whose blobs nobody reads without an identity.
resource "azurerm_storage_container" "this" {
  for_each = var.containers

  name                  = each.key
  storage_account_id    = azurerm_storage_account.this.id
  container_access_type = "private"
}

# Old versions move to cheaper storage, and go when their time is over.
resource "azurerm_storage_management_policy" "this" {
  storage_account_id = azurerm_storage_account.this.id

  rule {
    name    = "expire-versions"
    enabled = true

    filters {
      blob_types = ["blockBlob"]
    }

    actions {
      version {
        delete_after_days_since_creation = var.retention_days
      }

      snapshot {
        delete_after_days_since_creation_greater_than = var.retention_days
      }
    }
  }
}

# Nobody deletes the account by mistake: the lock has to go first.
resource "azurerm_management_lock" "this" {
  count = var.lock ? 1 : 0

  name       = "keep"
  scope      = azurerm_storage_account.this.id
  lock_level = "CanNotDelete"
  notes      = "Holds data; remove this lock before deleting the account."
}

# --- Logs ---

# Holds the logs.
resource "azurerm_log_analytics_workspace" "this" {
  name                = "log-${local.prefix}-storage"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  sku                 = "PerGB2018"
  retention_in_days   = 90
  tags                = local.tags
}

# Every read, write and deletion of a blob is logged.
resource "azurerm_monitor_diagnostic_setting" "blob" {
  name                       = "audit"
  target_resource_id         = "${azurerm_storage_account.this.id}/blobServices/default"
  log_analytics_workspace_id = azurerm_log_analytics_workspace.this.id

  enabled_log {
    category = "StorageRead"
  }

  enabled_log {
    category = "StorageWrite"
  }

  enabled_log {
    category = "StorageDelete"
  }
}
