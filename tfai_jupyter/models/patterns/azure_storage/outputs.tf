output "account_name" {
  description = "Name of the storage account."
  value       = azurerm_storage_account.this.name
}

output "account_id" {
  description = "ID of the account: the scope of roles such as Storage Blob Data Reader."
  value       = azurerm_storage_account.this.id
}

output "blob_endpoint" {
  description = "Address of the account's blobs."
  value       = azurerm_storage_account.this.primary_blob_endpoint
}

output "container_ids" {
  description = "ID of each container by name."
  value       = { for name, container in azurerm_storage_container.this : name => container.id }
}
