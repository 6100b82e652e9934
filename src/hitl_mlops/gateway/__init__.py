"""The decision service: an application asks over HTTP, and may act or hears that people have it."""
