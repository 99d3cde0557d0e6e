output "environment" {
  description = "Environment that this workspace stands for."
  value       = local.environment
}

output "application_name" {
  description = "Full name of the application in this environment."
  value       = terraform_data.application.output.name
}

output "settings" {
  description = "Settings that apply in this environment."
  value       = local.settings
}
