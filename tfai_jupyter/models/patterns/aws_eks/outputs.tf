output "cluster_name" {
  description = "Name of the cluster: aws eks update-kubeconfig --name NAME makes kubectl reach it."
  value       = aws_eks_cluster.this.name
}

output "cluster_endpoint" {
  description = "Address of the cluster's API."
  value       = aws_eks_cluster.this.endpoint
}

output "oidc_provider_arn" {
  description = "ARN of the OIDC provider, for further roles of service accounts."
  value       = aws_iam_openid_connect_provider.cluster.arn
}

output "service_account_role_arns" {
  description = "ARNs for the annotation eks.amazonaws.com/role-arn of each service account."
  value       = { for key, role in aws_iam_role.service_account : key => role.arn }
}

output "vpc_id" {
  description = "ID of the cluster's VPC."
  value       = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "IDs of the private subnets by zone, where nodes run."
  value       = { for zone, subnet in aws_subnet.private : zone => subnet.id }
}
