// Follows one process of Hexwave live: ably-js, and the token endpoint.
import { Realtime } from "ably";
import { useEffect, useRef, useState } from "react";

const IDLE = { status: "idle", data: null, error: null, isLoading: false };

async function token(processId) {
  const answer = await fetch(`/api/ably/token?processId=${processId}`);
  if (!answer.ok) throw new Error(`No token: ${answer.status}`);
  // Without an Ably key, Hexwave brings an Ably-compatible server of its own, which this header names.
  return { request: await answer.json(), endpoint: answer.headers.get("Hexwave-Ably-Endpoint") };
}

async function connect(processId) {
  const first = await token(processId);
  const [host, port] = first.endpoint?.split(":") ?? [];
  return new Realtime({
    ...(host && { endpoint: host, port: Number(port), tls: false }),
    // A token lasts for an hour: ably-js asks for the next one by itself.
    authCallback: (_, done) => token(processId).then(({ request }) => done(null, request), (error) => done(String(error), null)),
  });
}

export function useProcess(processId, { onComplete, onError } = {}) {
  const [state, setState] = useState(IDLE);
  const hooks = useRef({});
  hooks.current = { onComplete, onError };

  useEffect(() => {
    if (!processId) return setState(IDLE);
    let client, gone = false, sequence = 0;

    function take(news) {
      // News comes twice and out of order; an end comes once.
      if (gone || news.sequence <= sequence) return;
      sequence = news.sequence;
      const { status, data } = news;
      setState({ status, data, error: data?.error ?? null, isLoading: status === "processing" });
      if (status === "completed") hooks.current.onComplete?.(data);
      if (status === "failed") hooks.current.onError?.(data.error);
      if (status !== "processing") client?.close();
    }

    async function read() {
      const answer = await fetch(`/api/processes/${processId}`);
      if (answer.ok) take(await answer.json());
    }

    async function follow() {
      client = await connect(processId);
      if (gone) return client.close();
      const channel = client.channels.get(`process:${processId}`);
      // Each time it is attached, something may have been missed: the store knows it.
      channel.on("attached", read);
      channel.on("update", read);
      await channel.subscribe((message) => take(message.data));
    }

    follow().catch(read);
    return () => {
      gone = true;
      client?.close();
    };
  }, [processId]);

  return state;
}
