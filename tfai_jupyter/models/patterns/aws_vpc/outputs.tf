output "vpc_id" {
  description = "ID of the VPC."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "IDs of the public subnets by zone, for load balancers."
  value       = { for zone, subnet in aws_subnet.public : zone => subnet.id }
}

output "private_subnet_ids" {
  description = "IDs of the private subnets by zone, for everything else."
  value       = { for zone, subnet in aws_subnet.private : zone => subnet.id }
}

output "nat_addresses" {
  description = "Public addresses from which the private subnets reach the internet."
  value       = [for address in aws_eip.nat : address.public_ip]
}

output "flow_log_group" {
  description = "Name of the log group that holds the flow logs."
  value       = aws_cloudwatch_log_group.flow.name
}
