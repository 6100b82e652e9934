"""The figures of the loop and the report that shows them."""
