output "instance_ids" {
  description = "IDs of the instances: aws ssm start-session --target ID opens a shell."
  value       = aws_instance.this[*].id
}

output "private_addresses" {
  description = "Private addresses of the instances."
  value       = aws_instance.this[*].private_ip
}

output "role_name" {
  description = "Name of the instances' role, to attach further policies to."
  value       = aws_iam_role.instance.name
}

output "security_group_id" {
  description = "ID of the instances' security group, to which rules may be added."
  value       = aws_security_group.instance.id
}
