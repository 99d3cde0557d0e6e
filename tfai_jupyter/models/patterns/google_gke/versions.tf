# Versions: the next major version of the provider may change what this means.
terraform {
  required_version = ">= 1.5"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.0"
    }
  }
}

# The project comes from the variable or GOOGLE_PROJECT, credentials from the environment.
provider "google" {
  project = var.project
  region  = var.region

  default_labels = merge(var.labels, {
    environment = var.environment
    managed_by  = "terraform"
  })
}
