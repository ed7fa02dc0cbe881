/* The Inspector's log: five hundred lines that come in batches, and what is done with them on the page. */
(() => {
  "use strict";

  const KEPT = 500;
  const { acts, letters } = window.hexwave;
  const find = (selector) => document.querySelector(selector);
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });

  const log = { lines: [], held: [], filter: "all", paused: false };

  const line = ([number, at, process, event, detail, took, kind, tone]) =>
    ({ number, at, process, event, detail, took, kind, tone });

  // Lifecycle, progress and webhooks are kinds of lines; ignored and failed is how they ended.
  const fits = (each, filter) => filter === "all" || each.kind === filter || each.tone === filter;

  const cell = (text, name = "") => {
    const span = document.createElement("span");
    span.textContent = text;
    if (name) span.className = name;
    return span;
  };

  const drawn = (each) => {
    const row = document.createElement("button");
    row.type = "button";
    row.tabIndex = -1;
    row.className = "hw-log-line";
    row.dataset.tone = each.tone;
    row.dataset.process = each.process;
    const event = cell("", "hw-log-line-event");
    event.append(document.createElement("i"), each.event);
    const process = cell(each.process);
    const detail = cell(each.detail);
    process.title = each.process;
    detail.title = each.detail;
    row.append(cell(clock.format(each.at)), process, event, detail, cell(each.took));
    return row;
  };

  class Log extends HTMLElement {
    connectedCallback() {
      this.addEventListener("scroll", () => { if (this.scrollTop === 0) release(); }, { passive: true });
      this.addEventListener("click", (event) => choose(event.target.closest(".hw-log-line")));
      this.addEventListener("keydown", (event) => this.move(event));
      this.draw();
      // Its chips come with it, in the same moment.
      queueMicrotask(count);
    }

    draw() {
      this.replaceChildren(...log.lines.filter((each) => fits(each, log.filter)).map(drawn));
      this.settle();
    }

    add(lines) {
      this.prepend(...lines.filter((each) => fits(each, log.filter)).map(drawn));
      const most = log.lines.filter((each) => fits(each, log.filter)).length;
      while (this.children.length > most) this.lastElementChild.remove();
      this.settle();
    }

    // One stop for the Tab key; the arrows go on from there.
    settle() {
      this.toggleAttribute("data-empty", !this.children.length);
      if (!this.querySelector("[tabindex='0']") && this.firstElementChild) this.firstElementChild.tabIndex = 0;
    }

    move(event) {
      const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
      const row = step && event.target.closest(".hw-log-line")?.[step];
      if (!row) return;
      event.preventDefault();
      this.querySelectorAll("[tabindex='0']").forEach((each) => { each.tabIndex = -1; });
      row.tabIndex = 0;
      row.focus();
    }
  }

  const element = () => find("hw-log");
  const scrolled = () => (element()?.scrollTop ?? 0) > 0;

  const count = () => {
    for (const place of document.querySelectorAll("[data-hw-count]")) {
      place.textContent = log.lines.filter((each) => fits(each, place.dataset.hwCount)).length.toLocaleString("en-GB");
    }
    const newer = find("[data-hw-newer]");
    if (!newer) return;
    newer.hidden = !log.held.length;
    newer.textContent = `${log.held.length === KEPT ? "Over " : ""}${log.held.length} new`;
  };

  const take = (lines) => {
    log.lines = [...lines, ...log.lines].slice(0, KEPT);
    element()?.add(lines);
    count();
  };

  const release = () => {
    if (log.paused || !log.held.length) return;
    const held = log.held;
    log.held = [];
    take(held);
  };

  const choose = (row) => {
    const field = find("#hw-lookup");
    if (!row?.dataset.process || !field) return;
    for (const each of row.parentElement.querySelectorAll("[aria-current]")) each.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    field.value = row.dataset.process;
    find("#hw-lookup-form").requestSubmit();
  };

  window.hexwave.inspector = {
    // All that the server keeps, the oldest first; what was there before is of another connection.
    begin: (rows) => {
      log.lines = rows.map(line).reverse();
      log.held = [];
      element()?.draw();
      count();
    },
    add: (rows) => {
      const newer = rows.map(line).reverse();
      if (!log.paused && !scrolled()) return take(newer);
      log.held = [...newer, ...log.held].slice(0, KEPT);
      count();
    },
  };

  acts.hwFilter = (chip) => {
    log.filter = chip.dataset.hwFilter;
    for (const each of document.querySelectorAll("[data-hw-filter]")) {
      each.setAttribute("aria-pressed", String(each === chip));
    }
    element()?.draw();
  };

  acts.hwPause = (button) => {
    log.paused = !log.paused;
    button.setAttribute("aria-pressed", String(log.paused));
    release();
  };

  acts.hwNewer = () => {
    if (log.paused) find("[data-hw-pause]")?.click();
    element()?.scrollTo({ top: 0 });
    release();
  };

  acts.hwCopy = async (button) => {
    const words = button.querySelector("span");
    const before = words.textContent;
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.hwCopy).textContent);
      words.textContent = "Copied";
    } catch {
      // Browsers give the clipboard to https and to this machine only: the text is there to be chosen by hand.
      words.textContent = "Select it below";
      find(".hw-document").open = true;
      getSelection().selectAllChildren(document.getElementById(button.dataset.hwCopy));
    }
    setTimeout(() => { words.textContent = before; }, 2000);
  };

  letters.p = letters.P = () => find("[data-hw-pause]")?.click();
  const elsewhere = letters["/"];
  letters["/"] = () => (find("#hw-lookup") ? find("#hw-lookup").focus() : elsewhere());

  const checked = (time, now) => {
    const seconds = Math.max(0, Math.round((now - time) / 1000));
    return seconds < 60 ? `Checked ${seconds} s ago` : `Checked ${Math.floor(seconds / 60)} min ago`;
  };

  class Clock extends HTMLElement {
    static observedAttributes = ["datetime"];

    connectedCallback() { this.write(); }
    attributeChangedCallback() { this.write(); }

    write() {
      const time = new Date(this.getAttribute("datetime") ?? "");
      this.textContent = isNaN(time) ? "" : clock.format(time);
    }
  }

  customElements.define("hw-log", Log);
  customElements.define("hw-clock", Clock);
  customElements.define("hw-checked", window.hexwave.counting("datetime", checked));
})();
