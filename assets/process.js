/* The process page: which picture is chosen, its keys, times to the millisecond, and the log as text. */
(() => {
  "use strict";

  const { acts, letters, recall } = window.hexwave;
  const find = (selector) => document.querySelector(selector);
  const thumbs = () => [...document.querySelectorAll(".hw-thumb input")];
  const chosen = () => Math.max(0, thumbs().findIndex((thumb) => thumb.checked));

  const pick = (by) => {
    const all = thumbs();
    if (!all.length) return;
    all[(chosen() + by + all.length) % all.length].checked = true;
  };

  const large = () => document.querySelectorAll(".hw-large")[chosen()];
  const shot = () => large()?.querySelector(".hw-shot");

  const saveShown = () => {
    const { save } = large()?.querySelector("[data-save]")?.dataset ?? {};
    if (save) Object.assign(document.createElement("a"), { href: save, download: "" }).click();
  };

  Object.assign(acts, {
    hwPick: (element) => pick(Number(element.dataset.hwPick)),
    hwEnlarge: () => shot()?.click(),
    hwSaveShown: saveShown,
    hwShare: () => find("#hw-share").showModal(),
  });

  for (const letter of "dfcr") {
    const before = letters[letter];
    letters[letter] = () => {
      const act = find(`.hw-process [data-hw-key=${letter}]`);
      if (act) act.click();
      else before?.();
    };
  }

  document.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    // Radios move by themselves; elsewhere an arrow is a single key like the letters.
    if (event.target.matches("input, textarea, select, [contenteditable]") || find("dialog[open]")) return;
    if (recall("hexwave.letters") !== "off" && find(".hw-process")) pick(by);
  });

  /* ---- times ---- */

  const clock = new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3,
  });
  const utc = (time) => time.toISOString().replace("T", " ").replace("Z", " UTC");

  class Stamp extends HTMLElement {
    static observedAttributes = ["datetime"];

    connectedCallback() { this.write(); }
    attributeChangedCallback() { if (this.isConnected) this.write(); }

    write() {
      const at = new Date(this.getAttribute("datetime"));
      if (isNaN(at)) return;
      const time = Object.assign(document.createElement("time"), { title: utc(at), textContent: clock.format(at) });
      time.dateTime = at.toISOString();
      this.replaceChildren(time);
    }
  }

  /* ---- what the server asks of the page ---- */

  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const seconds = (count) => new Promise((done) => setTimeout(done, 1000 * count));

  const drawn = async () => {
    // Of a clip, its poster.
    const source = shot()?.href ?? large()?.querySelector("video")?.poster;
    if (!source) return false;
    const image = new Image();
    image.src = source;
    await image.decode();
    // Two frames: what is decoded in one is on the screen by the next.
    await frame();
    await frame();
    return true;
  };

  Object.assign(window.hexwave, {
    chosen,

    /** Whether the picture is on the screen. A hidden tab draws nothing, and is not waited for. */
    shown: () => {
      if (document.hidden) return false;
      return Promise.race([drawn().catch(() => false), seconds(3).then(() => false)]);
    },

    copyLog: () => {
      const words = (line, selector) => line.querySelector(selector)?.textContent.trim() ?? "";
      const log = [...document.querySelectorAll(".hw-timeline :is(.hw-line, .hw-step)")]
        .filter((line) => line.dataset.kind !== "running")
        .map((line) => [
          line.querySelector("time")?.dateTime ?? "",
          words(line, ".hw-delta").padStart(8),
          words(line, ".hw-line-title, span:first-child"),
          words(line, "p.hw-line-detail"),
        ].join("  ").trimEnd());
      navigator.clipboard.writeText(log.join("\n"));
    },
  });

  customElements.define("hw-stamp", Stamp);
})();
