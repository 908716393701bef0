"""The collection file (rule 19.7): what a bailiff or a court needs of one client, in one ZIP."""
