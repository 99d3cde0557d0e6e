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
  description = "Address range of the VPC that holds the instances."
  type        = string
  default     = "10.20.0.0/24"

  validation {
    condition     = can(cidrnetmask(var.cidr))
    error_message = "The range must be an IPv4 CIDR block such as 10.20.0.0/24."
  }
}

# --- Instances ---

variable "instances" {
  description = "Number of instances, spread over two availability zones."
  type        = number
  default     = @@instances@@

  validation {
    condition     = var.instances >= 1 && var.instances <= 20
    error_message = "Use between 1 and 20 instances."
  }
}

variable "instance_type" {
  description = "Type of the instances; the image is for Arm, so a Graviton type."
  type        = string
  default     = "t4g.small"

  validation {
    condition     = can(regex("^[a-z][0-9]g[a-z]*\\.[a-z0-9]+$", var.instance_type))
    error_message = "The type must be one of the Graviton families, such as t4g.small or m7g.large."
  }
}

variable "root_volume_gib" {
  description = "Size of the root volume in GiB."
  type        = number
  default     = 20

  validation {
    condition     = var.root_volume_gib >= 8 && var.root_volume_gib <= 1000
    error_message = "The root volume must have between 8 and 1000 GiB."
  }
}

variable "termination_protection" {
  description = "Whether an instance must be unprotected before it can be terminated."
  type        = bool
  default     = true
}
