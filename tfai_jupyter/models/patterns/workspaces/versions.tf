# Versions. For a team, add a backend block here that keeps and locks the state of every workspace in one place.
terraform {
  required_version = ">= 1.5"
}
