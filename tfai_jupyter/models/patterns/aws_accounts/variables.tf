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

# --- Accounts ---

variable "email_user" {
  description = "Mailbox of the accounts' addresses; each account gets mailbox+account@domain."
  type        = string
  default     = "aws"

  validation {
    condition     = can(regex("^[a-z0-9._-]+$", var.email_user))
    error_message = "Give the part of an address before the @ sign."
  }
}

variable "email_domain" {
  description = "Domain of the accounts' addresses. Set your own: AWS sends invoices and resets of passwords there."
  type        = string
  default     = "example.com"

  validation {
    condition     = can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.email_domain))
    error_message = "Give a domain such as example.com."
  }
}

variable "accounts" {
  description = "Member accounts by name, and the organizational unit of each: security, infrastructure or workloads."
  type        = map(string)
  default = {
@@accounts@@
  }

  validation {
    condition     = alltrue([for unit in var.accounts : contains(["security", "infrastructure", "workloads"], unit)])
    error_message = "The unit of each account must be security, infrastructure or workloads."
  }
}

# --- Guard rails ---

variable "allowed_regions" {
  description = "Regions in which members may work beside the one above; global services are always allowed."
  type        = set(string)
  default     = []
}

variable "trail_retention_days" {
  description = "Days for which the audit trail is kept."
  type        = number
  default     = 2557

  validation {
    condition     = var.trail_retention_days >= 365
    error_message = "Keep the audit trail for at least a year."
  }
}
