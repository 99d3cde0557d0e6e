"""Chat models, one file per wire format."""
