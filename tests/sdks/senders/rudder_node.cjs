// Send numbered events with RudderStack's SDK for Node. The argument is JSON; every event that the SDK gives up is a line on stdout.
const RudderAnalytics = require('@rudderstack/rudder-sdk-node').default ?? require('@rudderstack/rudder-sdk-node')

const MOST_WAITING = 300
const order = JSON.parse(process.argv[2])
const analytics = new RudderAnalytics(order.key, { dataPlaneUrl: order.host, errorHandler: () => {}, logLevel: 'error', ...order.options })
let waiting = 0

async function send () {
  for (let number = order.first; number < order.first + order.count; number++) {
    waiting += 1
    const event = { userId: `user-${number % 50}`, event: order.event, properties: { ...order.properties, duration_ms: number } }
    analytics.track(event, (error) => {
      if (error) {
        console.error(String(error))
        console.log(number)
      }
      waiting -= 1
    })
    while (waiting >= MOST_WAITING) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  while (waiting) await new Promise((resolve) => setTimeout(resolve, 20))
  process.exit(0)
}

send()
