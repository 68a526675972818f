"""`innerloop describe` and `innerloop show`: what can be collected, and the very bytes."""
