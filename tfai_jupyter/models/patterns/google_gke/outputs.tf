output "cluster_name" {
  description = "Name of the cluster: gcloud container clusters get-credentials NAME makes kubectl reach it."
  value       = google_container_cluster.this.name
}

output "cluster_endpoint" {
  description = "Address of the cluster's API."
  value       = google_container_cluster.this.endpoint
}

output "network_id" {
  description = "ID of the cluster's network."
  value       = google_compute_network.this.id
}

output "workload_emails" {
  description = "Accounts for the annotation iam.gke.io/gcp-service-account of each service account."
  value       = { for key, account in google_service_account.workload : key => account.email }
}
