# Versions: the least that this module needs, so that every caller with a newer one can use it.
terraform {
  required_version = ">= 1.5"
}
