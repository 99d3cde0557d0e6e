output "names" {
  description = "Full name of each instance."
  value       = { for key, instance in module.@@name@@ : key => instance.name }
}

output "ids" {
  description = "ID of each instance."
  value       = { for key, instance in module.@@name@@ : key => instance.id }
}

output "capacity" {
  description = "Capacity of all instances together."
  value       = sum(concat([0], [for instance in module.@@name@@ : instance.capacity]))
}
