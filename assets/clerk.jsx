/* Clerk in the page: its own parts to sign in with, its session exchanged for ours, and renewed while it lives. */
import { createElement as h, useEffect, useRef } from "react";
import { ClerkProvider, UserButton, useAuth, useClerk, useUser } from "@clerk/react";
import { show } from "./person.jsx";

const RENEW = 40_000; // a token, and so our cookie, lasts a minute
const RETRY = 5_000;
const PATIENCE = 8_000;
const CALM = 2_000;

const root = document.documentElement;

const scripts = (frontendApi) => frontendApi && {
  __internal_clerkJSUrl: `${frontendApi}/npm/@clerk/clerk-js@6/dist/clerk.browser.js`,
  __internal_clerkUIUrl: `${frontendApi}/npm/@clerk/ui@1/dist/ui.browser.js`,
};

// The connection has the cookies it began with. Reflex lets go of it when a page is put away, and takes up
// another when it is seen again.
const reconnect = () => {
  dispatchEvent(new Event("pagehide"));
  document.dispatchEvent(new Event("visibilitychange"));
};

const exchange = (token) => fetch("/api/session", {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ token }),
});

export default function Clerk({ clerk, user }) {
  return h(
    ClerkProvider,
    {
      publishableKey: clerk.publishableKey,
      telemetry: false,
      scriptLoadTimeout: PATIENCE,
      afterSignOutUrl: location.href,
      ...scripts(clerk.frontendApi),
    },
    h(Session, { known: user?.id ?? null }),
  );
}

function Session({ known }) {
  const { isLoaded, isSignedIn, userId, getToken } = useAuth();
  const clerk = useClerk();
  const server = useRef(known); // whom the server takes us for

  useEffect(() => {
    const look = (status) => { if (status === "error") show("away"); };
    look(clerk.status);
    clerk.on?.("status", look);
    return () => clerk.off?.("status", look);
  }, [clerk]);

  useEffect(() => {
    const { acts } = window.hexwave;
    acts.hwSignIn = () => clerk.openSignIn();
    acts.hwSignUp = () => clerk.openSignUp();
    acts.hwAccount = () => clerk.openUserProfile();
    acts.hwSignOut = () => clerk.signOut();
    acts.hwReload = () => location.reload();
  }, [clerk]);

  useEffect(() => {
    if (!isLoaded) return;
    let timer;
    let over = false;
    let last = -Infinity;
    const later = (work, wait) => { if (!over) timer = setTimeout(work, wait); };

    const became = (person) => {
      if (server.current === person) return;
      server.current = person;
      reconnect();
    };

    const leave = async () => {
      show("out");
      try {
        if (server.current) await fetch("/api/session", { method: "DELETE" });
        became(null);
      } catch { later(leave, RETRY); }
    };

    const renew = async () => {
      clearTimeout(timer);
      try {
        const token = await getToken({ skipCache: true });
        if (over) return;
        if (!token) return leave(); // ended elsewhere
        const answer = await exchange(token);
        if (over) return;
        if (!answer.ok) {
          show("away");
          return later(renew, RETRY);
        }
        became(userId);
        show("in");
        later(renew, RENEW);
      } catch { later(renew, RETRY); }
    };

    // The server found the connection to be nobody's: it began before the exchange, or a sleeping tab lapsed.
    window.hexwave.signedOut = async () => {
      if (over || !isSignedIn || performance.now() - last < CALM) return;
      last = performance.now();
      await renew();
      reconnect();
    };

    const seen = (event) => { if (event.isTrusted && !document.hidden) renew(); };
    if (isSignedIn) {
      renew();
      document.addEventListener("visibilitychange", seen);
    } else leave();
    return () => {
      over = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [isLoaded, isSignedIn, userId]);

  return isSignedIn ? h(Name) : null;
}

function Name() {
  const { user } = useUser();
  const name = user?.firstName || user?.username || user?.primaryEmailAddress?.emailAddress || "You";
  useEffect(() => {
    root.style.setProperty("--hw-initial", JSON.stringify(name[0].toUpperCase()));
    const menu = document.querySelector(".hw-person");
    menu?.setAttribute("aria-label", `${name}: menu`);
    return () => menu?.removeAttribute("aria-label");
  }, [name]);
  return h("div", { className: "hw-signed-in" }, h(UserButton), h("span", null, name));
}
