"""The trail: what happened, in an order and wording that cannot be changed unseen."""
