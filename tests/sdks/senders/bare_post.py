"""Send numbered events as the founding system did: one POST each to /v1/track, no message id, one attempt.

The argument is JSON. Every event that was not acknowledged is written to stdout, one line each: its number.
"""

import base64
import json
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

DEVELOPERS = 8
order = json.loads(sys.argv[1])
authorization = "Basic " + base64.b64encode((order["key"] + ":").encode()).decode()


def send(number: int) -> None:
    """Send one event, as one developer's command did."""
    event = {
        "event": order["event"],
        "userId": f"user-{number % 50}",
        "properties": {**order["properties"], "duration_ms": number},
        "sentAt": datetime.now(UTC).isoformat(),
    }
    request = urllib.request.Request(
        order["host"] + "/v1/track",
        data=json.dumps(event).encode(),
        headers={"Content-Type": "application/json", "Authorization": authorization},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            assert response.status == 200
    except OSError as error:
        print(repr(error), file=sys.stderr)
        print(number, flush=True)


with ThreadPoolExecutor(DEVELOPERS) as developers:
    list(developers.map(send, range(order["first"], order["first"] + order["count"])))
