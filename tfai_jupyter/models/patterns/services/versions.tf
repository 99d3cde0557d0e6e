# Versions: `check` blocks need Terraform 1.5; the built-in provider needs no download.
terraform {
  required_version = ">= 1.5"
}
