# IAM roles for an EKS cluster, its nodes, and (IRSA) the service accounts of pods, each with the least it needs.

locals {
  prefix = "${var.name}-${var.environment}"

  # Policies of AWS that every node needs. Networking is not among them: the CNI has a role of its own.
  node_policies = toset([
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEKSWorkerNodePolicy",
    "AmazonSSMManagedInstanceCore",
  ])

  # Roles of service accounts exist once there is an issuer to trust.
  service_accounts = var.oidc_issuer == null ? {} : var.service_accounts
  issuer_host      = var.oidc_issuer == null ? "" : trimprefix(var.oidc_issuer, "https://")

  # One entry for each role and policy.
  grants = merge([
    for role, account in local.service_accounts : {
      for arn in account.policy_arns : "${role}/${basename(arn)}" => { role = role, arn = arn }
    }
  ]...)
}

# --- Cluster ---

# The EKS service alone may take the cluster's role.
data "aws_iam_policy_document" "cluster_trust" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["eks.amazonaws.com"]
    }
  }
}

# The role with which the control plane acts.
resource "aws_iam_role" "cluster" {
  name_prefix        = "${local.prefix}-cluster-"
  description        = "Control plane of the EKS cluster ${local.prefix}"
  assume_role_policy = data.aws_iam_policy_document.cluster_trust.json
}

# What AWS says a control plane needs.
resource "aws_iam_role_policy_attachment" "cluster" {
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
}

# --- Nodes ---

# EC2 instances alone may take the nodes' role.
data "aws_iam_policy_document" "node_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

# The role of every node: pods do not share it, they have roles of their own below.
resource "aws_iam_role" "node" {
  name_prefix        = "${local.prefix}-node-"
  description        = "Nodes of the EKS cluster ${local.prefix}"
  assume_role_policy = data.aws_iam_policy_document.node_trust.json
}

# Join the cluster, pull images, and be reached through Session Manager instead of SSH.
resource "aws_iam_role_policy_attachment" "node" {
  for_each = local.node_policies

  role       = aws_iam_role.node.name
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}

# --- Service accounts (IRSA) ---

# Makes the cluster's tokens known to IAM.
resource "aws_iam_openid_connect_provider" "cluster" {
  count = var.oidc_issuer == null ? 0 : 1

  url            = var.oidc_issuer
  client_id_list = ["sts.amazonaws.com"]
}

# One service account of one namespace may take each role, with a token meant for AWS.
data "aws_iam_policy_document" "service_account_trust" {
  for_each = local.service_accounts

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.cluster[0].arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer_host}:sub"
      values   = ["system:serviceaccount:${each.value.namespace}:${each.value.service_account}"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer_host}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

# The role of each service account.
resource "aws_iam_role" "service_account" {
  for_each = local.service_accounts

  name_prefix        = substr("${local.prefix}-${each.key}-", 0, 38)
  description        = "Service account ${each.value.namespace}/${each.value.service_account} of ${local.prefix}"
  assume_role_policy = data.aws_iam_policy_document.service_account_trust[each.key].json
}

# The policies of each service account.
resource "aws_iam_role_policy_attachment" "service_account" {
  for_each = local.grants

  role       = aws_iam_role.service_account[each.value.role].name
  policy_arn = each.value.arn
}
