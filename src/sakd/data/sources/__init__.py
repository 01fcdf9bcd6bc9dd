"""Where images come from: one class per dataset or layout of files."""
