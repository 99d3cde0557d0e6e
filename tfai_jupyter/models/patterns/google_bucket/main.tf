# A private Cloud Storage bucket: no ACLs, never public, versioned, encrypted with a key of its own, access logged.

locals {
  prefix = "${var.name}-${var.environment}"

  # Names of buckets are unique over all projects; a project's ID is, too.
  bucket_name = "${data.google_client_config.current.project}-${local.prefix}"
}

# The project in which all this is built.
data "google_client_config" "current" {}

# --- Encryption ---

# Cloud Storage acts as this account; it must be allowed to use the key.
data "google_storage_project_service_account" "this" {}

# Holds the key. Key rings cannot be deleted.
resource "google_kms_key_ring" "this" {
  name     = "${local.prefix}-storage"
  location = var.region
}

# A key of our own, so that access can be withdrawn; it rotates every 90 days.
resource "google_kms_crypto_key" "this" {
  name            = "bucket"
  key_ring        = google_kms_key_ring.this.id
  rotation_period = "7776000s"

  lifecycle {
    # Without the key the objects are lost.
    prevent_destroy = true
  }
}

# Cloud Storage may encrypt and decrypt with the key.
resource "google_kms_crypto_key_iam_member" "storage" {
  crypto_key_id = google_kms_crypto_key.this.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:${data.google_storage_project_service_account.this.email_address}"
}

# --- Bucket ---

# The bucket: access is granted by IAM alone, and to nobody in public.
resource "google_storage_bucket" "this" {
  name                        = local.bucket_name
  location                    = var.region
  storage_class               = "STANDARD"
  force_destroy               = var.force_destroy
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  encryption {
    default_kms_key_name = google_kms_crypto_key.this.id
  }

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = var.retention_days * 86400
  }

  logging {
    log_bucket        = google_storage_bucket.logs.name
    log_object_prefix = "access"
  }

  lifecycle_rule {
    condition {
      days_since_noncurrent_time = var.retention_days
      with_state                 = "ARCHIVED"
    }

    action {
      type = "Delete"
    }
  }

  lifecycle_rule {
    condition {
      age = 7
    }

    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }

  depends_on = [google_kms_crypto_key_iam_member.storage]
}

# --- Access logs ---

# A second bucket for the access logs, so that a log entry does not cause another one.
resource "google_storage_bucket" "logs" {
  name                        = "${local.bucket_name}-logs"
  location                    = var.region
  storage_class               = "STANDARD"
  force_destroy               = var.force_destroy
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }

  lifecycle_rule {
    condition {
      age = var.log_retention_days
    }

    action {
      type = "Delete"
    }
  }
}

# Cloud Storage may write access logs.
resource "google_storage_bucket_iam_member" "logs" {
  bucket = google_storage_bucket.logs.name
  role   = "roles/storage.objectCreator"
  member = "group:cloud-storage-analytics@google.com"
}
