# Flow logs: who talked to whom, for the day on which somebody asks.

# --- Log group ---

locals {
  account_id = data.aws_caller_identity.current.account_id
}

# Who runs this, to name the account in policies.
data "aws_caller_identity" "current" {}

# CloudWatch may use the key for the flow logs; the account's administrators keep control of it.
data "aws_iam_policy_document" "log_key" {
  statement {
    sid       = "AllowAccount"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${local.account_id}:root"]
    }
  }

  statement {
    sid       = "AllowCloudWatch"
    actions   = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${var.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:aws:logs:${var.region}:${local.account_id}:log-group:/vpc/${local.prefix}"]
    }
  }
}

# Encrypts the flow logs; it rotates each year.
resource "aws_kms_key" "logs" {
  description             = "Encrypts the flow logs of ${local.prefix}"
  deletion_window_in_days = 30
  enable_key_rotation     = true
  policy                  = data.aws_iam_policy_document.log_key.json
}

# Holds the flow logs.
resource "aws_cloudwatch_log_group" "flow" {
  name              = "/vpc/${local.prefix}"
  retention_in_days = var.flow_log_days
  kms_key_id        = aws_kms_key.logs.arn
}

# --- Rights ---

# The flow log service alone may take the role, and for this account only.
data "aws_iam_policy_document" "flow_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

# What the role may do: write into its log group.
data "aws_iam_policy_document" "flow_write" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
    resources = ["${aws_cloudwatch_log_group.flow.arn}:*"]
  }
}

# The role with which flow logs are written.
resource "aws_iam_role" "flow" {
  name_prefix        = "${local.prefix}-flow-"
  assume_role_policy = data.aws_iam_policy_document.flow_trust.json
}

# Gives the role its one right.
resource "aws_iam_role_policy" "flow" {
  name_prefix = "write-logs-"
  role        = aws_iam_role.flow.id
  policy      = data.aws_iam_policy_document.flow_write.json
}

# --- Flow log ---

# Records accepted and rejected traffic of the whole VPC.
resource "aws_flow_log" "this" {
  vpc_id          = aws_vpc.this.id
  traffic_type    = "ALL"
  iam_role_arn    = aws_iam_role.flow.arn
  log_destination = aws_cloudwatch_log_group.flow.arn

  tags = {
    Name = local.prefix
  }
}
