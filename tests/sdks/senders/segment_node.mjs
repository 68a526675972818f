// Send numbered events with Segment's SDK for Node. The argument is JSON; every event that the SDK gives up is a line on stdout.
import { Analytics } from '@segment/analytics-node'

const MOST_WAITING = 300
const order = JSON.parse(process.argv[2])
const analytics = new Analytics({ writeKey: order.key, host: order.host, ...order.options })
analytics.on('error', (error) => console.error(error.code, String(error.reason)))
let waiting = 0
for (let number = order.first; number < order.first + order.count; number++) {
  waiting += 1
  const event = {
    userId: `user-${number % 50}`,
    event: order.event,
    properties: { ...order.properties, duration_ms: number },
  }
  analytics.track(event, (error) => {
    if (error) console.log(number)
    waiting -= 1
  })
  while (waiting >= MOST_WAITING) await new Promise((resolve) => setTimeout(resolve, 20))
}
await analytics.closeAndFlush({ timeout: 240000 })
