"""From a received event to a row: a list of named pure steps, each of which lets an event pass, drops it or sets it aside.

No step reads a clock, a file or the network.
"""
