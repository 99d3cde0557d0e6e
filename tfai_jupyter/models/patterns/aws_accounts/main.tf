# A multi-account structure: units for security, infrastructure and workloads, an account for each concern,
# guard rails that no member can lift, and one audit trail of all accounts. Run it in the management account.

locals {
  prefix  = "${var.name}-${var.environment}"
  units   = toset(["security", "infrastructure", "workloads"])
  regions = setunion(var.allowed_regions, [var.region])
}

# --- Organization ---

# The organization, with the policies and services that are used below.
resource "aws_organizations_organization" "this" {
  feature_set          = "ALL"
  enabled_policy_types = ["SERVICE_CONTROL_POLICY"]

  aws_service_access_principals = [
    "access-analyzer.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "config.amazonaws.com",
    "guardduty.amazonaws.com",
    "securityhub.amazonaws.com",
    "sso.amazonaws.com",
  ]

  lifecycle {
    prevent_destroy = true
  }
}

# Accounts that follow the same rules stand in the same unit.
resource "aws_organizations_organizational_unit" "this" {
  for_each = local.units

  name      = each.key
  parent_id = aws_organizations_organization.this.roots[0].id
}

# One account for each concern: what goes wrong in one stays there.
resource "aws_organizations_account" "this" {
  for_each = var.accounts

  name                       = "${var.name}-${each.key}"
  email                      = "${var.email_user}+${var.name}-${each.key}@${var.email_domain}"
  parent_id                  = aws_organizations_organizational_unit.this[each.value].id
  role_name                  = "OrganizationAccountAccessRole"
  iam_user_access_to_billing = "DENY"
  close_on_deletion          = false

  lifecycle {
    prevent_destroy = true

    # AWS reports neither of them back.
    ignore_changes = [iam_user_access_to_billing, role_name]
  }
}

# --- Guard rails ---

# What no member account may do, whoever asks.
data "aws_iam_policy_document" "guard_rails" {
  statement {
    sid       = "StayInTheOrganization"
    effect    = "Deny"
    actions   = ["organizations:LeaveOrganization", "account:CloseAccount"]
    resources = ["*"]
  }

  statement {
    sid    = "KeepWatching"
    effect = "Deny"

    actions = [
      "cloudtrail:DeleteTrail",
      "cloudtrail:StopLogging",
      "cloudtrail:UpdateTrail",
      "config:DeleteConfigurationRecorder",
      "config:StopConfigurationRecorder",
      "guardduty:DeleteDetector",
      "guardduty:DisassociateFromAdministratorAccount",
    ]

    resources = ["*"]
  }

  statement {
    sid       = "NoRootUser"
    effect    = "Deny"
    actions   = ["*"]
    resources = ["*"]

    condition {
      test     = "ArnLike"
      variable = "aws:PrincipalArn"
      values   = ["arn:aws:iam::*:root"]
    }
  }

  statement {
    sid    = "StayInOurRegions"
    effect = "Deny"

    # Services without a region are not restricted by it.
    not_actions = [
      "account:*",
      "billing:*",
      "budgets:*",
      "ce:*",
      "cloudfront:*",
      "globalaccelerator:*",
      "health:*",
      "iam:*",
      "organizations:*",
      "route53:*",
      "shield:*",
      "sts:*",
      "support:*",
      "waf:*",
    ]

    resources = ["*"]

    condition {
      test     = "StringNotEquals"
      variable = "aws:RequestedRegion"
      values   = local.regions
    }
  }
}

# The guard rails as a policy of the organization.
resource "aws_organizations_policy" "guard_rails" {
  name        = "${local.prefix}-guard-rails"
  description = "What no member account may do"
  type        = "SERVICE_CONTROL_POLICY"
  content     = data.aws_iam_policy_document.guard_rails.json

  depends_on = [aws_organizations_organization.this]
}

# Every unit stands behind the guard rails; the management account, as AWS wants it, does not.
resource "aws_organizations_policy_attachment" "guard_rails" {
  for_each = aws_organizations_organizational_unit.this

  policy_id = aws_organizations_policy.guard_rails.id
  target_id = each.value.id
}
