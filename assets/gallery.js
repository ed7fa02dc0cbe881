/* The Gallery: pages of tiles from our own API, of which only those near the screen are on the page. */
(() => {
  "use strict";

  const { letters } = window.hexwave;
  const PAGE = 100;
  const MOST = 500;
  const HOLD = 450;
  const AT_TOP = 120;
  const PLACE = "hexwave.gallery";

  const make = (tag, fields = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(fields)) {
      if (name in element && name !== "style") element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };

  const drawn = (path, kind = "") => {
    const template = document.createElement("template");
    template.innerHTML = `<svg class="hw-sign ${kind}" viewBox="0 0 24 24" aria-hidden="true">${path}</svg>`;
    return template.content.firstChild;
  };
  const HEXAGON = '<path d="M12 1.8 20.83 6.9V17.1L12 22.2 3.17 17.1V6.9Z"/>';
  const SIGNS = {
    heart: '<path d="M19 14c1.49-1.46 3-3.21 3-5.5A5.5 5.5 0 0 0 16.5 3c-1.76 0-3 .5-4.5 2-1.5-1.5-2.74-2-4.5-2A5.5 5.5 0 0 0 2 8.5c0 2.3 1.5 4.05 3 5.5l7 7Z"/>',
    download: '<path d="M12 15V3m5 7-5 5-5-5m14 5v4a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-4"/>',
    tick: '<path d="m5 12.5 4.5 4.5L19 7.5"/>',
    stack: '<rect x="7" y="3" width="14" height="14" rx="2"/><path d="M3 8v11a2 2 0 0 0 2 2h11"/>',
    play: '<path d="M7 4.5v15l12-7.5Z"/>',
    failed: `${HEXAGON}<path d="M12 7.4v5.4M12 16.5v.1"/>`,
    cancelled: `${HEXAGON}<path d="M8.2 12h7.6"/>`,
    running: HEXAGON,
  };

  /* ---- what is asked for: the form, the address and the API say the same ---- */

  const KINDS = { image: "image", video: "video" };
  const STATUSES = { running: "processing", failed: "failed", any: "" };

  const midnight = (day, later = 0) => {
    const at = new Date(`${day}T00:00`);
    if (isNaN(at)) return null;
    at.setDate(at.getDate() + later);
    return at.toISOString();
  };

  const asked = (address) => {
    const said = new URLSearchParams(address.search);
    const query = new URLSearchParams({ brief: "true", limit: String(PAGE) });
    const set = (name, value) => { if (value) query.set(name, value); };
    const status = said.get("status") ?? "";
    const [provider, model] = (said.get("model") ?? "").split("|");
    set("search", (said.get("q") ?? "").slice(0, 200));
    set("category", KINDS[said.get("kind")]);
    set("status", status in STATUSES ? STATUSES[status] : "completed");
    set("provider", provider);
    set("model", model);
    set("favourite", said.has("favourites") ? "true" : "");
    set("since", midnight(said.get("from")));
    set("until", midnight(said.get("to"), 1));
    set("sort", said.get("sort") === "oldest" ? "oldest" : "");
    return query.toString();
  };

  /* ---- a process as a tile needs it ---- */

  const KEPT = /(\/\d+)\.(webp|png|jpg|mp4)$/;

  const length = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

  const tileOf = (process) => {
    const { data } = process;
    const [full] = data.generations ?? [];
    const [picture] = data.pictures ?? [];
    const [across, down] = (data.req.aspectRatio ?? "1:1").split(":").map(Number);
    return {
      id: process.processId,
      at: process.createdAt,
      prompt: data.req.prompt ?? "",
      shape: data.req.aspectRatio ?? "",
      status: process.status,
      code: data.errorCode ?? "",
      kind: process.category,
      maker: process.provider.name,
      favourite: process.favourite,
      count: data.generations?.length ?? 0,
      full,
      ratio: Math.min(2.6, Math.max(0.4, (picture?.height ?? down) / (picture?.width ?? across) || 1)),
      colour: picture?.colour,
      blur: picture?.blur,
      length: picture?.seconds ? length(Math.round(picture.seconds)) : "",
    };
  };

  const slug = (prompt) =>
    (prompt.toLowerCase().match(/[a-z0-9]+/g) ?? []).join("-").slice(0, 48).replace(/-+$/, "") || "hexwave";

  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
  const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
  const when = (at) => {
    const time = new Date(at);
    return time.toDateString() === new Date().toDateString() ? `today ${clock.format(time)}` : date.format(time);
  };

  const short = (text) => (text.length > 120 ? `${text.slice(0, 119)}…` : text);

  /* ---- the element ---- */

  // Outlives the element: whoever comes back from another page of ours finds all as it was left.
  const kept = { query: null, tiles: [], cursor: undefined, count: 0, top: 0 };

  class Gallery extends HTMLElement {
    static observedAttributes = ["news", "ready"];

    connectedCallback() {
      this.piece = (name) => this.querySelector(`[data-hw-${name}]`);
      this.shown = new Map();
      this.selected = new Set();
      this.anchor = null;
      this.selecting = false;
      this.ending = new AbortController();
      const { signal } = this.ending;
      const on = (target, type, act, options = {}) => target.addEventListener(type, act, { signal, ...options });
      on(window, "scroll", () => this.draw(), { passive: true });
      on(window, "popstate", () => this.turned());
      on(window, "pagehide", () => this.leave());
      on(document, "keydown", (event) => this.key(event));
      on(this, "click", (event) => this.clicked(event));
      on(this, "input", (event) => this.written(event));
      on(this, "change", (event) => this.written(event));
      on(this, "pointerdown", (event) => this.pressed(event));
      for (const type of ["pointerup", "pointercancel", "pointermove"]) on(this, type, (event) => this.let(event));
      on(this, "contextmenu", (event) => { if (this.held && event.target.closest(".hw-tile")) event.preventDefault(); });
      on(this, "submit", (event) => this.submitted(event));
      // In the next frame: to change heights while they are being told is an error.
      this.sized = new ResizeObserver(() => requestAnimationFrame(() => {
        if (this.begun && this.piece("tiles").clientWidth !== this.wide) this.lay();
      }));
      if (this.getAttribute("ready") === "true") this.begin();
    }

    disconnectedCallback() {
      this.leave();
      this.begun = false;
      this.ending.abort();
      this.sized.disconnect();
    }

    attributeChangedCallback(name, before, after) {
      if (before === after || !this.isConnected || !this.piece) return;
      if (name === "ready" && after === "true" && !this.begun) this.begin();
      else if (name === "news" && this.begun) this.refresh();
    }

    begin() {
      this.begun = true;
      this.words = JSON.parse(this.dataset.words);
      this.makers = JSON.parse(this.dataset.makers);
      this.sized.observe(this.piece("tiles"));
      // Its own: the browser would look for a height that is not there yet.
      history.scrollRestoration = "manual";
      this.read();
      const query = asked(location);
      const before = recalled();
      if (kept.query === query && kept.tiles.length) this.again();
      else this.load(before?.query === query ? before : null);
    }

    again() {
      this.query = kept.query;
      this.show("tiles");
      this.lay();
      scrollTo(0, kept.top);
      this.draw();
      this.refresh();
    }

    leave() {
      if (!this.begun || kept.query !== this.query) return;
      kept.top = scrollY;
      try {
        sessionStorage.setItem(PLACE, JSON.stringify({ query: kept.query, loaded: kept.tiles.length, top: scrollY }));
      } catch { /* forbidden or full */ }
    }

    /* ---- pages ---- */

    async load(place = null) {
      this.query = asked(location);
      Object.assign(kept, { query: this.query, tiles: [], cursor: undefined, count: 0, top: 0 });
      this.fresh = [];
      this.tellFresh();
      this.fault = false;
      this.choose(false);
      this.empty();
      this.show("waiting");
      do await this.more(); while (place && kept.tiles.length < place.loaded && kept.cursor && !this.fault);
      if (place && this.begun) { scrollTo(0, place.top); this.draw(); }
    }

    async more() {
      const query = this.query;
      // A page of what was asked for before may still be on its way: nobody waits for it.
      if (this.loading === query || kept.cursor === null) return;
      this.loading = query;
      this.setAttribute("aria-busy", "true");
      try {
        const first = kept.cursor === undefined;
        const page = await this.fetch(first ? { count: "true" } : { cursor: kept.cursor });
        if (query !== this.query) return;
        const known = new Set(kept.tiles.map((tile) => tile.id));
        kept.tiles.push(...page.processes.map(tileOf).filter((tile) => !known.has(tile.id)));
        kept.cursor = page.cursor ?? null;
        if (first) this.tellCount(page.count);
        this.fault = false;
        this.show(kept.tiles.length ? "tiles" : this.filtered() ? "unmatched" : "empty");
      } catch {
        if (query !== this.query) return;
        this.fault = true;
        this.show(kept.tiles.length ? "tiles" : "failed");
      } finally {
        if (this.loading === query) this.loading = null;
        if (query === this.query && this.begun) {
          this.setAttribute("aria-busy", "false");
          this.lay();
          if (this.stale) this.refresh();
        }
      }
    }

    async fetch(more) {
      const query = new URLSearchParams(this.query);
      for (const [name, value] of Object.entries(more)) query.set(name, value);
      const answer = await fetch(`/api/processes?${query}`, { signal: AbortSignal.timeout(20_000) });
      if (!answer.ok) throw new Error(`${answer.status}`);
      return answer.json();
    }

    /* What came, changed or went since: the newest page again, which the server filters. */
    async refresh() {
      if (this.refreshing || this.loading) { this.stale = true; return; }
      this.refreshing = true;
      this.stale = false;
      const query = this.query;
      try {
        const page = await this.fetch({ count: "true" });
        if (query === this.query && this.begun) this.merge(page);
      } catch { /* the page says when the connection is lost; the next news asks again */ } finally {
        this.refreshing = false;
        if (this.stale && this.begun) this.refresh();
      }
    }

    merge(page) {
      const now = page.processes.map(tileOf);
      const ids = new Set(now.map((tile) => tile.id));
      const last = page.cursor ? now.at(-1) : null;
      const oldest = this.query.includes("sort=oldest");
      const within = (tile) => !last || (oldest ? tile.at <= last.at : tile.at >= last.at);
      const known = new Map(kept.tiles.map((tile) => [tile.id, tile]));
      const gone = kept.tiles.filter((tile) => within(tile) && !ids.has(tile.id)).map((tile) => tile.id);
      for (const tile of now) {
        const before = known.get(tile.id);
        if (before && JSON.stringify(before) !== JSON.stringify(tile)) {
          Object.assign(before, tile);
          this.shown.get(tile.id)?.remove();
          this.shown.delete(tile.id);
        }
      }
      this.tellCount(page.count);
      const fresh = now.filter((tile) => !known.has(tile.id));
      if (gone.length) this.drop(gone);
      if (oldest || !kept.tiles.length) kept.tiles.push(...fresh);
      else this.fresh = fresh;
      if (this.fresh.length && scrollY <= AT_TOP) this.admit();
      this.tellFresh();
      this.show(kept.tiles.length ? "tiles" : this.filtered() ? "unmatched" : "empty");
      this.lay();
    }

    // While one looks further down nothing moves: what is fresh waits above, behind a button.
    admit() {
      kept.tiles.unshift(...this.fresh);
      this.fresh = [];
      this.tellFresh();
      this.lay();
    }

    drop(ids) {
      const doomed = new Set(ids);
      kept.tiles = kept.tiles.filter((tile) => !doomed.has(tile.id));
      for (const id of ids) {
        this.selected.delete(id);
        this.shown.get(id)?.remove();
        this.shown.delete(id);
      }
      this.tellSelected();
    }

    /* ---- places ---- */

    lay() {
      if (!this.begun) return;
      const box = this.piece("tiles");
      const width = box.clientWidth;
      this.wide = width;
      if (!width) return;
      const columns = width >= 1180 ? 5 : width >= 860 ? 4 : width >= 560 ? 3 : 2;
      const gap = width < 560 ? 6 : 10;
      const each = (width - gap * (columns - 1)) / columns;
      const heights = new Array(columns).fill(0);
      this.places = kept.tiles.map((tile) => {
        const column = heights.indexOf(Math.min(...heights));
        const place = { x: column * (each + gap), y: heights[column], w: each, h: Math.round(each * tile.ratio) };
        heights[column] += place.h + gap;
        return place;
      });
      this.columns = columns;
      const tall = Math.max(0, ...heights) - (kept.tiles.length ? gap : 0);
      box.style.height = `${Math.max(0, tall)}px`;
      const more = kept.cursor !== null && !this.fault && kept.tiles.length > 0;
      this.toggleAttribute("data-more", more);
      this.toggleAttribute("data-fault", this.fault && kept.tiles.length > 0);
      this.toggleAttribute("data-all", kept.cursor === null && kept.tiles.length > 0);
      this.draw();
    }

    /* Only tiles within a screen or two of what is seen are on the page. */
    draw() {
      if (!this.begun || !this.places) return;
      const box = this.piece("tiles");
      const top = box.getBoundingClientRect().top;
      const from = -top - 1.2 * innerHeight;
      const to = -top + 2.2 * innerHeight;
      const wanted = [];
      // Tops are in order, since each tile goes to the shortest column; no tile is taller than 2.6 columns.
      const tallest = this.places.length ? 2.6 * this.places[0].w : 0;
      for (let at = this.firstAt(from - tallest); at < this.places.length && this.places[at].y < to; at += 1) {
        if (this.places[at].y + this.places[at].h > from) wanted.push(at);
      }
      const ids = new Set(wanted.map((at) => kept.tiles[at].id));
      for (const [id, element] of this.shown) {
        // What has the focus stays: the next arrow key goes on from there.
        if (ids.has(id) || element.contains(document.activeElement)) continue;
        element.remove();
        this.shown.delete(id);
      }
      let next = box.firstElementChild;
      for (const at of wanted) {
        const tile = kept.tiles[at];
        const element = this.shown.get(tile.id) ?? this.build(tile);
        this.shown.set(tile.id, element);
        const { x, y, w, h } = this.places[at];
        element.style.cssText = `--x:${x}px;--y:${y}px;--w:${w}px;--h:${h}px;--ground:${tile.colour ?? "var(--hw-fill)"}`;
        if (tile.blur) element.style.setProperty("--blur", `url(data:image/webp;base64,${tile.blur})`);
        element.setAttribute("aria-posinset", at + 1);
        element.setAttribute("aria-setsize", kept.cursor === null ? kept.tiles.length : -1);
        if (element === next) next = next.nextElementSibling;
        else box.insertBefore(element, next);
      }
      if (this.fresh?.length && scrollY <= AT_TOP) this.admit();
      const left = box.offsetHeight + top - innerHeight;
      if (left < 2 * innerHeight && !this.fault && !this.loading && kept.tiles.length) this.more();
    }

    firstAt(y) {
      let low = 0;
      let high = this.places.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (this.places[middle].y < y) low = middle + 1;
        else high = middle;
      }
      return low;
    }

    build(tile) {
      const name = short(tile.prompt);
      const element = make("article", { className: "hw-tile", "data-id": tile.id, "aria-label": name });
      const link = make("a", { className: "hw-tile-link", href: `/p/${tile.id}` });
      element.append(link);
      if (tile.full) {
        const image = make("img", { alt: tile.count > 1 ? `${name}, image 1 of ${tile.count}` : name, decoding: "async", draggable: false });
        image.addEventListener("load", () => image.classList.add("hw-here"));
        image.src = tile.full.replace(KEPT, "$1-512.webp");
        link.append(image);
      } else {
        const sign = tile.status === "failed" ? (tile.code === "cancelled" ? "cancelled" : "failed") : "running";
        const word = sign === "running" ? this.words.running : this.words[tile.code] ?? this.words[""];
        link.append(make("span", { className: `hw-tile-state hw-is-${sign}` }, drawn(SIGNS[sign]), word));
      }
      const made = [this.makers[tile.maker] ?? tile.maker, tile.shape, when(tile.at)].filter(Boolean).join(" · ");
      link.append(make("span", { className: "hw-tile-words" },
        make("span", { className: "hw-tile-prompt", dir: "auto", "aria-hidden": String(Boolean(tile.full)) }, tile.prompt),
        make("span", { className: "hw-tile-made" }, made)));
      if (tile.kind === "video" && tile.full) link.append(make("span", { className: "hw-tile-plate" }, drawn(SIGNS.play), tile.length || "Video"));
      else if (tile.count > 1) {
        link.append(make("span", { className: "hw-tile-plate", title: `${tile.count} images` }, drawn(SIGNS.stack), String(tile.count)));
      }
      const checked = this.selected.has(tile.id);
      element.append(make("span", { className: "hw-tile-check" },
        make("input", { type: "checkbox", checked, "aria-label": `Select: ${name}` }), drawn(SIGNS.tick)));
      element.classList.toggle("hw-chosen", checked);
      const buttons = make("span", { className: "hw-tile-acts" });
      if (tile.full) {
        const href = `${tile.full}?download=${slug(tile.prompt)}-1`;
        buttons.append(make("a", { className: "hw-tile-act", href, download: "", title: "Download", "aria-label": `Download: ${name}` }, drawn(SIGNS.download)));
      }
      buttons.append(make("button", { className: "hw-tile-act hw-tile-like", type: "button", title: "Favourite",
        "aria-label": `Favourite: ${name}`, "aria-pressed": String(tile.favourite) }, drawn(SIGNS.heart)));
      element.append(buttons);
      return element;
    }

    /* ---- words ---- */

    show(what) { this.dataset.shows = what; }

    empty() {
      this.piece("tiles").replaceChildren();
      this.piece("tiles").style.height = "";
      this.shown.clear();
      this.places = [];
      for (const name of ["more", "fault", "all"]) this.removeAttribute(`data-${name}`);
    }

    tellCount(count) {
      kept.count = count ?? kept.count;
      this.piece("count").textContent = kept.count.toLocaleString("en-GB");
      this.piece("unmatched").textContent = this.form().q.value.trim()
        ? `Nothing fits “${this.form().q.value.trim()}” with these filters.` : "Nothing fits these filters.";
    }

    tellFresh() {
      const button = this.piece("fresh");
      button.hidden = !this.fresh?.length;
      button.textContent = `${this.fresh?.length ?? 0} new`;
    }

    tellSelected() {
      const size = this.selected.size;
      const chosen = kept.tiles.filter((tile) => this.selected.has(tile.id));
      this.piece("bulk").hidden = size === 0;
      this.piece("selected").textContent = size === MOST ? `${MOST} selected, the most at once` : `${size} selected`;
      this.piece("like").setAttribute("aria-pressed", String(size > 0 && chosen.every((tile) => tile.favourite)));
      this.piece("select").setAttribute("aria-pressed", String(this.selecting));
      this.toggleAttribute("data-selecting", this.selecting);
    }

    /* ---- filters ---- */

    form() { return this.querySelector("form.hw-toolbar").elements; }

    filtered() { return [...new URLSearchParams(location.search).keys()].some((name) => name !== "sort"); }

    read() {
      const said = new URLSearchParams(location.search);
      const form = this.form();
      form.q.value = said.get("q") ?? "";
      form.kind.value = KINDS[said.get("kind")] ?? "all";
      form.status.value = said.get("status") in STATUSES ? said.get("status") : "";
      form.favourites.checked = said.has("favourites");
      form.sort.value = said.get("sort") === "oldest" ? "oldest" : "";
      const model = said.get("model") ?? "";
      // A model that is not set up any more is still one to look for.
      if (![...form.model.options].some((option) => option.value === model)) form.model.add(new Option(model.replace("|", " "), model));
      form.model.value = model;
      form.from.value = said.get("from") ?? "";
      form.to.value = said.get("to") ?? "";
      const more = [model, said.get("from"), said.get("to")].filter(Boolean).length;
      this.piece("further").dataset.count = more || "";
      this.piece("filters").dataset.count = [...said.keys()].filter((name) => !["q", "sort"].includes(name)).length || "";
      // Words of the old place would be wrong until its tiles are here.
      this.tellCount();
    }

    address() {
      const form = this.form();
      const said = new URLSearchParams();
      const set = (name, value) => { if (value) said.set(name, value); };
      set("q", form.q.value.trim());
      set("kind", KINDS[form.kind.value]);
      set("status", form.status.value);
      set("model", form.model.value);
      set("favourites", form.favourites.checked ? "1" : "");
      set("from", form.from.value);
      set("to", form.to.value);
      set("sort", form.sort.value);
      const query = said.toString();
      return location.pathname + (query ? `?${query}` : "");
    }

    written(event) {
      if (event.target.closest(".hw-tile-check")) {
        // A key on the box; a click is taken on its way.
        return;
      }
      if (!event.target.closest("form.hw-toolbar")) return;
      clearTimeout(this.waiting);
      const search = event.target.name === "q";
      if (search && event.type === "input") this.waiting = setTimeout(() => this.filter(true), 250);
      else if (event.type === "change") this.filter(search);
    }

    // A word that is being written is one step back, not one a letter.
    filter(typing = false) {
      const address = this.address();
      if (address === location.pathname + location.search) return;
      this.leave();
      const state = history.state ?? {};
      if (typing && this.typed) history.replaceState(state, "", address);
      else history.pushState({ ...state, idx: (state.idx ?? 0) + 1, key: Math.random().toString(36).slice(2) }, "", address);
      this.typed = typing;
      this.turned();
    }

    turned() {
      if (!this.begun || !location.pathname.startsWith("/gallery")) return;
      this.read();
      if (asked(location) === this.query) return;
      scrollTo(0, 0);
      const before = recalled();
      this.load(before?.query === asked(location) ? before : null);
    }

    clear() {
      const form = this.form();
      for (const name of ["q", "status", "model", "from", "to"]) form[name].value = "";
      form.kind.value = "all";
      form.favourites.checked = false;
      this.filter();
    }

    submitted(event) {
      if (!event.target.matches("form.hw-toolbar")) return;
      event.preventDefault();
      clearTimeout(this.waiting);
      this.filter(true);
    }

    /* ---- selecting ---- */

    at(element) {
      const id = element?.closest?.(".hw-tile")?.dataset.id;
      return id === undefined ? -1 : kept.tiles.findIndex((tile) => tile.id === id);
    }

    choose(on) {
      this.selecting = on;
      if (!on) {
        this.selected.clear();
        this.anchor = null;
        for (const element of this.shown.values()) this.mark(element);
      }
      this.tellSelected();
    }

    mark(element) {
      const chosen = this.selected.has(element.dataset.id);
      element.classList.toggle("hw-chosen", chosen);
      element.querySelector(".hw-tile-check input").checked = chosen;
    }

    toggle(at, range = false) {
      const from = range && this.anchor !== null ? kept.tiles.findIndex((tile) => tile.id === this.anchor) : at;
      const on = range ? true : !this.selected.has(kept.tiles[at].id);
      this.selecting = true;
      for (let each = Math.min(from, at); each <= Math.max(from, at); each += 1) {
        const { id } = kept.tiles[each < 0 ? at : each];
        if (!on) this.selected.delete(id);
        else if (this.selected.size < MOST) this.selected.add(id);
        const element = this.shown.get(id);
        if (element) this.mark(element);
      }
      this.anchor = kept.tiles[at].id;
      this.tellSelected();
    }

    all() {
      this.selecting = true;
      for (const tile of kept.tiles.slice(0, MOST)) if (this.selected.size < MOST) this.selected.add(tile.id);
      for (const element of this.shown.values()) this.mark(element);
      this.tellSelected();
    }

    // A finger that stays selects; one that moves scrolls.
    pressed(event) {
      this.held = false;
      const at = this.at(event.target);
      if (event.pointerType !== "touch" || at < 0) return;
      this.press = { x: event.clientX, y: event.clientY };
      this.holding = setTimeout(() => { this.held = true; this.toggle(at); navigator.vibrate?.(10); }, HOLD);
    }

    let(event) {
      const far = this.press && Math.hypot(event.clientX - this.press.x, event.clientY - this.press.y) > 10;
      if (event.type !== "pointermove" || far) clearTimeout(this.holding);
    }

    clicked(event) {
      const { target } = event;
      if (this.held) { this.held = false; event.preventDefault(); return; }
      const at = this.at(target);
      if (at >= 0) return this.hit(at, event);
      if (target.closest("[data-hw-select]")) return this.choose(!this.selecting);
      if (target.closest("[data-hw-clear-selection]")) return this.choose(false);
      if (target.closest("[data-hw-clear-filters]")) return this.clear();
      if (target.closest("[data-hw-again]")) { this.fault = false; return kept.tiles.length ? (this.lay(), this.more()) : this.load(); }
      if (target.closest("[data-hw-fresh]")) { scrollTo(0, 0); return this.admit(); }
      if (target.closest("[data-hw-like]")) return this.like([...this.selected], this.piece("like").getAttribute("aria-pressed") !== "true");
      if (target.closest("[data-hw-zip]")) return this.zip();
      if (target.closest("[data-hw-discard]")) return this.ask([...this.selected]);
    }

    hit(at, event) {
      const tile = kept.tiles[at];
      if (event.target.closest(".hw-tile-like")) return this.like([tile.id], !tile.favourite);
      if (event.target.closest(".hw-tile-act")) return;
      const box = event.target.closest(".hw-tile-check");
      if (!this.selecting && !box) return;
      if (event.ctrlKey || event.metaKey) return;
      if (!box) event.preventDefault();
      // The box shows what is selected, whatever the click made of it.
      setTimeout(() => this.toggle(at, event.shiftKey));
    }

    /* ---- acts ---- */

    async like(ids, on) {
      this.liked(ids, on);
      try {
        const answer = await fetch("/api/processes/favourite", {
          method: "POST", headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ ids, favourite: on }), signal: AbortSignal.timeout(20_000),
        });
        if (!answer.ok) throw new Error(`${answer.status}`);
      } catch { this.liked(ids, !on); }
    }

    liked(ids, on) {
      const them = new Set(ids);
      for (const tile of kept.tiles) if (them.has(tile.id)) tile.favourite = on;
      for (const id of ids) this.shown.get(id)?.querySelector(".hw-tile-like").setAttribute("aria-pressed", String(on));
      this.tellSelected();
    }

    zip() {
      const form = make("form", { method: "post", action: "/api/zip", hidden: true },
        make("input", { name: "ids", value: kept.tiles.filter((tile) => this.selected.has(tile.id)).map((tile) => tile.id).join(",") }));
      document.body.append(form);
      form.submit();
      form.remove();
    }

    ask(ids) {
      if (!ids.length) return;
      const dialog = document.querySelector("#hw-discard");
      dialog.querySelector("[name=ids]").value = ids.join(",");
      dialog.querySelector("[data-hw-question]").textContent = ids.length === 1 ? "Delete 1 item?" : `Delete ${ids.length} items?`;
      dialog.showModal();
    }

    removed(ids) {
      const first = Math.min(...ids.map((id) => kept.tiles.findIndex((tile) => tile.id === id)).filter((at) => at >= 0));
      this.lost = kept.tiles.filter((tile) => ids.includes(tile.id));
      this.drop(ids);
      this.tellCount(Math.max(0, kept.count - this.lost.length));
      this.choose(false);
      this.show(kept.tiles.length ? "tiles" : this.filtered() ? "unmatched" : "empty");
      this.lay();
      const next = kept.tiles[Math.min(first, kept.tiles.length - 1)];
      (this.shown.get(next?.id)?.querySelector(".hw-tile-link") ?? document.querySelector("#results"))?.focus();
    }

    async restore(ids) {
      const answer = await fetch("/api/processes/restore", {
        method: "POST", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ids }), signal: AbortSignal.timeout(20_000),
      });
      const back = answer.ok ? new Set((await answer.json()).ids) : new Set();
      const tiles = (this.lost ?? []).filter((tile) => back.has(tile.id));
      const known = new Set(kept.tiles.map((tile) => tile.id));
      const order = this.query.includes("sort=oldest") ? 1 : -1;
      kept.tiles.push(...tiles.filter((tile) => !known.has(tile.id)));
      kept.tiles.sort((one, other) => order * (one.at < other.at ? -1 : one.at > other.at ? 1 : one.id < other.id ? -1 : 1));
      this.lost = null;
      this.tellCount(kept.count + tiles.length);
      this.show(kept.tiles.length ? "tiles" : "empty");
      this.lay();
    }

    /* ---- keys ---- */

    key(event) {
      if (event.isComposing || document.querySelector("dialog[open]")) return;
      const field = event.target.matches("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
      if (event.key === "Escape" && !field && this.selecting) return this.choose(false);
      if (field) return;
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a" && this.selecting) {
        event.preventDefault();
        return this.all();
      }
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const at = this.at(document.activeElement);
      if (event.key === "Delete") return this.ask(this.selected.size ? [...this.selected] : at < 0 ? [] : [kept.tiles[at].id]);
      if (at >= 0 && event.key.startsWith("Arrow") && !event.target.matches("input")) this.step(at, event);
    }

    step(at, event) {
      const here = this.places[at];
      const across = { ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0;
      const down = { ArrowUp: -1, ArrowDown: 1 }[event.key] ?? 0;
      const middle = here.y + here.h / 2;
      let best = -1;
      let least = Infinity;
      this.places.forEach((place, other) => {
        if (other === at) return;
        const side = Math.round((place.x - here.x) / here.w);
        const fits = across ? Math.sign(side) === across && Math.abs(side) === 1 : place.x === here.x && Math.sign(place.y - here.y) === down;
        const far = across ? Math.abs(place.y + place.h / 2 - middle) : Math.abs(place.y - here.y);
        if (fits && far < least) [best, least] = [other, far];
      });
      if (best < 0) return;
      event.preventDefault();
      this.focusOn(best);
    }

    focusOn(at) {
      const place = this.places[at];
      const top = this.piece("tiles").getBoundingClientRect().top + place.y;
      const bar = 140;
      if (top < bar) scrollBy(0, top - bar);
      else if (top + place.h > innerHeight - 90) scrollBy(0, Math.min(top - bar, top + place.h - innerHeight + 90));
      this.draw();
      this.shown.get(kept.tiles[at].id)?.querySelector(".hw-tile-link").focus({ preventScroll: true });
    }
  }

  const recalled = () => {
    try { return JSON.parse(sessionStorage.getItem(PLACE)); } catch { return null; }
  };

  const gallery = () => document.querySelector("hw-gallery");

  const slash = letters["/"];
  letters["/"] = () => (gallery() ? gallery().form().q.focus() : slash());
  const mark = () => {
    const at = gallery()?.at(document.activeElement) ?? -1;
    if (at >= 0) gallery().toggle(at);
  };
  letters.x = mark;

  window.hexwave.gallery = {
    removed: (ids) => gallery()?.removed(ids),
    restore: (ids) => gallery()?.restore(ids),
  };

  customElements.define("hw-gallery", Gallery);
})();
