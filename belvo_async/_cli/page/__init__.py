"""The commands that show the morning page: report, ui."""
