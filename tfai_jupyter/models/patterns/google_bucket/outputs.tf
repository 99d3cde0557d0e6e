output "bucket_name" {
  description = "Name of the bucket."
  value       = google_storage_bucket.this.name
}

output "bucket_url" {
  description = "Address of the bucket, as gs://NAME."
  value       = google_storage_bucket.this.url
}

output "kms_key_id" {
  description = "ID of the key that encrypts the objects."
  value       = google_kms_crypto_key.this.id
}

output "log_bucket_name" {
  description = "Name of the bucket that holds the access logs."
  value       = google_storage_bucket.logs.name
}
