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

variable "tags" {
  description = "Tags that every resource carries beside those of this configuration."
  type        = map(string)
  default     = {}
}

# --- Environments ---

variable "default_environment" {
  description = "Environment that the workspace named default stands for, until you have chosen one."
  type        = string
  default     = "@@first_environment@@"
}

variable "environments" {
  description = "Settings of each environment, by the name of its workspace."
  type = map(object({
    replicas  = number
    size      = string
    protected = bool
  }))
  default = {
@@environment_settings@@
  }

  validation {
    condition     = alltrue([for settings in var.environments : contains(["small", "medium", "large"], settings.size)])
    error_message = "The size of each environment must be small, medium or large."
  }

  validation {
    condition     = alltrue([for settings in var.environments : settings.replicas >= 1])
    error_message = "Each environment needs at least one replica."
  }
}
