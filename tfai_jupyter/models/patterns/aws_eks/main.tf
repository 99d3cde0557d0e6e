# An EKS cluster: private API, nodes in private subnets, secrets encrypted with a key of its own, and IAM roles
# for service accounts (IRSA) instead of rights for whole nodes.

locals {
  prefix     = "${var.name}-${var.environment}"
  account_id = data.aws_caller_identity.current.account_id
}

# Who runs this, to name the account in policies.
data "aws_caller_identity" "current" {}

# --- Encryption ---

# CloudWatch may use the key for the cluster's logs; the account's administrators keep control of it.
data "aws_iam_policy_document" "key" {
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
      values   = ["arn:aws:logs:${var.region}:${local.account_id}:log-group:/aws/eks/${local.prefix}/*"]
    }
  }
}

# Encrypts Kubernetes secrets and the cluster's logs; it rotates each year.
resource "aws_kms_key" "this" {
  description             = "Encrypts secrets and logs of the cluster ${local.prefix}"
  deletion_window_in_days = 30
  enable_key_rotation     = true
  policy                  = data.aws_iam_policy_document.key.json
}

# --- Cluster ---

# The control plane's logs; made here, so that they are encrypted and do not stay forever.
resource "aws_cloudwatch_log_group" "cluster" {
  name              = "/aws/eks/${local.prefix}/cluster"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
}

# The control plane. Who may use it is said by access entries, not by a ConfigMap.
resource "aws_eks_cluster" "this" {
  name                      = local.prefix
  version                   = var.kubernetes_version
  role_arn                  = aws_iam_role.cluster.arn
  enabled_cluster_log_types = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
  deletion_protection       = var.deletion_protection

  # The add-ons below replace the ones that EKS would install by itself.
  bootstrap_self_managed_addons = false

  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = true
  }

  encryption_config {
    resources = ["secrets"]

    provider {
      key_arn = aws_kms_key.this.arn
    }
  }

  vpc_config {
    subnet_ids              = [for subnet in aws_subnet.private : subnet.id]
    endpoint_private_access = true
    endpoint_public_access  = length(var.public_access_cidrs) > 0
    public_access_cidrs     = length(var.public_access_cidrs) > 0 ? var.public_access_cidrs : null
  }

  depends_on = [aws_cloudwatch_log_group.cluster, aws_iam_role_policy_attachment.cluster]
}

# --- Nodes ---

# How each node starts: IMDSv2 alone, out of reach of pods, and an encrypted disk.
resource "aws_launch_template" "node" {
  name_prefix = "${local.prefix}-node-"
  description = "Nodes of the cluster ${local.prefix}"

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      encrypted             = true
      volume_size           = 50
      volume_type           = "gp3"
      delete_on_termination = true
    }
  }

  tag_specifications {
    resource_type = "instance"

    tags = {
      Name = "${local.prefix}-node"
    }
  }
}

# Nodes in the private subnets, replaced one third at a time.
resource "aws_eks_node_group" "this" {
  cluster_name           = aws_eks_cluster.this.name
  node_group_name_prefix = "${local.prefix}-"
  node_role_arn          = aws_iam_role.node.arn
  subnet_ids             = [for subnet in aws_subnet.private : subnet.id]
  instance_types         = var.instance_types
  ami_type               = "AL2023_ARM_64_STANDARD"

  scaling_config {
    desired_size = var.nodes
    min_size     = var.nodes
    max_size     = var.nodes * 3
  }

  update_config {
    max_unavailable_percentage = 33
  }

  launch_template {
    id      = aws_launch_template.node.id
    version = aws_launch_template.node.latest_version
  }

  lifecycle {
    create_before_destroy = true

    # An autoscaler changes it.
    ignore_changes = [scaling_config[0].desired_size]
  }

  depends_on = [aws_eks_addon.network, aws_iam_role_policy_attachment.node]
}

# --- Add-ons ---

# The network of pods, with network policies; it acts with a role of its own.
resource "aws_eks_addon" "network" {
  cluster_name             = aws_eks_cluster.this.name
  addon_name               = "vpc-cni"
  service_account_role_arn = aws_iam_role.service_account["vpc-cni"].arn

  configuration_values = jsonencode({
    enableNetworkPolicy = "true"
  })

  depends_on = [aws_iam_role_policy_attachment.service_account]
}

# Services reach their pods.
resource "aws_eks_addon" "proxy" {
  cluster_name = aws_eks_cluster.this.name
  addon_name   = "kube-proxy"
}

# Names inside the cluster; it needs nodes to run on.
resource "aws_eks_addon" "dns" {
  cluster_name = aws_eks_cluster.this.name
  addon_name   = "coredns"

  depends_on = [aws_eks_node_group.this]
}

# Volumes on EBS; the driver acts with a role of its own.
resource "aws_eks_addon" "volumes" {
  cluster_name             = aws_eks_cluster.this.name
  addon_name               = "aws-ebs-csi-driver"
  service_account_role_arn = aws_iam_role.service_account["ebs-csi"].arn

  depends_on = [aws_eks_node_group.this, aws_iam_role_policy_attachment.service_account]
}
