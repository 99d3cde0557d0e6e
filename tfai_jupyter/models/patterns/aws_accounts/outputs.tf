output "organization_id" {
  description = "ID of the organization, for policies that trust its members."
  value       = aws_organizations_organization.this.id
}

output "account_ids" {
  description = "ID of each member account by name."
  value       = { for name, account in aws_organizations_account.this : name => account.id }
}

output "unit_ids" {
  description = "ID of each organizational unit by name."
  value       = { for name, unit in aws_organizations_organizational_unit.this : name => unit.id }
}

output "trail_bucket" {
  description = "Name of the bucket that holds the audit trail."
  value       = aws_s3_bucket.trail.id
}
