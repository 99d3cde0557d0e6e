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

# --- Roles of service accounts ---

variable "oidc_issuer" {
  description = "OIDC issuer URL of the cluster (its identity.oidc.issuer); null until there is a cluster."
  type        = string
  default     = null

  validation {
    condition     = var.oidc_issuer == null ? true : startswith(var.oidc_issuer, "https://")
    error_message = "The issuer must be a URL that begins with https://."
  }
}

variable "service_accounts" {
  description = "Roles for service accounts by name: namespace, service account, and ARNs of the policies it gets."
  type = map(object({
    namespace       = string
    service_account = string
    policy_arns     = set(string)
  }))
  default = {
    vpc-cni = {
      namespace       = "kube-system"
      service_account = "aws-node"
      policy_arns     = ["arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"]
    }
    ebs-csi = {
      namespace       = "kube-system"
      service_account = "ebs-csi-controller-sa"
      policy_arns     = ["arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"]
    }
  }
}
