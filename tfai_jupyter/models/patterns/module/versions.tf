# Versions: the root decides; the module states only what it needs itself.
terraform {
  required_version = ">= 1.5"
}
