output "cluster_name" {
  description = "Name of the cluster: az aks get-credentials --name NAME makes kubectl reach it."
  value       = azurerm_kubernetes_cluster.this.name
}

output "resource_group_name" {
  description = "Name of the group that holds the cluster."
  value       = azurerm_resource_group.this.name
}

output "oidc_issuer_url" {
  description = "Issuer of the cluster's tokens, for further federated credentials."
  value       = azurerm_kubernetes_cluster.this.oidc_issuer_url
}

output "workload_client_ids" {
  description = "Client IDs for the annotation azure.workload.identity/client-id of each service account."
  value       = { for key, identity in azurerm_user_assigned_identity.workload : key => identity.client_id }
}
