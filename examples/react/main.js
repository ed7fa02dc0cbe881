import { createElement as h, useState } from "react";
import { createRoot } from "react-dom/client";
import { useProcess } from "./useProcess.js";

async function begin(prompt) {
  const answer = await fetch("/api/generate-image", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ prompt }),
  });
  const { processId, error } = await answer.json();
  if (!answer.ok) throw new Error(error?.message ?? `Refused: ${answer.status}`);
  return processId;
}

function App() {
  const [processId, setProcessId] = useState(sessionStorage.getItem("processId"));
  const [ends, setEnds] = useState(0);
  const { status, data, error, isLoading } = useProcess(processId, {
    onComplete: () => setEnds((number) => number + 1),
  });

  async function submit(event) {
    event.preventDefault();
    const id = await begin(new FormData(event.target).get("prompt"));
    sessionStorage.setItem("processId", id);
    setProcessId(id);
  }

  return h(
    "main",
    null,
    h(
      "form",
      { onSubmit: submit },
      h("input", { name: "prompt", "aria-label": "Prompt", defaultValue: "Cold harbour at dawn" }),
      h("button", { disabled: isLoading }, "Generate"),
    ),
    h("p", { role: "status" }, `${status} ${data?.progress ?? 0}%`),
    h("p", null, `Ended ${ends} times`),
    error && h("p", { role: "alert" }, error),
    data?.generations?.map((url) => h("img", { key: url, src: url, alt: "", width: 256 })),
  );
}

createRoot(document.getElementById("root")).render(h(App));
