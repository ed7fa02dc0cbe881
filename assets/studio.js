/* What the pages with a form have: what was sent before, what is set, and who waits for a job in another tab. */
(() => {
  "use strict";

  const SENT = "hexwave.sent";
  const SETTINGS = "hexwave.settings";
  const LEAVE_OUT = "hexwave.leaveOut";
  const REFERENCE = "hexwave.reference";
  const OFFERED = "hexwave.offered";
  const KEPT = 50;
  const { form, own } = window.hexwave;
  const find = (selector) => document.querySelector(selector);
  const recall = (key, tool = form()) => window.hexwave.recall(own(key, tool));
  const remember = (key, value, tool = form()) => window.hexwave.remember(own(key, tool), value);

  /* ---- earlier prompts, by the arrow keys ---- */

  const sent = () => {
    try { return JSON.parse(recall(SENT)) ?? []; } catch { return []; }
  };

  let place = -1; // how far back; -1 is what is being written
  let draft = "";

  const write = (field, text) => {
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.setSelectionRange(text.length, text.length);
  };

  const ruler = document.createElement("canvas").getContext("2d");

  // A line that wraps is several: the arrow is the caret's until that stands in the first of them.
  const inFirstLine = (field) => {
    const before = field.value.slice(0, field.selectionStart);
    if (before.includes("\n")) return false;
    const style = getComputedStyle(field);
    ruler.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    return ruler.measureText(before).width < field.clientWidth - 32;
  };

  const travel = (event, field) => {
    const prompts = sent();
    const by = event.key === "ArrowUp" ? 1 : -1;
    const next = place + by;
    if (field.selectionStart !== field.selectionEnd || next < -1) return;
    // At the oldest the caret stays, ready for the way back.
    if (next >= prompts.length) return place < 0 ? undefined : event.preventDefault();
    if (by > 0 && place < 0 && !inFirstLine(field)) return;
    if (by < 0 && field.selectionStart !== field.value.length) return;
    event.preventDefault();
    if (place < 0) draft = field.value;
    const at = next;
    write(field, at < 0 ? draft : prompts[at]);
    place = at; // after `write`, whose input means that somebody types
  };

  document.addEventListener("keydown", (event) => {
    const plain = !event.isComposing && !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
    if (plain && event.target.id === "hw-prompt" && /^Arrow(Up|Down)$/.test(event.key)) travel(event, event.target);
  });

  document.addEventListener("input", ({ target }) => {
    if (target.id === "hw-prompt") place = -1;
    if (target.id === "hw-leave-out") remember(LEAVE_OUT, target.value);
  });

  // After the capture of hexwave.js, which stops what is no submission.
  document.addEventListener("submit", ({ target }) => {
    if (target.id !== "hw-form") return;
    const text = target.elements.prompt?.value.trim();
    if (!text) return;
    const others = sent().filter((each) => each !== text);
    remember(SENT, JSON.stringify([text, ...others].slice(0, KEPT)));
    place = -1;
  });

  /* ---- a few words more; in steps that Ctrl+Z takes back ---- */

  let added = { from: "", texts: new Set(), press: 0 };
  const enhanced = () => added.texts.has(find("#hw-prompt").value);
  const original = () => (enhanced() ? added.from : find("#hw-prompt").value);

  const rewrite = (text) => {
    const field = find("#hw-prompt");
    field.focus();
    field.select();
    // Deprecated, and the only way to write that keeps what a field can undo.
    if (!document.execCommand("insertText", false, text)) write(field, text);
  };

  const enhance = (from, text, press) => {
    if (original() !== from) return; // somebody typed meanwhile
    rewrite(text);
    added = { from, texts: new Set([...(added.from === from ? added.texts : []), text]), press };
  };

  window.hexwave.acts.hwEnhance = () => {
    const blank = !find("#hw-prompt").value.trim();
    find("#hw-prompt").closest("hw-prompt").toggleAttribute("data-blank", blank);
    if (blank) find("#hw-prompt").focus();
  };

  Object.assign(window.hexwave, {
    original,
    enhance,
    press: () => (enhanced() ? added.press + 1 : 0),
    leaveOut: () => find("#hw-leave-out")?.value ?? "",
    plain: () => { if (enhanced()) rewrite(added.from); },
  });

  /* ---- settings: kept on this device, for a new tab as well ---- */

  class Kept extends HTMLElement {
    static observedAttributes = ["value"];

    connectedCallback() {
      const field = this.parentElement.querySelector("#hw-leave-out");
      if (field && !field.value) field.value = recall(LEAVE_OUT, form(this)) ?? "";
      this.keep();
    }

    attributeChangedCallback() { if (this.isConnected) this.keep(); }

    keep() {
      const value = this.getAttribute("value");
      if (value) remember(SETTINGS, value, form(this));
    }
  }

  /* ---- a reference: chosen, dropped or pasted, and kept on this device ---- */

  const TYPES = ["image/png", "image/jpeg", "image/webp"];
  const LARGEST = 10 * 2 ** 20;
  const UNFIT = "That file is not a PNG, JPEG or WebP.";
  const bar = () => find("#hw-form");
  const referring = () => find("hw-reference");

  // Where it is dropped is shown, and beside that what is wrong with it: the prompt bar, or a zone of its own.
  const zone = () => (referring()?.dataset.drop === "bar" ? bar() : referring());

  const complain = (words) => {
    const hint = zone()?.querySelector(".hw-unfit");
    if (hint) hint.textContent = words;
  };

  const refer = (reference) => {
    remember(REFERENCE, reference);
    referring()?.show();
  };

  class Reference extends HTMLElement {
    connectedCallback() {
      const file = this.querySelector(".hw-file");
      file.onchange = () => { if (file.files[0]) upload(file.files[0]); file.value = ""; };
      this.show();
    }

    show() {
      const tool = form(this);
      const reference = recall(REFERENCE, tool) ?? "";
      const image = this.querySelector("img");
      this.querySelector("input[type=hidden]").value = reference;
      this.toggleAttribute("data-open", Boolean(reference));
      if (!reference) return image.removeAttribute("src");
      // One that is no longer kept is forgotten here as well.
      image.onerror = () => { if (form() === tool && recall(REFERENCE) === reference) refer(""); };
      // A finished picture of one's own is named by its process.
      const finished = reference.includes("/");
      image.src = finished ? `/media/${reference}-512.webp` : `/api/references/${reference}`;
    }
  }

  const upload = async (file) => {
    if (!TYPES.includes(file.type)) return complain(UNFIT);
    if (file.size > LARGEST) return complain("That picture is over 10 MB.");
    complain("");
    zone().setAttribute("aria-busy", "true");
    try {
      const answer = await fetch("/api/references", { method: "POST", body: file, headers: { "Content-Type": file.type } });
      const said = await answer.json();
      if (answer.ok) refer(said.reference);
      else complain(said.error.message);
    } catch {
      complain("The picture could not be sent. Try again in a moment.");
    } finally {
      zone()?.removeAttribute("aria-busy");
    }
  };

  const carries = (event) => referring() && event.dataTransfer?.types.includes("Files");
  const over = (event) => bar()?.contains(event.target) || referring()?.contains(event.target);

  // Anywhere on the page, or a picture that misses the bar would be opened in its place.
  document.addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    zone().toggleAttribute("data-over", over(event));
    event.dataTransfer.dropEffect = over(event) ? "copy" : "none";
  });

  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) zone()?.removeAttribute("data-over");
  });

  document.addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    zone().removeAttribute("data-over");
    if (over(event) && event.dataTransfer.files[0]) upload(event.dataTransfer.files[0]);
  });

  document.addEventListener("paste", (event) => {
    const picture = [...(event.clipboardData?.files ?? [])].find((file) => file.type.startsWith("image/"));
    if (!picture || !referring() || !(event.target.id === "hw-prompt" || referring().contains(event.target))) return;
    event.preventDefault();
    upload(picture);
  });

  window.hexwave.acts.hwRefer = () => referring()?.querySelector(".hw-file").click();
  window.hexwave.acts.hwUnrefer = () => {
    complain("");
    refer("");
    (referring().querySelector("[data-hw-refer]") ?? find("#hw-prompt"))?.focus();
  };

  /* ---- a job that ends while nobody looks ---- */

  let missed = 0;
  let title = "";
  const able = "Notification" in window;

  const offer = () => {
    const waits = able && Notification.permission === "default" && !window.hexwave.recall(OFFERED);
    find("#hw-notify")?.toggleAttribute("data-open", waits);
  };

  const answer = (yes) => {
    window.hexwave.remember(OFFERED, "1");
    find("#hw-notify").removeAttribute("data-open");
    find("#hw-prompt")?.focus();
    if (yes) Notification.requestPermission();
  };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !missed) return;
    missed = 0;
    document.title = title;
    offer();
  });

  window.hexwave.acts.hwNotify = ({ dataset }) => answer(dataset.hwNotify === "yes");

  Object.assign(window.hexwave, {
    refer,
    settings: (tool) => recall(SETTINGS, tool) ?? "",
    ended: (words) => {
      if (!document.hidden) return;
      if (!missed) title = document.title;
      missed += 1;
      document.title = `(${missed}) ${title}`;
      if (able && Notification.permission === "granted") new Notification("Hexwave", { body: words });
    },
  });

  customElements.define("hw-kept", Kept);
  customElements.define("hw-reference", Reference);
})();
