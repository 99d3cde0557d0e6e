# An AKS cluster: private API, no local accounts, Entra for people, workload identity for pods, policies and logs on.

locals {
  prefix = "${var.name}-${var.environment}"

  tags = merge(var.tags, {
    environment = var.environment
    managed_by  = "terraform"
  })
}

# Who runs this, to name the tenant.
data "azurerm_client_config" "current" {}

# --- Group ---

# Holds everything below, so that it can be found, and removed, together.
resource "azurerm_resource_group" "this" {
  name     = "rg-${local.prefix}-aks"
  location = var.region
  tags     = local.tags
}

# --- Network ---

# The cluster's network.
resource "azurerm_virtual_network" "this" {
  name                = "vnet-${local.prefix}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  address_space       = [var.cidr]
  tags                = local.tags
}

# The nodes' subnet.
resource "azurerm_subnet" "nodes" {
  name                 = "snet-nodes"
  resource_group_name  = azurerm_resource_group.this.name
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = [cidrsubnet(var.cidr, 4, 0)]
}

# The one public address from which the cluster reaches the internet.
resource "azurerm_public_ip" "nat" {
  name                = "pip-${local.prefix}-nat"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  allocation_method   = "Static"
  sku                 = "Standard"
  tags                = local.tags
}

# Lets nodes reach the internet, and nobody reach them.
resource "azurerm_nat_gateway" "this" {
  name                = "ng-${local.prefix}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  sku_name            = "Standard"
  tags                = local.tags
}

# Gives the gateway its address.
resource "azurerm_nat_gateway_public_ip_association" "this" {
  nat_gateway_id       = azurerm_nat_gateway.this.id
  public_ip_address_id = azurerm_public_ip.nat.id
}

# Sends the nodes' traffic through the gateway.
resource "azurerm_subnet_nat_gateway_association" "nodes" {
  subnet_id      = azurerm_subnet.nodes.id
  nat_gateway_id = azurerm_nat_gateway.this.id
}

# --- Cluster ---

# The identity with which the control plane acts.
resource "azurerm_user_assigned_identity" "cluster" {
  name                = "id-${local.prefix}-aks"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = local.tags
}

# The control plane may use the network, and nothing else.
resource "azurerm_role_assignment" "network" {
  scope                = azurerm_virtual_network.this.id
  role_definition_name = "Network Contributor"
  principal_id         = azurerm_user_assigned_identity.cluster.principal_id
}

# The cluster. People come through Entra, pods through workload identity: there is no password to lose.
resource "azurerm_kubernetes_cluster" "this" {
  name                = "aks-${local.prefix}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  dns_prefix          = local.prefix
  kubernetes_version  = var.kubernetes_version
  sku_tier            = var.environment == "prod" ? "Standard" : "Free"
  tags                = local.tags

  private_cluster_enabled           = true
  local_account_disabled            = true
  role_based_access_control_enabled = true
  oidc_issuer_enabled               = true
  workload_identity_enabled         = true
  azure_policy_enabled              = true
  automatic_upgrade_channel         = "patch"
  node_os_upgrade_channel           = "NodeImage"

  default_node_pool {
    name                         = "system"
    vm_size                      = var.node_size
    vnet_subnet_id               = azurerm_subnet.nodes.id
    zones                        = var.zones
    auto_scaling_enabled         = true
    min_count                    = var.nodes
    max_count                    = var.nodes * 3
    os_sku                       = "AzureLinux"
    node_public_ip_enabled       = false
    temporary_name_for_rotation  = "systemtmp"
    only_critical_addons_enabled = false
    tags                         = local.tags

    upgrade_settings {
      max_surge = "33%"
    }
  }

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.cluster.id]
  }

  azure_active_directory_role_based_access_control {
    azure_rbac_enabled     = true
    tenant_id              = data.azurerm_client_config.current.tenant_id
    admin_group_object_ids = var.admin_group_ids
  }

  network_profile {
    network_plugin      = "azure"
    network_plugin_mode = "overlay"
    network_data_plane  = "cilium"
    network_policy      = "cilium"
    load_balancer_sku   = "standard"
    outbound_type       = "userAssignedNATGateway"
  }

  # Secrets are mounted from Key Vault, and renewed.
  key_vault_secrets_provider {
    secret_rotation_enabled = true
  }

  oms_agent {
    log_analytics_workspace_id      = azurerm_log_analytics_workspace.this.id
    msi_auth_for_monitoring_enabled = true
  }

  lifecycle {
    # The upgrade channel changes it.
    ignore_changes = [kubernetes_version]
  }

  depends_on = [azurerm_role_assignment.network, azurerm_subnet_nat_gateway_association.nodes]
}

# Nobody deletes the cluster by mistake: the lock has to go first.
resource "azurerm_management_lock" "cluster" {
  count = var.lock ? 1 : 0

  name       = "keep"
  scope      = azurerm_kubernetes_cluster.this.id
  lock_level = "CanNotDelete"
  notes      = "Remove this lock before deleting the cluster."
}

# --- Workload identity ---

# An identity for each workload; give it roles where it needs them.
resource "azurerm_user_assigned_identity" "workload" {
  for_each = var.workloads

  name                = "id-${local.prefix}-${each.key}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = local.tags
}

# Trusts the tokens of exactly one service account of this cluster.
resource "azurerm_federated_identity_credential" "workload" {
  for_each = var.workloads

  name                = each.key
  resource_group_name = azurerm_resource_group.this.name
  parent_id           = azurerm_user_assigned_identity.workload[each.key].id
  audience            = ["api://AzureADTokenExchange"]
  issuer              = azurerm_kubernetes_cluster.this.oidc_issuer_url
  subject             = "system:serviceaccount:${each.value.namespace}:${each.value.service_account}"
}

# --- Logs ---

# Holds the logs of cluster and pods.
resource "azurerm_log_analytics_workspace" "this" {
  name                = "log-${local.prefix}-aks"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  sku                 = "PerGB2018"
  retention_in_days   = 90
  tags                = local.tags
}

# Who did what through the cluster's API is logged.
resource "azurerm_monitor_diagnostic_setting" "cluster" {
  name                       = "audit"
  target_resource_id         = azurerm_kubernetes_cluster.this.id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.this.id

  enabled_log {
    category = "kube-audit-admin"
  }

  enabled_log {
    category = "guard"
  }
}
