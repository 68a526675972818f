"""How each library of Segment and RudderStack asks, as read in its source: the path, where the write key stands, what the body looks like.

What cannot be installed here is sent as it would send. docs/reference/http-api.md has the same table.
"""

import base64
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

Message = dict[str, Any]
HERE = timezone(timedelta(hours=5, minutes=30))  # the zone of a library that writes its own


@dataclass(frozen=True)
class Form:
    """One library's request."""

    name: str  # and version
    source: str  # repository and file
    path: str
    message: Callable[[Message, datetime], Message]  # what it makes of an event
    around: Callable[[list[Message], str, datetime], Any] | None  # the body of several; None: one message is the body
    key: str = "Basic"  # where the write key stands: Basic, body, address
    packed: str = ""  # gzip
    content_type: str = "application/json"
    chunked: bool = False
    also: tuple[tuple[str, str], ...] = ()  # further headers
    done: str = "2xx"
    again: str = "429, 5xx"

    def headers(self, key: str) -> dict[str, str]:
        """The headers that matter to a receiver."""
        found = {"Content-Type": self.content_type} if self.content_type else {}
        if "Basic" in self.key:
            found["Authorization"] = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
        if self.packed:
            found["Content-Encoding"] = self.packed
        return found | dict(self.also)

    def address(self, key: str) -> str:
        """The path, and what follows it."""
        return f"{self.path}?writeKey={key}" if self.key == "address" else self.path

    def body(self, events: list[Message], key: str) -> bytes:
        """The bytes of a request."""
        now = datetime.now(UTC)
        messages = [self.message(event, now) for event in events]
        whole = messages[0] if self.around is None else self.around(messages, key, now)
        if self.around is None and "body" in self.key:
            whole = {**whole, "writeKey": key}
        data = json.dumps(whole).encode()
        return gzip.compress(data) if self.packed else data


def milli(time: datetime) -> str:
    """Write milliseconds and Z."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def php(time: datetime) -> str:
    """PHP's `date('c')`: whole seconds and an offset."""
    return time.astimezone(HERE).isoformat(timespec="seconds")


def dotnet(time: datetime) -> str:
    """.NET's round trip format: seven digits."""
    here = time.astimezone(HERE)
    return here.strftime("%Y-%m-%dT%H:%M:%S.%f") + "7+05:30"


def nano(time: datetime) -> str:
    """Go's and Rust's: nine digits."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z"


def ruby(time: datetime) -> str:
    """Milliseconds and an offset."""
    return time.astimezone(HERE).isoformat(timespec="milliseconds")


def segment(written: Callable[[datetime], str], **more: Any) -> Callable[[Message, datetime], Message]:
    """A message of Segment's libraries."""
    return lambda event, now: {**event, "timestamp": written(now), "integrations": {}, **more}


def single(written: Callable[[datetime], str], **more: Any) -> Callable[[Message, datetime], Message]:
    """A message that is a request of its own and says when it is sent."""
    return lambda event, now: {**segment(written, **more)(event, now), "sentAt": written(now)}


def rudder(written: Callable[[datetime], str], **more: Any) -> Callable[[Message, datetime], Message]:
    """A message of RudderStack's libraries: another name for the time, and the time of sending in each."""

    def made(event: Message, now: datetime) -> Message:
        usual = {name: value for name, value in event.items() if name != "timestamp"}
        times = {"originalTimestamp": written(now), "sentAt": written(now)}
        return {**usual, **times, "channel": "server", "integrations": {"All": True}, "context": {"library": {"name": "x"}}, **more}

    return made


def bare(written: Callable[[datetime], str]) -> Callable[[Message, datetime], Message]:
    """A message without an id of its own, as libraries in Rust send it."""
    return lambda event, now: {name: value for name, value in {**event, "timestamp": written(now)}.items() if name != "messageId"}


def batch(written: Callable[[datetime], str], **more: Any) -> Callable[[list[Message], str, datetime], Any]:
    """A batch that says when it is sent."""
    return lambda messages, _, now: {"batch": messages, "sentAt": written(now), **more}


def keyed(written: Callable[[datetime], str], **more: Any) -> Callable[[list[Message], str, datetime], Any]:
    """A batch that says when it is sent, and the write key."""
    return lambda messages, key, now: {"batch": messages, "sentAt": written(now), "writeKey": key, **more}


def only(messages: list[Message], _: str, __: datetime) -> Any:
    """A batch that says nothing else."""
    return {"batch": messages}


JAVA = {"sequence": 1, "context": {"library": {"name": "analytics-java"}}}
FORMS = (
    Form("analytics-ruby 2.5.0", "segmentio/analytics-ruby lib/segment/analytics/transport.rb", "/v1/import",
         segment(ruby), batch(ruby), done="below 400, with a JSON body"),
    Form("analytics-java 3.5.5", "segmentio/analytics-java analytics/…/internal/AnalyticsClient.java", "/v1/import/",
         segment(milli), keyed(milli, **JAVA), key="Basic, body", done='2xx, `{"success": …}`', again="408, 410, 429, 460, 5xx but 501, 505, 511"),
    Form("analytics-go 3.3.0", "segmentio/analytics-go analytics.go", "/v1/batch",
         segment(nano), batch(nano, messageId="of the batch", context=None), done="below 300", again="all else, 10 times"),
    Form("analytics-php 3.8.2", "segmentio/analytics-php lib/Consumer/LibCurl.php", "/v1/batch",
         segment(php), batch(php), packed="gzip", done="200"),
    Form("Analytics.NET 3.8.1", "segmentio/Analytics.NET Analytics/Request/BlockingRequestHandler.cs", "/v1/import",
         segment(dotnet), batch(dotnet, messageId="of the batch"), packed="gzip", done="200"),
    Form("Analytics-CSharp 2.6.0", "segmentio/Analytics-CSharp …/Utilities/HTTPClient.cs", "/v1/b",
         segment(lambda time: dotnet(time)[:-6] + "Z"), keyed(lambda time: dotnet(time)[:-6] + "Z"), key="body", packed="gzip",
         content_type="", also=(("Connection", "close"),), again="3xx, 429, 5xx"),
    Form("Analytics.Xamarin", "segmentio/Analytics.Xamarin Analytics.Xamarin.Pcl/Request/BlockingRequestHandler.cs", "/v1/import",
         segment(dotnet), batch(dotnet), again="never"),
    Form("analytics-next 1.84.1 (browser)", "segmentio/analytics-next packages/browser/src/plugins/segmentio/fetch-dispatcher.ts", "/v1/t",
         single(milli, _metadata={"bundled": ["Segment.io"], "unbundled": [], "bundledIds": []}), None, key="Basic, body",
         content_type="text/plain", done="below 400", again="429, 5xx"),
    Form("analytics-next 1.84.1 (browser, batching)", "segmentio/analytics-next packages/browser/src/plugins/segmentio/batched-dispatcher.ts",
         "/v1/b", segment(milli), keyed(milli), key="Basic, body", content_type="text/plain", done="below 400"),
    Form("analytics-kotlin 1.25.0", "segmentio/analytics-kotlin core/…/core/HTTPClient.kt", "/v1/b",
         segment(milli), keyed(milli), key="body", packed="gzip", content_type="text/plain", chunked=True),
    Form("analytics-swift 1.10.0", "segmentio/analytics-swift Sources/Segment/Utilities/Networking/HTTPClient.swift", "/v1/b",
         segment(milli), keyed(milli), key="body", content_type="application/json; charset=utf-8", again="all but 400"),
    Form("analytics-android 4.11.4", "segmentio/analytics-android …/analytics/ConnectionFactory.java", "/v1/import",
         segment(milli), keyed(milli), key="body", packed="gzip", chunked=True),
    Form("analytics-ios 4.1.8", "segmentio/analytics-ios Segment/Classes/SEGHTTPClient.m", "/v1/batch",
         segment(milli), keyed(milli), key="body", packed="gzip", again="3xx, 429, 5xx"),
    Form("analytics-react-native 2.21.4", "segmentio/analytics-react-native packages/core/src/api.ts", "/v1/b",
         segment(milli), keyed(milli), key="body", content_type="application/json; charset=utf-8"),
    Form("analytics_flutter 1.1.10", "segmentio/analytics_flutter packages/core/lib/utils/http_client.dart", "/v1/b",
         segment(milli), keyed(milli), key="body", content_type="application/json; charset=utf-8", again="all else"),
    Form("analytics-rust 0.2.1", "segmentio/analytics-rust src/http.rs", "/v1/track", bare(nano), None, again="never"),
    Form("analytics-rust 0.2.1 (batch)", "segmentio/analytics-rust src/batcher.rs", "/v1/batch", bare(nano), only, again="never"),
    Form("rudder-sdk-ruby 3.2.1", "rudderlabs/rudder-sdk-ruby lib/rudder/analytics/transport.rb", "/v1/batch",
         lambda event, now: {**rudder(milli)(event, now), "timestamp": milli(now)}, only, packed="gzip", done="any other"),
    Form("rudder-sdk-java 3.1.4", "rudderlabs/rudder-sdk-java analytics/…/internal/AnalyticsClient.java", "/v1/batch",
         lambda event, now: {**segment(milli)(event, now), "sentAt": milli(now), "channel": "server"}, keyed(milli, **JAVA), key="Basic, body"),
    Form("rudderlabs/analytics-go 4.2.3", "rudderlabs/analytics-go analytics.go", "/v1/batch",
         rudder(nano), only, packed="gzip", also=(("RS-userAgent", "serverSDK"),), done="below 300", again="all else, 10 times"),
    Form("rudder-php-sdk 2.2.0", "rudderlabs/rudder-php-sdk lib/Consumer/LibCurl.php", "/v1/batch",
         segment(php, channel="server"), batch(php), packed="gzip", also=(("AnonymousId", "dQ=="),)),
    Form("rudder-sdk-.net 2.0.2", "rudderlabs/rudder-sdk-.net RudderAnalytics/Request/BlockingRequestHandler.cs", "/v1/batch",
         segment(dotnet), batch(dotnet, messageId="of the batch"), packed="gzip", done='200, without the words "Invalid JSON"'),
    Form("rudder-sdk-rust 2.0.1", "rudderlabs/rudder-sdk-rust src/client.rs", "/v1/track",
         lambda event, now: {name: value for name, value in rudder(nano)(event, now).items() if name != "messageId"}, None),
    Form("rudder-sdk-js 3.31.6 (browser)", "rudderlabs/rudder-sdk-js packages/analytics-js-plugins/src/xhrQueue/utilities.ts", "/v1/track",
         rudder(milli, channel="web"), None, also=(("AnonymousId", "dQ=="),), again="429, 5xx, no answer"),
    Form("rudder-sdk-js 3.31.6 (browser, batch)", "rudderlabs/rudder-sdk-js packages/analytics-js-plugins/src/xhrQueue/utilities.ts",
         "/v1/batch", rudder(milli, channel="web"), batch(milli), also=(("AnonymousId", "dQ=="),), again="429, 5xx, no answer"),
    Form("rudder-sdk-js 3.31.6 (beacon)", "rudderlabs/rudder-sdk-js packages/analytics-js-plugins/src/beaconQueue/utilities.ts",
         "/beacon/v1/batch", rudder(milli, channel="web"), batch(milli), key="address", content_type="text/plain", done="unseen", again="never"),
    Form("analytics-js-service-worker 3.3.13", "rudderlabs/rudder-sdk-js packages/analytics-js-service-worker/src/Analytics.ts", "/v1/batch",
         rudder(milli, channel="service-worker"), batch(milli)),
    Form("rudder-sdk-kotlin 1.7.0", "rudderlabs/rudder-sdk-kotlin core/…/internals/network/HttpClientImpl.kt", "/v1/batch",
         rudder(milli, channel="mobile"), batch(milli), also=(("AnonymousId", "dQ=="),), again="all but 400, 401, 404, 413"),
    Form("rudder-sdk-swift 1.3.1", "rudderlabs/rudder-sdk-swift Sources/RudderStackAnalytics/Network/HttpClient.swift", "/v1/batch",
         rudder(milli, channel="mobile"), batch(milli), also=(("AnonymousId", "dQ=="),), again="all but 400, 401, 404, 413"),
    Form("rudder-sdk-android 2.6.0 (Java)", "rudderlabs/rudder-sdk-android core/…/sdk/core/RudderNetworkManager.java", "/v1/batch",
         rudder(milli, channel="mobile"), batch(milli), packed="gzip", also=(("AnonymousId", "dQ=="),), done="200", again="all else"),
    Form("rudder-sdk-ios 2.4.3", "rudderlabs/rudder-sdk-ios Sources/Classes/RSNetworkManager.m", "/v1/batch",
         rudder(milli, channel="mobile"), batch(milli), packed="gzip", also=(("AnonymousId", "dQ=="),), done="200", again="all else"),
)  # fmt: skip
