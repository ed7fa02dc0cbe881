/* A clerk-js as small as @clerk/react takes it. Who is signed in is kept by the browser, as by Clerk's cookies. */
(() => {
  const script = document.currentScript;
  const KEY = "clerk.user";
  const origin = new URL(script.src).origin;
  const heard = new Set();
  const statuses = new Set();
  const channel = new BroadcastChannel(KEY);

  const resources = () => {
    const kept = JSON.parse(localStorage.getItem(KEY));
    if (!kept) return { client: { sessions: [], signedInSessions: [] }, session: null, user: null, organization: null };
    const user = { id: kept.user, firstName: "Ada", username: null, primaryEmailAddress: null, organizationMemberships: [] };
    const session = {
      id: kept.session,
      status: "active",
      user,
      actor: null,
      factorVerificationAge: null,
      lastActiveToken: { jwt: { claims: { sub: kept.user, sid: kept.session } } },
      getToken: async () => {
        const answer = await fetch(`${origin}/token/${kept.session}/${kept.user}`);
        return answer.ok ? answer.text() : null;
      },
      checkAuthorization: () => false,
    };
    return { client: { sessions: [session], signedInSessions: [session] }, session, user, organization: null };
  };

  // What was told last stays the same object until there is news: React compares it.
  const tell = () => {
    const news = resources();
    Object.assign(window.Clerk, news, { __internal_lastEmittedResources: news });
    heard.forEach((listener) => listener(news));
  };
  channel.onmessage = tell;

  const become = (kept) => {
    if (kept) localStorage.setItem(KEY, JSON.stringify(kept));
    else localStorage.removeItem(KEY);
    channel.postMessage("");
    tell();
  };

  window.__internal_ClerkUICtor = class {};
  window.Clerk = {
    loaded: false,
    version: "6.0.0",
    status: "loading",
    isSignedIn: false,
    telemetry: undefined,
    async load() {
      this.loaded = true;
      this.status = "ready";
      statuses.forEach((listener) => listener("ready"));
    },
    addListener(listener) {
      heard.add(listener);
      listener(this.__internal_lastEmittedResources);
      return () => heard.delete(listener);
    },
    on(event, listener, options) {
      statuses.add(listener);
      if (options?.notify) listener(this.status);
    },
    off(event, listener) { statuses.delete(listener); },
    openSignIn() { become({ user: window.clerkUser ?? "user_ada", session: `sess_${Math.random().toString(36).slice(2)}` }); },
    openSignUp() { this.openSignIn(); },
    openUserProfile() {},
    async signOut() {
      const kept = JSON.parse(localStorage.getItem(KEY));
      await fetch(`${origin}/end/${kept.session}`);
      become(null);
    },
    mountUserButton(node) {
      const button = document.createElement("button");
      button.textContent = "Open user button";
      button.onclick = () => this.signOut();
      node.replaceChildren(button);
    },
    unmountUserButton() {},
    __internal_updateProps() {},
  };
  tell();
})();
