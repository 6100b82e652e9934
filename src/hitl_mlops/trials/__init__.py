"""Two policies on live cases: how much oversight is enough, by evidence that holds at every look."""
