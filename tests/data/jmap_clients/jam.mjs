// What a program made with jmap-jam does: its session, mailboxes, an email made, found, read, changed and gone.
// Arguments: the folder of packages, the session's URL, a token, the account's address. Prints what it saw as JSON.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, sessionUrl, bearerToken, address] = process.argv.slice(2);
const { JamClient } = await import(pathToFileURL(createRequire(`${folder}/`).resolve("jmap-jam")));
const jam = new JamClient({ sessionUrl, bearerToken });
const told = {};

const accountId = await jam.getPrimaryAccount();
told.username = (await jam.session).username;

const [mailboxes] = await jam.api.Mailbox.get({ accountId });
told.roles = mailboxes.list.map((mailbox) => mailbox.role).sort();
const inbox = mailboxes.list.find((mailbox) => mailbox.role === "inbox").id;

const blob = await jam.uploadBlob(accountId, "An anvil, attached.");
const [made] = await jam.api.Email.set({
  accountId,
  create: {
    e: {
      mailboxIds: { [inbox]: true },
      from: [{ email: address }],
      subject: "Found by Jam",
      textBody: [{ partId: "t", type: "text/plain" }],
      bodyValues: { t: { value: "Grüße aus Node." } },
      attachments: [{ blobId: blob.blobId, type: "text/plain", name: "anvil.txt" }],
    },
  },
});
const { id } = made.created.e;

const [{ emails, threads }] = await jam.requestMany((t) => {
  const found = t.Email.query({ accountId, filter: { inMailbox: inbox, text: "anvil" } });
  const emails = t.Email.get({
    accountId,
    ids: found.$ref("/ids"),
    properties: ["subject", "threadId", "preview", "attachments"],
  });
  const threads = t.Thread.get({ accountId, ids: emails.$ref("/list/*/threadId") });
  return { found, emails, threads };
});
const [email] = emails.list;
told.found = [email.subject, email.preview, email.id === id, threads.list[0].emailIds.length];

const [attached] = email.attachments;
const named = { accountId, blobId: attached.blobId, mimeType: "text/plain", fileName: attached.name };
told.attached = await (await jam.downloadBlob(named)).text();

await jam.api.Email.set({ accountId, ifInState: emails.state, update: { [id]: { "keywords/$seen": true } } });
const [changes] = await jam.api.Email.changes({ accountId, sinceState: emails.state });
told.changed = changes.updated.length;
await jam.api.Email.set({ accountId, destroy: [id] });
told.left = (await jam.api.Email.query({ accountId }))[0].ids;

const refused = await jam.api.Email.get({ accountId: "nobody", ids: [] }).catch((fault) => fault);
told.refused = refused.type;
console.log(JSON.stringify(told));
