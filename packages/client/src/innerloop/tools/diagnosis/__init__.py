"""`innerloop status` and `innerloop doctor`: what holds on this machine, and why."""
