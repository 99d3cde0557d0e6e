# --- Naming ---

variable "name" {
  description = "Name of what is built here; the prefix of the name of every instance."
  type        = string
  default     = "@@name@@"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.name))
    error_message = "The name must begin with a letter and have at most 20 lower-case letters, digits and dashes."
  }
}

variable "environment" {
  description = "Environment that all this belongs to: dev, staging or prod."
  type        = string
  default     = "@@environment@@"

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "The environment must be dev, staging or prod."
  }
}

variable "tags" {
  description = "Tags that everything carries beside those of this configuration."
  type        = map(string)
  default     = {}
}

# --- Instances ---

variable "instances" {
  description = "Instances of the module by name, and the size of each: small, medium or large."
  type        = map(object({ size = optional(string, "small") }))
  default = {
    blue  = { size = "small" }
    green = { size = "small" }
  }
}
