output "service_names" {
  description = "Full name of each service."
  value       = { for key, service in terraform_data.service : key => service.output.name }
}

output "endpoints" {
  description = "Address at which each service listens, as name and port."
  value       = { for key, service in terraform_data.service : key => "${service.output.name}:${service.output.port}" }
}

output "replicas" {
  description = "Number of replicas over all services."
  value       = sum(concat([0], [for service in terraform_data.service : service.output.replicas]))
}
