"""Reading what jobs brought: pages to rows, rows to records, files to bytes."""
