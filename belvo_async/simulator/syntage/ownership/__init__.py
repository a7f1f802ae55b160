"""Who owns and who acts for whom: shareholders, company verification, background checks, and their insights."""
