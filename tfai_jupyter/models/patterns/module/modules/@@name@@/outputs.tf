output "id" {
  description = "ID of what the module built."
  value       = terraform_data.this.id
}

output "name" {
  description = "Name of what the module built."
  value       = terraform_data.this.output.name
}

output "capacity" {
  description = "Capacity that the size stands for."
  value       = terraform_data.this.output.capacity
}
