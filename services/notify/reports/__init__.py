"""What comes back: delivery reports, complaints, automatic answers and answers of people, read from their bytes.

``reading`` takes a mail apart, ``judging`` says what it means, ``phrases`` holds the words that mail servers use.
None of them knows a database, a mailbox or a message that was sent.
"""
