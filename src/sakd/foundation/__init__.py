"""What every part stands on: errors, tables of names, files, randomness, the machine."""
