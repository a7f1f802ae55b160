"""Who owns a company and who acts for it: shareholders, company verification, background checks."""
