// A JMAP client of this server, for who is signed in: calls that are made together go together. RFC 8620.

export const CORE = "urn:ietf:params:jmap:core";
export const MAIL = "urn:ietf:params:jmap:mail";
export const SUBMISSION = "urn:ietf:params:jmap:submission";
export const VACATION = "urn:ietf:params:jmap:vacationresponse";
export const SIEVE = "urn:ietf:params:jmap:sieve";
export const QUOTA = "urn:ietf:params:jmap:quota";

export class SignedOut extends Error {}
// The network, or a server that is being restarted: the same may work later.
export class Unreachable extends Error {}

export class MethodError extends Error {
  constructor(type, description) {
    super(description || type);
    this.type = type;
  }
}

export async function asked(path, options = {}) {
  let reply;
  try {
    reply = await fetch(path, { credentials: "same-origin", ...options });
  } catch {
    throw new Unreachable("no connection");
  }
  if (reply.status === 401) throw new SignedOut();
  if (reply.status >= 500 || reply.status === 429) throw new Unreachable(`status ${reply.status}`);
  if (!reply.ok) {
    const problem = await reply.json().catch(() => ({}));
    throw new Error(problem.detail || problem.title || `status ${reply.status}`);
  }
  return reply;
}

export async function signIn(username, password) {
  let reply;
  try {
    reply = await fetch("/sign-in", {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ username, password }),
    });
  } catch {
    throw new Unreachable("no connection");
  }
  if (reply.ok) return;
  const problem = await reply.json().catch(() => ({}));
  throw new Error(problem.title || `status ${reply.status}`);
}

export async function signOut() {
  await asked("/sign-out", { method: "POST" });
}

export class Jmap {
  constructor(connection, accountId = connection.session.primaryAccounts[MAIL]) {
    this.connection = connection;
    this.accountId = accountId;
    this._waiting = [];
    this._number = 0;
  }

  get session() {
    return this.connection.session;
  }

  has(capability) {
    return this.accountId in this.session.accounts
      && capability in this.session.accounts[this.accountId].accountCapabilities;
  }

  // What it says of the account; nothing where the account has it not.
  accountCapability(capability) {
    return this.has(capability) ? this.session.accounts[this.accountId].accountCapabilities[capability] : {};
  }

  // One method call. Arguments that begin with # refer to results, by the call id that `id` gives.
  call(name, args = {}, id = `c${++this._number}`) {
    return new Promise((resolve, reject) => {
      this._waiting.push({ name, args: { accountId: this.accountId, ...args }, id, resolve, reject });
      if (this._waiting.length === 1) queueMicrotask(() => this._send());
    });
  }

  async _send() {
    const most = this.session.capabilities[CORE].maxCallsInRequest;
    const calls = this._waiting.splice(0, most);
    if (this._waiting.length) queueMicrotask(() => this._send());
    try {
      const reply = await this.connection.ask(this.session.apiUrl, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({
          using: Object.keys(this.session.capabilities),
          methodCalls: calls.map((each) => [each.name, each.args, each.id]),
        }),
      });
      const { methodResponses, sessionState } = await read(reply);
      this._tell(calls, methodResponses);
      this.connection.heardOf(sessionState);
    } catch (error) {
      for (const each of calls) each.reject(error);
    }
  }

  _tell(calls, responses) {
    // Calls that follow from a call have its id: the first response is the call's own.
    const first = new Map();
    for (const [name, args, id] of responses) if (!first.has(id)) first.set(id, [name, args]);
    for (const each of calls) {
      const [name, args] = first.get(each.id) ?? ["error", { type: "serverFail" }];
      if (name === "error") each.reject(new MethodError(args.type, args.description));
      else each.resolve(args);
    }
  }

  async upload(blob, type) {
    const reply = await this.connection.ask(this._uploadUrl, { method: "POST", headers: { "Content-Type": type }, body: blob });
    return reply.json();
  }

  // The same with how much of it is there, from 0 to 1, and what stops it: fetch tells nothing of that.
  uploadTold(blob, type, onProgress) {
    let request = null;
    let isStopped = false;
    const send = async () => {
      if (isStopped) throw new MethodError("aborted");
      request = new XMLHttpRequest();
      return sentBy(request, this._uploadUrl, blob, type, onProgress);
    };
    return {
      done: this.connection.whileSignedIn(send),
      stop: () => {
        isStopped = true;
        request?.abort();
      },
    };
  }

  downloadUrl(blobId, name, type) {
    const values = { accountId: this.accountId, blobId, name: name || "attachment", type };
    return this.session.downloadUrl.replace(/\{(\w+)\}/g, (_, key) => encodeURIComponent(values[key]));
  }

  // Calls `onChange` with the changed types of this account; returns what ends it. Connects again when cut off.
  listen(onChange, onState = () => {}) {
    return this.connection.changes.listen(this.accountId, onChange, onState);
  }

  get _uploadUrl() {
    return this.session.uploadUrl.replace("{accountId}", encodeURIComponent(this.accountId));
  }
}

// A connection may break in the middle of an answer, too.
async function read(reply) {
  try {
    return await reply.json();
  } catch {
    throw new Unreachable("half an answer");
  }
}

function sentBy(request, path, blob, type, onProgress) {
  return new Promise((resolve, reject) => {
    request.open("POST", path);
    request.setRequestHeader("Content-Type", type);
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded / (event.total || 1)));
    request.addEventListener("load", () => {
      if (request.status === 201 || request.status === 200) resolve(request.response);
      else if (request.status === 401) reject(new SignedOut());
      else reject(new Error(request.response?.detail || request.response?.title || `status ${request.status}`));
    });
    request.addEventListener("error", () => reject(new Unreachable("no connection")));
    request.addEventListener("abort", () => reject(new MethodError("aborted")));
    request.send(blob);
  });
}

// What a /set could not do, as one error; nothing where it did all.
export function requireSet(response) {
  for (const part of ["notCreated", "notUpdated", "notDestroyed"]) {
    for (const fault of Object.values(response[part] ?? {})) throw new MethodError(fault.type, fault.description);
  }
  return response;
}
