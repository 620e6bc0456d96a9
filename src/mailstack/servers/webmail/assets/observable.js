// A value that tells who watches when it has changed.

export class Observable {
  constructor() {
    this._watchers = new Set();
    this._pending = false;
  }

  watch(watcher) {
    this._watchers.add(watcher);
    return () => this._watchers.delete(watcher);
  }

  // Many changes at a time are told once.
  changed() {
    if (this._pending) return;
    this._pending = true;
    queueMicrotask(() => {
      this._pending = false;
      for (const watcher of [...this._watchers]) watcher();
    });
  }
}
