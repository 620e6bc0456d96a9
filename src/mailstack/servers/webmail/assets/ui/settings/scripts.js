// The account's Sieve scripts, as JMAP has them. RFC 9661.

import { MethodError, requireSet } from "../../jmap.js";

const FAULT = /^line (\d+), column (\d+): (.*)$/;
let uploads = 0;

export async function loadScripts(jmap) {
  const [got, isLocked] = await Promise.all([jmap.call("SieveScript/get", { ids: null }), areLocked(jmap)]);
  return { scripts: got.list.sort((a, b) => a.name.localeCompare(b.name)), state: got.state, isLocked };
}

// A /set of nothing changes nothing, and says whether one may.
async function areLocked(jmap) {
  try {
    await jmap.call("SieveScript/set", {});
    return false;
  } catch (error) {
    if (error instanceof MethodError && error.type === "forbidden") return true;
    throw error;
  }
}

export async function readScript(jmap, script) {
  const got = await jmap.call("Blob/get", { ids: [script.blobId], properties: ["data:asText"] });
  return (got.list[0]?.["data:asText"] ?? "").replace(/\r\n/g, "\n");
}

// In the request that names it: what the id of the upload is, and what to wait for.
function uploaded(jmap, text) {
  const key = `script${++uploads}`;
  const data = [{ "data:asText": text.replace(/\r?\n/g, "\r\n") }];
  const sent = jmap.call("Blob/upload", { create: { [key]: { data } } }).then(requireSet);
  return { blobId: `#${key}`, sent };
}

// All faults, with their lines where they have any.
export async function faultsOf(jmap, text) {
  const { blobId, sent } = uploaded(jmap, text);
  const [{ error }] = await Promise.all([jmap.call("SieveScript/validate", { blobId }), sent]);
  return error ? readFaults(error.description || error.type) : [];
}

function readFaults(description) {
  return description.split("\n").map((each) => {
    const found = FAULT.exec(each);
    return found ? { line: Number(found[1]), column: Number(found[2]), text: found[3] } : { line: 0, column: 0, text: each };
  });
}

// script: null for a new one. Returns its id.
export async function keepScript(jmap, script, { name, text, state }) {
  const { blobId, sent } = uploaded(jmap, text);
  const values = { name, blobId };
  const change = script ? { update: { [script.id]: values } } : { create: { kept: values } };
  const [answer] = await Promise.all([jmap.call("SieveScript/set", { ...change, ifInState: state }), sent]);
  requireSet(answer);
  return script?.id ?? answer.created.kept.id;
}

export async function useScript(jmap, script) {
  const wanted = script ? { onSuccessActivateScript: script.id } : { onSuccessDeactivateScript: true };
  await jmap.call("SieveScript/set", wanted);
}

export async function removeScript(jmap, script) {
  const first = script.isActive ? { onSuccessDeactivateScript: true } : null;
  if (first) await jmap.call("SieveScript/set", first);
  requireSet(await jmap.call("SieveScript/set", { destroy: [script.id] }));
}
