// What stays in this browser for when there is no connection: the page and its files, and what was read last by who is signed
// in here. Nobody else sees it: it goes with the sign-out, and before somebody else's mail comes.

const FILES = "mailstack-files";
const MAIL = "mailstack-mail";
const LAST = "/mail/last";
const KEEP_MS = 1000;

const trusted = globalThis.trustedTypes?.createPolicy("worker", { createScriptURL: (path) => path });

// What is shown now, again and again; returns what ends it. There may be no room, or a browser that keeps nothing: then nothing is.
export function keep(accounts) {
  let timer = 0;
  const write = async () => {
    timer = 0;
    const cache = await caches.open(MAIL);
    if (!isEnded) await cache.put(LAST, new Response(JSON.stringify(accounts.toKeep())));
  };
  let isEnded = false;
  const end = accounts.watch(() => (timer ||= setTimeout(() => write().catch(() => {}), KEEP_MS)));
  return () => {
    isEnded = true;
    clearTimeout(timer);
    end();
  };
}

// null where there is nothing.
export async function lastKept() {
  try {
    const found = await (await caches.open(MAIL)).match(LAST);
    return found ? await found.json() : null;
  } catch {
    return null;
  }
}

export async function forgetMail() {
  await caches.delete(MAIL).catch(() => {});
}

// What a browser keeps is of one person.
export async function forgetOthers(username) {
  const last = await lastKept();
  if (last?.session.username !== username) await forgetMail();
}

// The worker hands it out; the page says what belongs to it, since it has come before the worker did.
export async function keepPage() {
  try {
    await navigator.serviceWorker.register(trusted?.createScriptURL("/mail/worker.js") ?? "/mail/worker.js", { scope: "/mail" });
    const cache = await caches.open(FILES);
    const wanted = new Set([...document.querySelectorAll("link, script")].map((each) => each.href ?? each.src).filter((url) => url.includes("/mail/assets/")));
    const here = new Set();
    for (const { url } of await cache.keys()) {
      if (wanted.has(url)) here.add(url);
      else await cache.delete(url);
    }
    await cache.addAll(["/mail", ...[...wanted].filter((url) => !here.has(url))]);
  } catch {
    // Then a reload needs a connection.
  }
}
