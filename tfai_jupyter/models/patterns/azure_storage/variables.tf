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
  description = "Azure region in which to build, as one word."
  type        = string
  default     = "@@region@@"

  validation {
    condition     = can(regex("^[a-z]+[0-9]?$", var.region))
    error_message = "The region must look like westeurope."
  }
}

variable "tags" {
  description = "Tags that every resource carries beside those of this configuration."
  type        = map(string)
  default     = {}
}

# --- Storage ---

variable "replication" {
  description = "Replication: ZRS keeps copies in three zones, GZRS also in another region, LRS in one place alone."
  type        = string
  default     = "ZRS"

  validation {
    condition     = contains(["LRS", "ZRS", "GRS", "GZRS", "RAGRS", "RAGZRS"], var.replication)
    error_message = "The replication must be LRS, ZRS, GRS, GZRS, RAGRS or RAGZRS."
  }
}

variable "containers" {
  description = "Names of the private blob containers."
  type        = set(string)
  default     = ["data"]

  validation {
    condition     = alltrue([for name in var.containers : can(regex("^[a-z0-9][a-z0-9-]{2,62}$", name))])
    error_message = "A container's name has 3 to 63 lower-case letters, digits and dashes."
  }
}

variable "retention_days" {
  description = "Days for which deleted blobs, containers and old versions can be brought back."
  type        = number
  default     = 30

  validation {
    condition     = var.retention_days >= 7 && var.retention_days <= 365
    error_message = "Keep deleted data between 7 and 365 days."
  }
}

# --- Network ---

variable "allowed_ip_ranges" {
  description = "Public addresses or ranges that may reach the account; empty leaves it to trusted Azure services."
  type        = list(string)
  default     = []
}

variable "allowed_subnet_ids" {
  description = "IDs of subnets, with a service endpoint for storage, that may reach the account."
  type        = list(string)
  default     = []
}

# --- Protection ---

variable "lock" {
  description = "Whether a lock keeps anyone from deleting the account by mistake."
  type        = bool
  default     = true
}
