# --- Naming ---

variable "name" {
  description = "Name of the group of services; the prefix of each service's name."
  type        = string
  default     = "demo"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.name))
    error_message = "The name must begin with a letter and have at most 20 lower-case letters, digits and dashes."
  }
}

variable "environment" {
  description = "Environment that the services belong to: dev, staging or prod."
  type        = string
  default     = "@@environment@@"

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "The environment must be dev, staging or prod."
  }
}

variable "tags" {
  description = "Tags that every service carries beside those of this configuration."
  type        = map(string)
  default     = {}
}

# --- Services ---

variable "services" {
  description = "Services by name: the port on which each listens, and how many replicas of it run."
  type = map(object({
    port     = number
    replicas = optional(number, 2)
  }))
  default = {
@@services@@
  }

  validation {
    condition     = alltrue([for service in var.services : service.port >= 1024 && service.port <= 65535])
    error_message = "Each port must lie between 1024 and 65535, so that no service needs special rights."
  }

  validation {
    condition     = length(distinct([for service in var.services : service.port])) == length(var.services)
    error_message = "Each service needs a port of its own."
  }

  validation {
    condition     = alltrue([for service in var.services : service.replicas >= 1 && service.replicas <= 20])
    error_message = "Each service needs between 1 and 20 replicas."
  }
}

# --- Secrets ---

variable "release_token" {
  description = "Token that marks a release as authorised. Set it with TF_VAR_release_token, never in a file."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.release_token == null ? true : length(var.release_token) >= 16
    error_message = "The release token must have at least 16 characters."
  }
}
