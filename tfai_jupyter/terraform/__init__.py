"""What we know of Terraform; pure, but for runner.py."""
