"""What a session tells of the jobs that its store knows."""
