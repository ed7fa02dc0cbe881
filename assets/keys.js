/* The API keys page: shows a key once, and asks before one is revoked. */
(() => {
  "use strict";

  const find = (selector) => document.querySelector(selector);

  class MadeKey extends HTMLElement {
    connectedCallback() {
      // A page that is left may be kept by the browser, with all that is in its fields.
      this.leave = () => this.hide();
      addEventListener("pagehide", this.leave);
    }

    disconnectedCallback() {
      removeEventListener("pagehide", this.leave);
      this.hide();
    }

    get field() { return this.querySelector("input"); }

    show(token, name) {
      this.field.value = token;
      this.querySelector("[data-hw-made-name]").textContent = `${name}.`;
      this.label("Copy");
      this.toggleAttribute("data-shown", true);
      this.field.focus();
      this.field.select();
      this.field.scrollLeft = 0;
    }

    hide() {
      if (this.field) this.field.value = "";
      this.toggleAttribute("data-shown", false);
    }

    async copy() {
      try {
        await navigator.clipboard.writeText(this.field.value);
      } catch {
        // Over plain HTTP, browsers copy only what is selected.
        this.field.focus();
        this.field.select();
        if (!document.execCommand("copy")) return;
      }
      this.label("Copied");
    }

    label(word) { this.querySelector("[data-hw-copy-key] span").textContent = word; }
  }

  const shown = () => find("hw-made-key");

  const ask = ({ dataset }) => {
    const dialog = find("#hw-revoke");
    dialog.querySelector("[name=key]").value = dataset.hwRevoke;
    dialog.querySelector("[data-hw-revoke-name]").textContent = `${dataset.name}.`;
    dialog.showModal();
  };

  // Before React reads the form, as hexwave.js does it.
  document.addEventListener("submit", (event) => {
    if (event.target.id === "hw-revoke-form") {
      event.target.closest("dialog").close();
      find("#hw-key-name").focus();
    }
    if (event.target.id !== "hw-key-form") return;
    const field = event.target.elements.name;
    const blank = !field.value.trim();
    event.target.toggleAttribute("data-blank", blank);
    if (!blank) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    field.focus();
  }, true);

  document.addEventListener("input", (event) => {
    if (event.target.id === "hw-key-name") event.target.form.removeAttribute("data-blank");
  });

  Object.assign(window.hexwave.acts, {
    hwCopyKey: () => shown().copy(),
    hwHideKey: () => { shown().hide(); find("#hw-key-name").focus(); },
    hwRevoke: ask,
  });

  window.hexwave.showKey = (token, name) => {
    find("#hw-key-form").reset();
    shown().show(token, name);
  };

  customElements.define("hw-made-key", MadeKey);
})();
