# Versions: the next major version of the provider may change what this means.
terraform {
  required_version = ">= 1.5"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.0"
    }
  }
}

# The subscription comes from ARM_SUBSCRIPTION_ID; storage is reached with the caller's identity, not with keys.
provider "azurerm" {
  storage_use_azuread = true

  features {}
}
