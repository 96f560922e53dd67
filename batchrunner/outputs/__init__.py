"""What a run leaves for people and programs to read: one format a file."""
