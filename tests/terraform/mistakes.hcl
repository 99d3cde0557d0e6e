# Configurations with one mistake each, under its class. The module ./m has a variable x and an output id.
=== syntax_error
resource "terraform_data" "a" {
  input "x"
}
=== syntax_error
locals {
  a = ["x" "y"]
}
=== syntax_error
locals {
  a = 'x'
}
=== syntax_error
resource "terraform_data" {
}
=== syntax_error
variable "a" { type = string default = "x" }
=== unsupported_block_type
resources "a" "b" {
}
=== unsupported_argument
variable "a" {
  typ = string
}
=== missing_required_argument
output "a" {
}
=== unknown_reference
output "a" {
  value = module.netw.id
}
=== unknown_reference
resource "terraform_data" "a" {
  input = each.key
}
=== unknown_reference
output "a" {
  value = self.id
}
=== dependency_cycle
locals {
  a = local.b
  b = local.a
}
output "x" {
 value = local.a
}
=== self_reference
locals {
  a = local.a
}
output "x" {
 value = local.a
}
=== duplicate_declaration
locals {
  a = 1
}
locals {
  a = 2
}
=== duplicate_declaration
variable "a" {
  default = 1
  default = 2
}
=== duplicate_declaration
provider "terraform" {}
provider "terraform" {}
=== type_mismatch
output "a" {
  value = "x" + 1
}
=== type_mismatch
output "a" {
  value = "x-${[1,2]}"
}
=== type_mismatch
variable "a" {
  type = number
  default = "abc"
}
=== invalid_for_each
resource "terraform_data" "a" {
  for_each = null
}
=== for_each_unknown
resource "terraform_data" "s" {
 input = "a"
}
resource "terraform_data" "a" {
  for_each = { (terraform_data.s.id) = 1 }
}
=== type_mismatch
resource "terraform_data" "a" {
  count = -1
}
=== invalid_index
resource "terraform_data" "a" {
  for_each = toset(["p"])
}
output "x" {
  value = terraform_data.a["q"].id
}
=== missing_instance_key
resource "terraform_data" "a" {
  for_each = toset(["p"])
}
output "x" {
  value = terraform_data.a.id
}
=== invalid_index
resource "terraform_data" "a" {
}
output "x" {
  value = terraform_data.a[0].id
}
=== unsupported_attribute
locals {
  a = { size = 1 }
}
output "x" {
  value = local.a.siz
}
=== function_error
output "x" {
  value = element(["a"])
}
=== function_error
output "x" {
  value = jsonencodee({})
}
=== variables_not_allowed
variable "x" {
  default = upper("x")
}
=== file_not_found
output "x" {
  value = filesha256("nope.bin")
}
=== invalid_moved_block
moved {
  from = terraform_data.a
  to = terraform_data.a
}
resource "terraform_data" "a" {}
=== invalid_removed_block
removed {
  from = terraform_data.a["x"]
  lifecycle {
    destroy=false
 }
}
=== invalid_import_id
variable "i" {
  type=string
 default=null
}
import {
  to = terraform_data.a
  id = var.i
}
resource "terraform_data" "a" {}
=== ephemeral_not_allowed
variable "t" {
  ephemeral = true
  default = "x"
}
output "x" {
  value = var.t
}
=== invalid_provider_reference
resource "terraform_data" "a" {
  provider = terraform.west
}
=== invalid_provider_reference
module "m" {
  source = "./m"
  x = 1
  providers = { terraform = terraform.west }
}
=== unsupported_attribute
module "m" {
  source = "./m"
  x = 1
}
output "x" {
  value = module.m.idd
}
=== missing_required_argument
module "m" {
}
=== required_version_mismatch
terraform {
  required_version = "< 1.0"
}
=== variable_validation
variable "x" {
  default = 3
  validation {
    condition = var.x > 5
    error_message = "Too small."
  }
}
=== missing_variable
module "m" {
  source = "./m"
  x = null
}
=== unknown_reference
resource "terraform_data" "a" {
  lifecycle {
    replace_triggered_by = [terraform_data.zz]
  }
}
=== unsupported_argument
resource "terraform_data" "a" {
  lifecycle {
    prevent_destruction = true
  }
}
=== unsupported_resource_type
resource "terraform_dat" "a" {
}
=== syntax_error
locals {
  a = <<EOT
foo
}
