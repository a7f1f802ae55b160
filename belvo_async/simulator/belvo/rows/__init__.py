"""What the SAT knows of a link's taxpayer, as rows in Belvo's own shape."""
