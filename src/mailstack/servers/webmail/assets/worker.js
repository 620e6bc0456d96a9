// Hands out the page, its files and opened mail while there is no connection: as they came last. kept.js says when they go.

const FILES = "mailstack-files";
const MAIL = "mailstack-mail";
const MOST_OPENED = 300;
const MOST_OCTETS = 5_000_000;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin || request.method !== "GET") return;
  if (pathname.startsWith("/mail/assets/")) event.respondWith(keptOrFresh(request));
  else if (pathname === "/mail" && request.mode === "navigate") event.respondWith(freshOrKept(event, FILES));
  else if (isOpened(request, pathname)) event.respondWith(freshOrKept(event, MAIL));
});

// Mail as documents, and the pictures in them.
function isOpened(request, pathname) {
  return pathname.startsWith("/mail/shown/") || (request.destination === "image" && /^\/(jmap\/download|mail\/picture)\//.test(pathname));
}

// Their address has a hash of what is in them.
async function keptOrFresh(request) {
  const cache = await caches.open(FILES);
  return (await find(cache, request)) ?? fetch(request);
}

async function freshOrKept(event, name) {
  const { request } = event;
  const cache = await caches.open(name);
  let answer;
  try {
    answer = await fetch(request);
  } catch (error) {
    const found = await find(cache, request);
    if (found) return found;
    throw error;
  }
  if (answer.ok) event.waitUntil(put(cache, request, answer.clone()));
  return answer.status >= 500 ? (await find(cache, request)) ?? answer : answer;
}

function find(cache, request) {
  return cache.match(request, { ignoreVary: true });
}

// The one that was opened longest ago goes first. A cache that was deleted meanwhile takes nothing any more.
async function put(cache, request, answer) {
  if (Number(answer.headers.get("Content-Length") ?? 0) > MOST_OCTETS) return;
  await cache.put(request, answer);
  const opened = (await cache.keys()).filter(({ url }) => !url.endsWith("/mail/last"));
  for (const each of opened.slice(0, -MOST_OPENED)) await cache.delete(each);
}
