/* Who sits at the page, as the server says. Clerk is loaded only where people can sign in. */
import { createElement, lazy, Suspense, useEffect, useState } from "react";

const RETRY = 2000;

export const show = (person) => { document.documentElement.dataset.hwPerson = person; };

const Unreachable = () => {
  useEffect(() => show("away"), []);
  return null;
};

const Clerk = lazy(() => import("./clerk.jsx").catch(() => ({ default: Unreachable })));

const ask = async () => {
  const answer = await fetch("/api/session");
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.json();
};

export function Person() {
  const [session, setSession] = useState(null);
  useEffect(() => {
    let timer;
    const learn = () => ask().then(setSession, () => { timer = setTimeout(learn, RETRY); });
    learn();
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => { if (session && !session.clerk) show("guest"); }, [session]);
  if (!session?.clerk) return null;
  return createElement(Suspense, null, createElement(Clerk, session));
}
