# The cluster's network: nodes in private subnets, load balancers in public ones.

locals {
  # Zone name to its index; the index chooses the address range, so that a new zone moves no other.
  zones = { for index in range(var.zones) : data.aws_availability_zones.available.names[index] => index }
}

# Zones of the region that are open to every account; local zones are left out.
data "aws_availability_zones" "available" {
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }

  lifecycle {
    postcondition {
      condition     = length(self.names) >= var.zones
      error_message = "The region ${var.region} has fewer availability zones than the ${var.zones} asked for."
    }
  }
}

# --- Network ---

# The network, with names that resolve inside it.
resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_hostnames = true
  enable_dns_support   = true

  tags = {
    Name = local.prefix
  }
}

# The default security group is emptied: what uses it by accident reaches nothing.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
}

# --- Public subnets ---

# One public subnet in each zone; even here nothing gets a public address by itself.
resource "aws_subnet" "public" {
  for_each = local.zones

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.cidr, 4, each.value)
  map_public_ip_on_launch = false

  tags = {
    Name                     = "${local.prefix}-public-${each.key}"
    "kubernetes.io/role/elb" = "1"
  }
}

# The way to and from the internet for the public subnets.
resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = {
    Name = local.prefix
  }
}

# Routes of the public subnets.
resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  tags = {
    Name = "${local.prefix}-public"
  }
}

# What is not in the VPC is reached through the internet gateway.
resource "aws_route" "public" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

# Each public subnet uses the public routes.
resource "aws_route_table_association" "public" {
  for_each = local.zones

  subnet_id      = aws_subnet.public[each.key].id
  route_table_id = aws_route_table.public.id
}

# --- NAT ---

# An address that stays the same for each NAT gateway, so that partners can allow it.
resource "aws_eip" "nat" {
  for_each = local.zones

  domain = "vpc"

  tags = {
    Name = "${local.prefix}-nat-${each.key}"
  }

  depends_on = [aws_internet_gateway.this]
}

# Lets private subnets reach the internet, and nobody reach them.
resource "aws_nat_gateway" "this" {
  for_each = local.zones

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id

  tags = {
    Name = "${local.prefix}-${each.key}"
  }
}

# --- Private subnets ---

# One private subnet in each zone, in the upper half of the range.
resource "aws_subnet" "private" {
  for_each = local.zones

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.cidr, 4, each.value + 8)

  tags = {
    Name                              = "${local.prefix}-private-${each.key}"
    "kubernetes.io/role/internal-elb" = "1"
  }
}

# Routes of each private subnet, so that a zone depends on no other.
resource "aws_route_table" "private" {
  for_each = local.zones

  vpc_id = aws_vpc.this.id

  tags = {
    Name = "${local.prefix}-private-${each.key}"
  }
}

# What is not in the VPC is reached through the zone's NAT gateway.
resource "aws_route" "private" {
  for_each = local.zones

  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[each.key].id
}

# Each private subnet uses the routes of its zone.
resource "aws_route_table_association" "private" {
  for_each = local.zones

  subnet_id      = aws_subnet.private[each.key].id
  route_table_id = aws_route_table.private[each.key].id
}

# S3 is reached without NAT: traffic stays in the AWS network and costs nothing.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [for table in aws_route_table.private : table.id]

  tags = {
    Name = "${local.prefix}-s3"
  }
}

# --- Flow logs ---

# Holds the flow logs: who talked to whom, for the day on which somebody asks.
resource "aws_cloudwatch_log_group" "flow" {
  name              = "/aws/eks/${local.prefix}/network"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
}

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
