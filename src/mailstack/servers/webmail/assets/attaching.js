// Files on their way into a draft: what is too large is told before any of it is sent, and few go at a time.

import { CORE, MAIL, MethodError } from "./jmap.js";
import { t } from "./texts.js";

const AT_A_TIME = 3;
// What all browsers show, and no document of its own.
const PICTURE = /^image\/(png|jpeg|gif|webp)$/;

export function isPicture({ type }) {
  return PICTURE.test(type);
}

export class Attaching {
  constructor(draft) {
    this._draft = draft;
    this._waiting = [];
    this._running = 0;
  }

  get isBusy() {
    return this._draft.attachments.some((file) => !file.blobId);
  }

  // Octets, of all together.
  get most() {
    return this._draft.mail.jmap.accountCapability(MAIL).maxSizeAttachmentsPerEmail ?? Infinity;
  }

  get mostOfOne() {
    return this._draft.mail.jmap.session.capabilities[CORE].maxSizeUpload;
  }

  async attach(blobs) {
    await Promise.all([...blobs].map((blob) => this._add(blob, {})?.done));
  }

  // Among the text. Returns the file, and nothing where it is too large; `url` shows it at once.
  attachInline(blob) {
    return this._add(blob, { isInline: true, cid: `${crypto.randomUUID()}@webmail`, url: URL.createObjectURL(blob) });
  }

  detach(file) {
    file.stop?.();
    this._draft.edit({ attachments: this._draft.attachments.filter((each) => each !== file) });
  }

  stop() {
    for (const file of this._draft.attachments) file.stop?.();
  }

  _add(blob, more) {
    const draft = this._draft;
    const refusal = this._whyNot(blob);
    if (refusal) {
      draft.tell(refusal);
      return null;
    }
    const file = { name: blob.name || t("picture"), type: blob.type || "application/octet-stream", size: blob.size, progress: 0, ...more };
    draft.attachments = [...draft.attachments, file];
    draft.tell("");
    file.done = new Promise((resolve) => {
      this._waiting.push(() => this._upload(file, blob).finally(resolve));
    });
    file.stop = () => (file.isStopped = true);
    this._next();
    return file;
  }

  _whyNot(blob) {
    const megabytes = (octets) => Math.floor(octets / 1_000_000);
    if (blob.size > Math.min(this.mostOfOne, this.most)) {
      return t("tooLarge", { name: blob.name, limit: megabytes(Math.min(this.mostOfOne, this.most)) });
    }
    const all = this._draft.attachments.reduce((sum, file) => sum + file.size, blob.size);
    return all > this.most ? t("tooMuch", { name: blob.name, limit: megabytes(this.most) }) : "";
  }

  _next() {
    while (this._running < AT_A_TIME && this._waiting.length) {
      this._running += 1;
      this._waiting.shift()().finally(() => {
        this._running -= 1;
        this._next();
      });
    }
  }

  async _upload(file, blob) {
    const draft = this._draft;
    if (file.isStopped) return;
    try {
      const sending = draft.mail.jmap.uploadTold(blob, file.type, (part) => {
        file.progress = part;
        draft.changed();
      });
      file.stop = sending.stop;
      file.blobId = (await sending.done).blobId;
      if (draft.attachments.includes(file)) draft.touched();
    } catch (error) {
      draft.attachments = draft.attachments.filter((each) => each !== file);
      const isAborted = error instanceof MethodError && error.type === "aborted";
      draft.tell(isAborted ? draft.fault : t("notUploaded", { name: file.name, reason: error.message }));
    } finally {
      delete file.stop;
    }
  }
}
