# A GKE cluster: regional, private nodes, shielded, Workload Identity for pods, and a node account with few rights.

locals {
  prefix  = "${var.name}-${var.environment}"
  project = data.google_client_config.current.project

  # Where Google keeps the identities of this project's pods.
  workload_pool = "${local.project}.svc.id.goog"

  # What nodes need: write logs and metrics, and pull images.
  node_roles = toset([
    "roles/artifactregistry.reader",
    "roles/container.defaultNodeServiceAccount",
  ])

  # One entry for each workload and role.
  grants = merge([
    for key, workload in var.workloads : {
      for role in workload.roles : "${key}/${role}" => { workload = key, role = role }
    }
  ]...)
}

# The project in which all this is built.
data "google_client_config" "current" {}

# --- Network ---

# A network of its own, without the subnets that Google would add by itself.
resource "google_compute_network" "this" {
  name                    = local.prefix
  auto_create_subnetworks = false
}

# Nodes, pods and services have ranges that do not overlap; flows are logged.
resource "google_compute_subnetwork" "nodes" {
  name                     = "${local.prefix}-nodes"
  network                  = google_compute_network.this.id
  region                   = var.region
  ip_cidr_range            = "10.0.0.0/20"
  private_ip_google_access = true

  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = "10.16.0.0/14"
  }

  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = "10.20.0.0/20"
  }

  log_config {
    aggregation_interval = "INTERVAL_5_SEC"
    flow_sampling        = 0.5
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

# NAT needs a router.
resource "google_compute_router" "this" {
  name    = local.prefix
  network = google_compute_network.this.id
  region  = var.region
}

# Lets nodes reach the internet, and nobody reach them.
resource "google_compute_router_nat" "this" {
  name                               = local.prefix
  router                             = google_compute_router.this.name
  region                             = var.region
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}

# --- Node account ---

# The nodes' account; the default one of Compute Engine may edit the whole project.
resource "google_service_account" "node" {
  account_id   = "${substr(local.prefix, 0, 24)}-node"
  display_name = "Nodes of the cluster ${local.prefix}"
}

# The few rights that nodes need.
resource "google_project_iam_member" "node" {
  for_each = local.node_roles

  project = local.project
  role    = each.key
  member  = google_service_account.node.member
}

# --- Cluster ---

# The control plane, in all zones of the region. Its default node pool is replaced by the one below.
resource "google_container_cluster" "this" {
  name                     = local.prefix
  location                 = var.region
  network                  = google_compute_network.this.id
  subnetwork               = google_compute_subnetwork.nodes.id
  remove_default_node_pool = true
  initial_node_count       = 1
  deletion_protection      = var.deletion_protection
  enable_shielded_nodes    = true
  datapath_provider        = "ADVANCED_DATAPATH"
  networking_mode          = "VPC_NATIVE"

  release_channel {
    channel = var.release_channel
  }

  # Pods act as accounts of the project, not as their node.
  workload_identity_config {
    workload_pool = local.workload_pool
  }

  private_cluster_config {
    enable_private_nodes    = true
    enable_private_endpoint = length(var.authorized_networks) == 0
    master_ipv4_cidr_block  = "172.16.0.0/28"
  }

  master_authorized_networks_config {
    dynamic "cidr_blocks" {
      for_each = var.authorized_networks

      content {
        display_name = cidr_blocks.key
        cidr_block   = cidr_blocks.value
      }
    }
  }

  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }

  # Neither certificates nor passwords: people come with their Google identity.
  master_auth {
    client_certificate_config {
      issue_client_certificate = false
    }
  }

  binary_authorization {
    evaluation_mode = "PROJECT_SINGLETON_POLICY_ENFORCE"
  }

  security_posture_config {
    mode               = "BASIC"
    vulnerability_mode = "VULNERABILITY_BASIC"
  }

  logging_config {
    enable_components = ["SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER"]
  }

  # The pool that is thrown away after creation is no exception to the rules for nodes.
  node_config {
    service_account = google_service_account.node.email

    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }
  }

  lifecycle {
    # It describes the pool that was removed.
    ignore_changes = [node_config]
  }
}

# --- Nodes ---

# Private, shielded nodes whose metadata server gives pods their own identity, never the node's.
resource "google_container_node_pool" "this" {
  name     = "main"
  cluster  = google_container_cluster.this.id
  location = var.region

  autoscaling {
    total_min_node_count = var.nodes
    total_max_node_count = var.nodes * 3
    location_policy      = "BALANCED"
  }

  management {
    auto_repair  = true
    auto_upgrade = true
  }

  upgrade_settings {
    max_surge       = 1
    max_unavailable = 0
  }

  node_config {
    machine_type    = var.machine_type
    image_type      = "COS_CONTAINERD"
    disk_size_gb    = 50
    disk_type       = "pd-balanced"
    service_account = google_service_account.node.email
    oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]

    metadata = {
      disable-legacy-endpoints = "true"
    }

    workload_metadata_config {
      mode = "GKE_METADATA"
    }

    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }
  }

  depends_on = [google_project_iam_member.node]
}

# --- Workload Identity ---

# An account for each workload.
resource "google_service_account" "workload" {
  for_each = var.workloads

  account_id   = substr("${local.prefix}-${each.key}", 0, 30)
  display_name = "Workload ${each.key} of the cluster ${local.prefix}"
}

# Exactly one Kubernetes service account may act as it.
resource "google_service_account_iam_member" "workload" {
  for_each = var.workloads

  service_account_id = google_service_account.workload[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${local.workload_pool}[${each.value.namespace}/${each.value.service_account}]"

  depends_on = [google_container_cluster.this]
}

# What each workload may do in the project.
resource "google_project_iam_member" "workload" {
  for_each = local.grants

  project = local.project
  role    = each.value.role
  member  = google_service_account.workload[each.value.workload].member
}
