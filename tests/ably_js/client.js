// An ably-js client that is driven through its pipes, one JSON value a line.
//
//   node client.js '{"authUrl": ...}'                     Ably's ClientOptions
//   in   {"id": 1, "call": "subscribe", "channel": "process:p_1"}
//   out  {"id": 1, "answer": ...} or {"id": 1, "error": {"code", "statusCode", "message"}}
//        {"message": {"channel", "name", "data"}}         whatever a subscription hears
//        {"connection": {"state", "token", "error"}}      each state, and each renewed token
//
// It ends when its input does.
import { createInterface } from "node:readline";
import Ably from "ably";

const tell = (line) => console.log(JSON.stringify(line));
const plain = (error) => error && { code: error.code, statusCode: error.statusCode, message: error.message };

const options = { ...JSON.parse(process.argv[2]), logHandler: (text) => console.error(text) };
const rest = new Ably.Rest(options);
const realtime = new Ably.Realtime(options);

realtime.connection.on(({ current, reason }) =>
  tell({ connection: { state: current, token: realtime.auth.tokenDetails?.token, error: plain(reason) } }),
);

const calls = {
  authorize: () => realtime.auth.authorize(),
  attach: (channel) => realtime.channels.get(channel).attach(),
  subscribe: (channel) =>
    realtime.channels
      .get(channel)
      .subscribe(({ name, data }) => tell({ message: { channel, name, data } })),
  publish: (channel) => realtime.channels.get(channel).publish("status", { status: "failed" }),
  history: (channel) => realtime.channels.get(channel).history(),
  restPublish: (channel) => rest.channels.get(channel).publish("status", { status: "failed" }),
  restHistory: (channel) => rest.channels.get(channel).history(),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, call, channel } = JSON.parse(line);
  calls[call](channel).then(
    (answer) => tell({ id, answer }),
    (error) => tell({ id, error: plain(error) }),
  );
}
process.exit();
