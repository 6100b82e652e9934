"""The policy as code: which decisions a person must see, and with which probability the others."""
