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
  description = "Address range of the VPC: /16 to /20, so that a public and a private subnet fit into each zone."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.cidr)) && can(regex("/(16|17|18|19|20)$", var.cidr))
    error_message = "The range must be an IPv4 CIDR block between /16 and /20, such as 10.0.0.0/16."
  }
}

variable "zones" {
  description = "Number of availability zones to spread over."
  type        = number
  default     = @@zones@@

  validation {
    condition     = var.zones >= 2 && var.zones <= 6
    error_message = "Use between 2 and 6 availability zones."
  }
}

variable "nat_per_zone" {
  description = "Whether each zone has its own NAT gateway; to share one is cheaper, and it fails with its zone."
  type        = bool
  default     = true
}

# --- Logs ---

variable "flow_log_days" {
  description = "Days for which flow logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([30, 60, 90, 180, 365, 731], var.flow_log_days)
    error_message = "Keep flow logs for 30, 60, 90, 180, 365 or 731 days."
  }
}
