output "cluster_role_arn" {
  description = "ARN of the role for the control plane: role_arn of aws_eks_cluster."
  value       = aws_iam_role.cluster.arn
}

output "node_role_arn" {
  description = "ARN of the role for nodes: node_role_arn of aws_eks_node_group."
  value       = aws_iam_role.node.arn
}

output "service_account_role_arns" {
  description = "ARNs for the annotation eks.amazonaws.com/role-arn of each service account."
  value       = { for key, role in aws_iam_role.service_account : key => role.arn }
}
