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
  description = "AWS region in which to build."
  type        = string
  default     = "@@region@@"

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]$", var.region))
    error_message = "The region must look like eu-central-1."
  }
}

variable "tags" {
  description = "Tags that every resource carries beside those of this configuration."
  type        = map(string)
  default     = {}
}

# --- Network ---

variable "cidr" {
  description = "Address range of the cluster's VPC."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.cidr)) && endswith(var.cidr, "/16")
    error_message = "The range must be an IPv4 CIDR block of size /16, such as 10.0.0.0/16: every pod takes an address."
  }
}

variable "zones" {
  description = "Number of availability zones to spread over."
  type        = number
  default     = @@zones@@

  validation {
    condition     = var.zones >= 2 && var.zones <= 6
    error_message = "Use between 2 and 6 availability zones; EKS needs two."
  }
}

variable "public_access_cidrs" {
  description = "Address ranges that reach the cluster's API over the internet; empty leaves it private."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.public_access_cidrs : can(cidrnetmask(cidr)) && cidr != "0.0.0.0/0"])
    error_message = "Give IPv4 CIDR blocks, and not the whole internet."
  }
}

# --- Cluster ---

variable "kubernetes_version" {
  description = "Kubernetes version of the control plane; null takes the newest that EKS offers."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", coalesce(var.kubernetes_version, "1.33")))
    error_message = "The version must look like 1.33."
  }
}

variable "deletion_protection" {
  description = "Whether the cluster must be unprotected before it can be deleted."
  type        = bool
  default     = true
}

variable "log_retention_days" {
  description = "Days for which the control plane's logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([30, 60, 90, 180, 365, 731], var.log_retention_days)
    error_message = "Keep logs for 30, 60, 90, 180, 365 or 731 days."
  }
}

# --- Nodes ---

variable "instance_types" {
  description = "Instance types of the nodes."
  type        = list(string)
  default     = ["m7g.large"]

  validation {
    condition     = alltrue([for type in var.instance_types : can(regex("^[a-z][0-9]g[a-z]*\\.[a-z0-9]+$", type))])
    error_message = "The nodes' image is for Arm: give Graviton types such as m7g.large."
  }
}

variable "nodes" {
  description = "Number of nodes to begin with; the group may grow to three times as many."
  type        = number
  default     = @@nodes@@

  validation {
    condition     = var.nodes >= 1 && var.nodes <= 50
    error_message = "Begin with between 1 and 50 nodes."
  }
}

# --- Service accounts ---

variable "service_accounts" {
  description = "IAM roles for service accounts (IRSA) by name: namespace, service account, ARNs of its policies."
  type = map(object({
    namespace       = string
    service_account = string
    policy_arns     = set(string)
  }))
  default = {
    app = {
      namespace       = "default"
      service_account = "app"
      policy_arns     = []
    }
  }
}
