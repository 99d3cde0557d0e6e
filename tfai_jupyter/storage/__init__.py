"""The disk: workspace, journal, vault."""
