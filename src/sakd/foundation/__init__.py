"""The basis of every part: errors, tables of names, files, randomness, the machine."""
