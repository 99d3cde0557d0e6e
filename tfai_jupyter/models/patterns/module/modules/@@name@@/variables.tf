# --- Required ---

variable "name" {
  description = "Name of this instance of the module; the prefix of the name of everything in it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,39}$", var.name))
    error_message = "The name must begin with a letter and have at most 40 lower-case letters, digits and dashes."
  }
}

# --- Optional ---

variable "size" {
  description = "Size: small, medium or large. A word that every caller knows, not a number that each must look up."
  type        = string
  default     = "small"

  validation {
    condition     = contains(["small", "medium", "large"], var.size)
    error_message = "The size must be small, medium or large."
  }
}

variable "tags" {
  description = "Tags that everything in the module carries."
  type        = map(string)
  default     = {}
}
