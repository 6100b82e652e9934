"""Personal data that gives itself away by its form: found, and masked before it leaves."""
