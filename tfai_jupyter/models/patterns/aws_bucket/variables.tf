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

# --- Storage ---

variable "noncurrent_days" {
  description = "Days after which a replaced or deleted version of an object is removed for good."
  type        = number
  default     = 90

  validation {
    condition     = var.noncurrent_days >= 1
    error_message = "Keep noncurrent versions for at least one day."
  }
}

variable "log_retention_days" {
  description = "Days for which access logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = var.log_retention_days >= 30
    error_message = "Keep access logs for at least 30 days."
  }
}

variable "force_destroy" {
  description = "Whether destroying the bucket deletes the objects in it. Keep false where data matters."
  type        = bool
  default     = false
}
