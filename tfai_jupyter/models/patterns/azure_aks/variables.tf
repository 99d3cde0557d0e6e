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

# --- Cluster ---

variable "kubernetes_version" {
  description = "Kubernetes version, such as 1.33; null takes the default of the region."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^1\\.[0-9]{2}(\\.[0-9]+)?$", coalesce(var.kubernetes_version, "1.33")))
    error_message = "The version must look like 1.33 or 1.33.1."
  }
}

variable "admin_group_ids" {
  description = "Object IDs of the Entra groups whose members administer the cluster."
  type        = list(string)
  default     = []
}

variable "lock" {
  description = "Whether a lock keeps anyone from deleting the cluster by mistake."
  type        = bool
  default     = true
}

# --- Nodes ---

variable "node_size" {
  description = "Size of the nodes' virtual machines."
  type        = string
  default     = "Standard_D4ds_v5"

  validation {
    condition     = startswith(var.node_size, "Standard_")
    error_message = "The size must be one of Azure's, such as Standard_D4ds_v5."
  }
}

variable "nodes" {
  description = "Least number of nodes; the pool may grow to three times as many."
  type        = number
  default     = @@nodes@@

  validation {
    condition     = var.nodes >= 1 && var.nodes <= 50
    error_message = "Begin with between 1 and 50 nodes."
  }
}

variable "zones" {
  description = "Availability zones over which the nodes are spread."
  type        = set(string)
  default     = ["1", "2", "3"]

  validation {
    condition     = alltrue([for zone in var.zones : contains(["1", "2", "3"], zone)])
    error_message = "Zones are 1, 2 and 3."
  }
}

# --- Network ---

variable "cidr" {
  description = "Address range of the virtual network; pods have a range of their own on top of it."
  type        = string
  default     = "10.10.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.cidr))
    error_message = "The range must be an IPv4 CIDR block such as 10.10.0.0/16."
  }
}

# --- Workload identity ---

variable "workloads" {
  description = "Workloads with an identity of their own by name: the namespace and service account of their pods."
  type = map(object({
    namespace       = string
    service_account = string
  }))
  default = {
    app = {
      namespace       = "default"
      service_account = "app"
    }
  }
}
