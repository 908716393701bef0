"""Documents of entries, most often the invoices themselves (rule 19.6): taken in by the ZIP, kept, handed out."""
