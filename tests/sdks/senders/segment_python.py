"""Send numbered events with Segment's Python SDK, or one that was made of it. Runs with that SDK's interpreter.

The argument is JSON. Every event that the SDK gives up is written to stdout, one line each: its number.
"""

import importlib
import json
import logging
import sys
import time

order = json.loads(sys.argv[1])
logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
sdk = importlib.import_module(order["module"] + ".client")


def given_up(error: Exception, batch: list) -> None:
    print(repr(error), file=sys.stderr)
    for message in batch:
        print(message["properties"]["duration_ms"], flush=True)


client = sdk.Client(order["key"], host=order["host"], on_error=given_up, **order["options"])
for number in range(order["first"], order["first"] + order["count"]):
    properties = {**order["properties"], "duration_ms": number}
    while True:
        outcome = client.track(f"user-{number % 50}", order["event"], properties)
        if outcome if isinstance(outcome, bool) else outcome[0]:
            break
        time.sleep(0.05)
client.flush()
client.join()
