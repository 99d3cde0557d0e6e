output "bucket_name" {
  description = "Name of the bucket, with the suffix that S3 added."
  value       = aws_s3_bucket.this.id
}

output "bucket_arn" {
  description = "ARN of the bucket, for policies that grant access to it."
  value       = aws_s3_bucket.this.arn
}

output "kms_key_arn" {
  description = "ARN of the key that encrypts the objects; readers need kms:Decrypt on it."
  value       = aws_kms_key.this.arn
}

output "log_bucket_name" {
  description = "Name of the bucket that holds the access logs."
  value       = aws_s3_bucket.logs.id
}
