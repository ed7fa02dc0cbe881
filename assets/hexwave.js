/* Everything that must not wait for the server: typing, keys, dialogs, clocks and the fading in of pictures. */
(() => {
  "use strict";

  const NEAR = .9; // of what the field takes
  const DRAFT = "hexwave.draft";
  const LETTERS = "hexwave.letters";
  const root = document.documentElement;
  const find = (selector) => document.querySelector(selector);

  // Storage throws where a browser forbids it; what is remembered is a comfort, never a need.
  const recall = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* forbidden or full */ } };
  // Each form keeps what is its own; that of pictures has the plain name.
  const form = (element) => element?.closest(".hw-studio")?.dataset.tool ?? find(".hw-studio")?.dataset.tool;
  const own = (key, tool) => (!tool || tool === "image" ? key : `${key}.${tool}`);

  if (/Mac|iPhone|iPad/.test(navigator.platform)) root.dataset.hwMac = "";

  /* ---- a page that the server had no State for ---- */

  const BEGIN_AGAIN_MS = 5000;
  let beginning;

  // One that has begun is told anew by the server; what is typed is kept in any case.
  const beginAgain = () => {
    clearTimeout(beginning);
    beginning = setTimeout(() => { if (find(".hw-page")?.dataset.ready !== "true") location.reload(); }, BEGIN_AGAIN_MS);
  };

  /* ---- the prompt ---- */

  const spell = (number) => number.toLocaleString("en-GB");

  class Prompt extends HTMLElement {
    connectedCallback() {
      this.field = this.querySelector("textarea");
      this.draft = own(DRAFT, form(this));
      if (!this.field.value) this.field.value = recall(this.draft) ?? "";
      this.field.addEventListener("input", () => this.read());
      this.field.addEventListener("focus", () => this.focused());
      this.read(false);
    }

    read(keep = true) {
      const { value } = this.field;
      const length = value.length;
      // An attribute, shown by CSS: text would differ from what React finds on the page when it takes over.
      const limit = this.field.maxLength;
      this.querySelector(".hw-counter").dataset.text = `${spell(length)} / ${spell(limit)}`;
      this.toggleAttribute("data-near", length > limit * NEAR);
      this.toggleAttribute("data-full", length >= limit);
      if (value.trim()) this.removeAttribute("data-blank");
      if (!CSS.supports("field-sizing", "content")) this.grow();
      if (!keep) return;
      this.removeAttribute("data-sent");
      remember(this.draft, value);
    }

    grow() {
      this.field.style.height = "auto";
      this.field.style.height = `${this.field.scrollHeight}px`;
    }

    focused() {
      if (!this.hasAttribute("data-sent")) return;
      this.removeAttribute("data-sent");
      this.field.select();
    }
  }

  const fill = (text, leaveOut, reference) => {
    const left = find("#hw-leave-out");
    if (left && leaveOut !== undefined) left.value = leaveOut;
    if (reference !== undefined) window.hexwave.refer(reference);
    const field = find("#hw-prompt");
    if (!field) return;
    field.closest("hw-prompt").removeAttribute("data-sent");
    field.value = text.slice(0, field.maxLength);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
    field.scrollIntoView({ block: "nearest" });
  };

  const surprise = (prompts) => {
    const others = prompts.filter((each) => each !== find("#hw-prompt").value);
    fill(others[Math.floor(Math.random() * others.length)]);
  };

  const freshKey = () =>
    Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

  let last = { at: -Infinity, text: "" };

  // In the capture phase on the document, so that it runs before React reads the form.
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "hw-form") return;
    const form = event.target;
    const prompt = form.querySelector("hw-prompt");
    // A tool without a prompt has none; one that may stay empty is no reason to stop.
    const text = form.elements.prompt?.value ?? "";
    const blank = Boolean(prompt) && !prompt.hasAttribute("data-optional") && !text.trim();
    const offline = form.querySelector(".hw-generate").getAttribute("aria-disabled") === "true";
    prompt?.toggleAttribute("data-blank", blank);
    // A second press for the same sentence within 150 ms is the same click.
    const again = event.timeStamp - last.at < 150 && text === last.text;
    if (blank || offline || again) {
      event.preventDefault();
      event.stopImmediatePropagation();
      if (blank) form.elements.prompt.focus();
      return;
    }
    last = { at: event.timeStamp, text };
    form.elements.click.value = freshKey();
    prompt?.setAttribute("data-sent", "");
  }, true);

  // Pressing Generate leaves the focus where it was, which is mostly in the prompt.
  document.addEventListener("mousedown", (event) => {
    if (event.target.closest(".hw-generate")) event.preventDefault();
  });

  /* ---- settings: choices show at once, and follow the server when it changes them ---- */

  class Chosen extends HTMLElement {
    static observedAttributes = ["value"];

    connectedCallback() { this.show(); }
    attributeChangedCallback() { this.show(); }

    show() {
      const value = this.getAttribute("value") ?? "";
      for (const radio of this.querySelectorAll("input[type=radio]")) radio.checked = radio.value === value;
      const field = this.querySelector("select, textarea, input:not([type=radio])");
      if (field && field !== document.activeElement) field.value = value;
    }
  }

  /* ---- pictures ---- */

  const FADE = `
    :host, img { position: absolute; inset: 0; }
    img { width: 100%; height: 100%; object-fit: cover; opacity: 0; transition: opacity .32s ease-out; }
    img.shown { opacity: 1; }
    @media (prefers-reduced-motion: reduce) { img { transition: none; } }`;

  // A long stream loads only what is on the screen or about to be.
  const near = new IntersectionObserver(
    (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => entry.target.approach()),
    { rootMargin: "800px" },
  );

  const TRIES = 5;

  class Picture extends HTMLElement {
    static observedAttributes = ["src", "alt"];

    connectedCallback() { near.observe(this); }
    disconnectedCallback() { near.unobserve(this); }

    approach() {
      near.unobserve(this);
      this.near = true;
      this.load(this.getAttribute("src"));
    }

    attributeChangedCallback(name, before, after) {
      if (before === after) return;
      if (name === "src") { if (this.near) this.load(after); }
      else for (const image of this.images()) image.alt = after;
    }

    images() { return this.shadowRoot ? [...this.shadowRoot.querySelectorAll("img")] : []; }

    load(src, tries = 0) {
      if (!this.shadowRoot) {
        this.attachShadow({ mode: "open" });
        this.shadowRoot.innerHTML = `<style>${FADE}</style>`;
      }
      if (!src) return this.images().forEach((image) => image.remove());
      const image = new Image();
      image.alt = this.getAttribute("alt") ?? "";
      image.src = src;
      this.shadowRoot.append(image);
      // Decoded first: a picture that fades in before it can be drawn would leave a hole.
      image.decode().then(() => this.reveal(image), () => this.missed(image, src, tries));
    }

    // A server that is away for a moment must not leave a hole for good.
    missed(image, src, tries) {
      image.remove();
      if (tries === TRIES) return;
      setTimeout(() => { if (this.isConnected && this.getAttribute("src") === src) this.load(src, tries + 1); }, 2000);
    }

    reveal(image) {
      if (!image.isConnected) return; // a later one came first
      const older = this.images().slice(0, this.images().indexOf(image));
      requestAnimationFrame(() => image.classList.add("shown"));
      setTimeout(() => older.forEach((each) => each.remove()), 360);
    }
  }

  /* ---- times ---- */

  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
  const dated = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

  const ago = (time, now) => {
    const minutes = Math.floor((now - time) / 60_000);
    if (minutes < 1) return "just now";
    if (minutes < 60) return `${minutes} min ago`;
    if (time.toDateString() === now.toDateString()) return clock.format(time);
    return (time.getFullYear() === now.getFullYear() ? day : dated).format(time);
  };

  const digits = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

  const span = (from, now, expected) => {
    const elapsed = digits(Math.max(0, Math.floor((now - from) / 1000)));
    return expected > 0 ? `${elapsed} of about ${digits(expected)}` : elapsed;
  };

  // In coarser steps the further off it is: an estimate that counts every second pretends to know.
  const left = (from, now, expected) => {
    const seconds = expected - (now - from) / 1000;
    if (seconds < 5) return "a few seconds left";
    if (seconds > 90) return `about ${Math.round(seconds / 60)} min left`;
    const step = seconds > 20 ? 5 : 1;
    return `about ${Math.ceil(seconds / step) * step} s left`;
  };

  const retry = (until, now) => {
    const seconds = Math.ceil((until - now) / 1000);
    return seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again.";
  };

  // One clock for all of them: it writes only what changed, and stands while nothing is on the page.
  const ticking = new Set();
  let timer;
  const tick = () => ticking.forEach((element) => element.write());
  const beat = () => {
    if (ticking.size && !timer) timer = setInterval(tick, 1000);
    if (!ticking.size) timer = clearInterval(timer);
  };

  const counting = (attribute, words) => class extends HTMLElement {
    static observedAttributes = [attribute];

    connectedCallback() { ticking.add(this); beat(); this.write(); }
    disconnectedCallback() { ticking.delete(this); beat(); }
    attributeChangedCallback() { if (this.isConnected) this.write(); }

    write() {
      const given = this.getAttribute(attribute);
      const time = new Date(/^\d+$/.test(given) ? Number(given) : given);
      const text = given && !isNaN(time) ? words(time, new Date(), Number(this.getAttribute("expected"))) : "";
      if (this.textContent !== text) this.textContent = text;
      if (attribute === "datetime" && text) this.title = time.toLocaleString("en-GB");
    }
  };

  /* ---- lightbox ---- */

  const box = { shots: [], at: 0 };
  const part = (name) => find(`#hw-lightbox [data-hw-${name}]`);

  const show = (at) => {
    box.at = at;
    const shot = box.shots[at];
    const many = box.shots.length > 1;
    const image = new Image();
    image.alt = shot.dataset.alt;
    image.src = shot.href;
    image.style.backgroundImage = `url("${encodeURI(shot.dataset.thumbnail)}")`;
    const strip = shot.closest(".hw-strip");
    image.style.aspectRatio = getComputedStyle(strip).getPropertyValue("--r");
    image.style.setProperty("--r", getComputedStyle(strip).getPropertyValue("--r"));
    part("large").replaceChildren(image);
    part("place").textContent = many ? `${at + 1} of ${box.shots.length}` : "";
    part("caption").textContent = shot.closest("article")?.querySelector(".hw-row-prompt")?.textContent ?? "";
    part("save").href = shot.dataset.save;
    for (const arrow of document.querySelectorAll("#hw-lightbox [data-hw-step]")) {
      arrow.hidden = !many;
      arrow.toggleAttribute("disabled", !box.shots[at + Number(arrow.dataset.hwStep)]);
    }
  };

  /** Whose picture is open, and which of them. */
  const opened = () => {
    const [, process, index] = box.shots[box.at].getAttribute("href").match(/^\/media\/([^/]+)\/(\d+)\./);
    return { process, index: Number(index) };
  };

  const step = (by) => { if (box.shots[box.at + by]) show(box.at + by); };

  let touched = null;
  document.addEventListener("touchstart", (event) => {
    const alone = event.touches.length === 1 && event.target.closest(".hw-lightbox-stage");
    touched = alone ? event.touches[0].clientX : null;
  }, { passive: true });
  document.addEventListener("touchend", (event) => {
    const by = touched === null ? 0 : event.changedTouches[0].clientX - touched;
    if (Math.abs(by) > 40) step(by < 0 ? 1 : -1);
    touched = null;
  });

  const open = (shot) => {
    box.shots = [...shot.closest(".hw-strip").querySelectorAll(".hw-shot")];
    show(box.shots.indexOf(shot));
    find("#hw-lightbox").showModal();
  };

  // The focus is not lost with a row that goes: it moves to the next.
  const leave = (job) => {
    const row = document.getElementById(`job-${job}`);
    const next = row?.nextElementSibling ?? row?.previousElementSibling;
    (next?.querySelector("a, button") ?? find("#results")).focus();
  };

  const dismiss = (banner) => {
    remember(`hexwave.closed.${banner}`, "1");
    root.setAttribute(`data-hw-no-${banner}`, "");
  };
  if (recall("hexwave.closed.demo")) root.setAttribute("data-hw-no-demo", "");

  /* ---- clicks and keys ---- */

  // A menu gives the focus back to its button when it has closed; what moves the focus waits for that.
  const afterMenu = (act) => {
    if (find(".hw-menu")) setTimeout(() => afterMenu(act), 20);
    else setTimeout(act, 20);
  };

  const acts = {
    hwFill: ({ dataset }) => afterMenu(() => fill(dataset.hwFill, dataset.leaveOut, dataset.reference)),
    hwSurprise: (element) => surprise(JSON.parse(element.dataset.hwSurprise)),
    hwLeave: (element) => afterMenu(() => leave(element.dataset.hwLeave)),
    hwShortcuts: () => showShortcuts(),
    hwStep: (element) => step(Number(element.dataset.hwStep)),
    hwClose: (element) => element.closest("dialog").close(),
    hwDismiss: (element) => dismiss(element.dataset.hwDismiss),
    hwLetters: (element) => remember(LETTERS, element.checked ? "on" : "off"),
  };

  document.addEventListener("click", (event) => {
    const { target } = event;
    if (target.tagName === "DIALOG") return target.close(); // the backdrop belongs to the dialog
    const shot = target.closest(".hw-shot");
    if (shot && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      return open(shot);
    }
    for (const [name, act] of Object.entries(acts)) {
      const attribute = `[data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}]`;
      const element = target.closest(attribute);
      if (element) act(element);
    }
  });

  const writing = (element) => element.matches("input:not([type=radio]), textarea, select, [contenteditable]");

  const showShortcuts = () => {
    const dialog = find("#hw-shortcuts");
    dialog.querySelector("[data-hw-letters]").checked = recall(LETTERS) !== "off";
    dialog.showModal();
  };

  const letters = { "/": () => find("#hw-prompt")?.focus(), "?": showShortcuts };

  const press = (event) => {
    const act = letters[event.key];
    if (!act || recall(LETTERS) === "off") return;
    event.preventDefault();
    act();
  };

  document.addEventListener("keydown", (event) => {
    const modal = find("dialog[open]");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !modal) {
      const form = find("#hw-form");
      if (form) { event.preventDefault(); if (!event.repeat) form.requestSubmit(); }
      return;
    }
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (modal?.id === "hw-lightbox" && event.key === "ArrowLeft") return step(-1);
    if (modal?.id === "hw-lightbox" && event.key === "ArrowRight") return step(1);
    if (modal) return;
    if (event.key === "Escape" && writing(event.target)) return event.target.blur();
    if (!writing(event.target)) press(event);
  });

  /* ---- what the server asks of the page ---- */

  // A page's own script adds to `acts` (clicks on data-hw-*) and to `letters` (single keys), and takes the rest.
  window.hexwave = {
    acts,
    beginAgain,
    letters,
    afterMenu,
    counting,
    recall,
    remember,
    form,
    own,
    opened,
    remix: (prompt, leaveOut, reference) => {
      // Read once: a reload keeps what is written by then.
      history.replaceState(history.state, "", location.pathname);
      fill(prompt, leaveOut, reference);
    },
    onScreen: (id) => {
      const place = document.getElementById(id)?.getBoundingClientRect();
      return !document.hidden && Boolean(place) && place.bottom > 0 && place.top < innerHeight;
    },
    view: (id) => {
      const row = document.getElementById(id);
      row?.scrollIntoView({ block: "center" });
      // A toast that loses the focus sends it back to where it came from: it goes on from there.
      document.activeElement?.blur();
      requestAnimationFrame(() => row?.querySelector(".hw-shot, .hw-play")?.focus({ preventScroll: true }));
    },
  };

  customElements.define("hw-prompt", Prompt);
  customElements.define("hw-chosen", Chosen);
  customElements.define("hw-picture", Picture);
  customElements.define("hw-ago", counting("datetime", ago));
  customElements.define("hw-elapsed", counting("since", span));
  customElements.define("hw-left", counting("since", left));
  customElements.define("hw-countdown", counting("until", retry));
})();
