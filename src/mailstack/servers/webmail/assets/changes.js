// The stream of changes: one for all accounts, since a browser opens few connections to a place. RFC 8620 §7.3.

const RECONNECT_MS = [1000, 2000, 5000, 15000, 60000];

export class Changes {
  // onHeard: with the ids of all accounts in which something has changed. onRefused: when there is no stream to be had.
  constructor(eventSourceUrl, { onHeard, onRefused }) {
    this._onHeard = onHeard;
    this._onRefused = onRefused;
    this._url = eventSourceUrl.replace("{types}", "*").replace("{closeafter}", "no").replace("{ping}", "60");
    this._listeners = new Set();
    this._source = null;
    this._failures = 0;
    this._timer = 0;
    this._onNetwork = () => this._networkChanged();
  }

  // onChange: with the changed types of the account. onState: whether changes are heard of. Returns what ends it.
  listen(accountId, onChange, onState) {
    const listener = { accountId, onChange, onState };
    this._listeners.add(listener);
    if (this._listeners.size === 1) this._start();
    else if (this._source?.readyState === EventSource.OPEN) onState(true);
    return () => {
      this._listeners.delete(listener);
      if (!this._listeners.size) this._stop();
    };
  }

  openAgain() {
    if (this._listeners.size) this._open();
  }

  _start() {
    addEventListener("online", this._onNetwork);
    addEventListener("offline", this._onNetwork);
    this._open();
  }

  _stop() {
    removeEventListener("online", this._onNetwork);
    removeEventListener("offline", this._onNetwork);
    clearTimeout(this._timer);
    this._source?.close();
    this._source = null;
  }

  _open() {
    clearTimeout(this._timer);
    this._source?.close();
    const source = new EventSource(this._url);
    this._source = source;
    source.addEventListener("open", () => {
      this._failures = 0;
      this._tellState(true);
    });
    source.addEventListener("state", (event) => this._tell(JSON.parse(event.data).changed));
    source.addEventListener("error", () => {
      this._tellState(false);
      if (source.readyState !== EventSource.CLOSED) return;
      this._onRefused();
      const wait = RECONNECT_MS[Math.min(this._failures++, RECONNECT_MS.length - 1)];
      this._timer = setTimeout(() => this._open(), wait);
    });
  }

  // A stream does not always notice by itself that its network has gone.
  _networkChanged() {
    if (navigator.onLine) this._open();
    else this._tellState(false);
  }

  _tell(changed) {
    this._onHeard(Object.keys(changed));
    for (const { accountId, onChange } of this._listeners) if (accountId in changed) onChange(changed[accountId]);
  }

  _tellState(isHeard) {
    for (const { onState } of this._listeners) onState(isHeard);
  }
}
