# --- Naming ---

variable "name" {
  description = "Name of what is built here; the prefix of the name of every resource."
  type        = string
  default     = "@@name@@"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.name))
    error_message = "The name must begin with a letter and have at most 20 lower-case letters, digits and dashes."
  }
}

variable "environment" {
  description = "Environment that the resources belong to: dev, staging or prod."
  type        = string
  default     = "@@environment@@"

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "The environment must be dev, staging or prod."
  }
}

variable "region" {
  description = "Google Cloud region in which to build."
  type        = string
  default     = "@@region@@"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "The region must look like europe-west1."
  }
}

variable "labels" {
  description = "Labels that every resource carries beside those of this configuration."
  type        = map(string)
  default     = {}
}

variable "project" {
  description = "ID of the Google Cloud project; null takes the one of the environment (GOOGLE_PROJECT)."
  type        = string
  default     = null
}

# --- Network ---

variable "authorized_networks" {
  description = "Address ranges by name from which the cluster's API can be reached; empty leaves it to the VPC."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for cidr in var.authorized_networks : can(cidrnetmask(cidr)) && cidr != "0.0.0.0/0"])
    error_message = "Give IPv4 CIDR blocks, and not the whole internet."
  }
}

# --- Cluster ---

variable "release_channel" {
  description = "How early new Kubernetes versions arrive: RAPID, REGULAR or STABLE."
  type        = string
  default     = "REGULAR"

  validation {
    condition     = contains(["RAPID", "REGULAR", "STABLE"], var.release_channel)
    error_message = "The channel must be RAPID, REGULAR or STABLE."
  }
}

variable "deletion_protection" {
  description = "Whether the cluster must be unprotected before Terraform may delete it."
  type        = bool
  default     = true
}

# --- Nodes ---

variable "machine_type" {
  description = "Machine type of the nodes."
  type        = string
  default     = "e2-standard-4"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*-[a-z]+-[0-9]+$", var.machine_type))
    error_message = "The type must look like e2-standard-4."
  }
}

variable "nodes" {
  description = "Least number of nodes over all zones; the pool may grow to three times as many."
  type        = number
  default     = @@nodes@@

  validation {
    condition     = var.nodes >= 1 && var.nodes <= 50
    error_message = "Begin with between 1 and 50 nodes."
  }
}

# --- Workload Identity ---

variable "workloads" {
  description = "Workloads with a Google account of their own by name: namespace, service account, project roles."
  type = map(object({
    namespace       = string
    service_account = string
    roles           = set(string)
  }))
  default = {
    app = {
      namespace       = "default"
      service_account = "app"
      roles           = []
    }
  }
}
