# Hardened EC2 instances: no public address, no SSH, IMDSv2 alone, encrypted disks, reached through Session Manager.

locals {
  prefix = "${var.name}-${var.environment}"
  zones  = slice(data.aws_availability_zones.available.names, 0, 2)

  # Interface endpoints that Session Manager needs where there is no way to the internet.
  endpoints = toset(["ec2messages", "ssm", "ssmmessages"])
}

# Zones of the region that are open to every account.
data "aws_availability_zones" "available" {
  state = "available"
}

# The current image of Amazon Linux 2023 for Arm.
data "aws_ssm_parameter" "image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
}

# --- Network ---

# A network without an internet gateway: nothing reaches the instances, and they reach nothing outside.
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

# A private subnet in each of two zones.
resource "aws_subnet" "private" {
  count = length(local.zones)

  vpc_id            = aws_vpc.this.id
  availability_zone = local.zones[count.index]
  cidr_block        = cidrsubnet(var.cidr, 2, count.index)

  tags = {
    Name = "${local.prefix}-private-${local.zones[count.index]}"
  }
}

# Amazon Linux's packages come from S3, reached inside the AWS network.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_vpc.this.main_route_table_id]
}

# Session Manager is reached inside the AWS network, too.
resource "aws_vpc_endpoint" "interface" {
  for_each = local.endpoints

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = aws_subnet.private[*].id
  security_group_ids  = [aws_security_group.endpoints.id]

  tags = {
    Name = "${local.prefix}-${each.key}"
  }
}

# --- Security groups ---

# Who may talk to the endpoints.
resource "aws_security_group" "endpoints" {
  name_prefix = "${local.prefix}-endpoints-"
  description = "Endpoints of Session Manager"
  vpc_id      = aws_vpc.this.id

  lifecycle {
    create_before_destroy = true
  }
}

# The VPC reaches the endpoints over TLS.
resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  security_group_id = aws_security_group.endpoints.id
  description       = "TLS from the VPC"
  cidr_ipv4         = aws_vpc.this.cidr_block
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# The instances: no rule lets anything in.
resource "aws_security_group" "instance" {
  name_prefix = "${local.prefix}-instance-"
  description = "Instances of ${local.prefix}: nothing comes in"
  vpc_id      = aws_vpc.this.id

  lifecycle {
    create_before_destroy = true
  }
}

# The instances reach the endpoints.
resource "aws_vpc_security_group_egress_rule" "endpoints" {
  security_group_id            = aws_security_group.instance.id
  description                  = "TLS to the endpoints of Session Manager"
  referenced_security_group_id = aws_security_group.endpoints.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

# The instances reach S3, for packages.
resource "aws_vpc_security_group_egress_rule" "s3" {
  security_group_id = aws_security_group.instance.id
  description       = "TLS to S3"
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# --- Rights ---

# EC2 instances alone may take the role.
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

# The role of the instances; attach here what the software on them needs.
resource "aws_iam_role" "instance" {
  name_prefix        = "${local.prefix}-"
  description        = "Instances of ${local.prefix}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

# Session Manager replaces SSH: no key, no open port, every session is logged.
resource "aws_iam_role_policy_attachment" "session_manager" {
  role       = aws_iam_role.instance.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

# Hands the role to the instances.
resource "aws_iam_instance_profile" "instance" {
  name_prefix = "${local.prefix}-"
  role        = aws_iam_role.instance.name
}

# --- Instances ---

# Encrypts the disks; it rotates each year.
resource "aws_kms_key" "disk" {
  description             = "Encrypts the disks of ${local.prefix}"
  deletion_window_in_days = 30
  enable_key_rotation     = true
}

# The instances themselves, in turn over the zones.
resource "aws_instance" "this" {
  count = var.instances

  ami                         = data.aws_ssm_parameter.image.insecure_value
  instance_type               = var.instance_type
  subnet_id                   = aws_subnet.private[count.index % length(local.zones)].id
  vpc_security_group_ids      = [aws_security_group.instance.id]
  iam_instance_profile        = aws_iam_instance_profile.instance.name
  associate_public_ip_address = false
  disable_api_termination     = var.termination_protection
  ebs_optimized               = true
  monitoring                  = true

  # IMDSv2 alone, and not from containers: a forged request cannot read the role's credentials.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    encrypted   = true
    kms_key_id  = aws_kms_key.disk.arn
    volume_size = var.root_volume_gib
    volume_type = "gp3"

    tags = {
      Name = "${local.prefix}-${count.index + 1}"
    }
  }

  tags = {
    Name = "${local.prefix}-${count.index + 1}"
  }

  lifecycle {
    # A new image is a decision, not a side effect of the next apply.
    ignore_changes = [ami]
  }
}
