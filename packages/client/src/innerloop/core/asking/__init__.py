"""The dialogue with a person: the question, the invitation, opting out."""
