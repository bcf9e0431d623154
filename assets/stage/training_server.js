// Asks the server about runs. Addresses never change, so a page that lost its server finds it by asking again.

import { Told, address, fault, unpack } from "./bundle.js";

const KEY = "patchlight visitor";
const HEADER = "x-patchlight-owner";

/** This visitor's token, made once; a shared host shows each visitor their own runs by it. */
function visitor() {
  const kept = localStorage.getItem(KEY);
  if (kept) return kept;
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  const made = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
  localStorage.setItem(KEY, made);
  return made;
}

/** The server is not there, or not yet again. */
export class Away extends Error {}

/** GET patchlight/training/<name>: JSON, or a bundle {facts, arrays}. Throws `Told`, or `Away`. */
export async function ask(name, values = {}, signal = undefined) {
  const url = new URL(address(`patchlight/training/${name}`));
  for (const [key, value] of Object.entries(values)) url.searchParams.set(key, value);
  return answered(() => fetch(url, { headers: { [HEADER]: visitor() }, signal }));
}

/** POST the same way: values as JSON, or a file as an archive, with `query` in the address. */
export async function post(name, body, query = {}) {
  const file = body instanceof Blob;
  const url = new URL(address(`patchlight/training/${name}`));
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  const headers = { [HEADER]: visitor(), "content-type": file ? "application/zip" : "application/json" };
  return answered(() => fetch(url, { method: "POST", headers, body: file ? body : JSON.stringify(body) }));
}

async function answered(send) {
  try {
    return await read(await send());
  } catch (wrong) {
    if (wrong instanceof Told || wrong instanceof Away || wrong.name === "AbortError") throw wrong;
    throw new Away(); // no connection, or one that broke off half way
  }
}

async function read(answer) {
  if (answer.ok) return answer.headers.get("content-type").startsWith("application/json") ? answer.json() : unpack(await answer.arrayBuffer());
  const told = await answer.json().catch(() => ({}));
  if (told.fault) throw new Told(told.fault);
  if (told.error) throw new Told({ template: told.error, facts: {} });
  if (answer.status >= 502) throw new Away();
  throw new Told(fault({ said: "The server could not answer; its log says why." }));
}
