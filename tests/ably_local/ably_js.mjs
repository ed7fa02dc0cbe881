// ably-js clients of one server, driven through pipes, one JSON value a line.
//
//   node ably_js.mjs <path of a file beside node_modules> <ClientOptions> <number of clients>
//   in   {"id": 1, "call": "subscribe", "client": 0, "channel": "a", "params": {"rewind": "1"}}
//   out  {"id": 1, "answer": ...} or {"id": 1, "error": {"code", "message"}}
//        {"heard": [client, channel, data]} and {"state": [client, state, connection id]}
//
// It ends when its input does.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [beside, options, number] = process.argv.slice(2);
const Ably = createRequire(beside)("ably");
const tell = (line) => console.log(JSON.stringify(line));

const clients = Array.from({ length: Number(number) }, (_, index) => {
  const client = new Ably.Realtime({ ...JSON.parse(options), logLevel: 0 });
  client.connection.on(({ current }) => tell({ state: [index, current, client.connection.id] }));
  return client;
});

const calls = {
  attach: (channel) => channel.attach().then((change) => ({ resumed: change?.resumed, params: channel.params })),
  subscribe: (channel, { client }) => channel.subscribe(({ data }) => tell({ heard: [client, channel.name, data] })),
  publish: (channel, { data }) => channel.publish("n", data),
  batch: (_, { client, specs }) => clients[client].batchPublish(specs),
  history: (channel, { query }) => channel.history(query).then((page) => page.items.map(({ data }) => data)),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, call, ...given } = JSON.parse(line);
  const channel = clients[given.client].channels.get(given.channel, given.params && { params: given.params });
  calls[call](channel, given).then(
    (answer) => tell({ id, answer: answer ?? null }),
    ({ code, message }) => tell({ id, error: { code, message } }),
  );
}
process.exit();
