// Asks the server about runs. Addresses never change, so a page that lost its server finds it by asking again.

import { Told, address, fault, unpack } from "./bundle.js";

const KEY = "patchlight visitor";
const HEADER = "x-patchlight-owner";
const COOKIE = "patchlight-owner";

/** This visitor's token, made once; a shared host shows each visitor their own runs by it. */
function visitor() {
  const kept = localStorage.getItem(KEY);
  if (kept) return kept;
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  const made = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
  localStorage.setItem(KEY, made);
  return made;
}

/** The token as a cookie too: what Gradio asks by itself has no header of ours. In a frame of another site's page, as a
 * Space is shown, a cookie must say that it belongs to that pair of sites. */
export function introduce() {
  const where = `path=${new URL(document.baseURI).pathname}; max-age=${400 * 24 * 3600}`;
  const framed = location.protocol === "https:" ? "SameSite=None; Secure; Partitioned" : "SameSite=Strict";
  document.cookie = `${COOKIE}=${visitor()}; ${where}; ${framed}`;
}

/** The server is not there, or not yet again. */
export class Away extends Error {}

/** GET patchlight/training/<name>: JSON, or a bundle {facts, arrays}. Throws `Told`, or `Away`. */
export async function ask(name, values = {}, signal = undefined) {
  return answered(() => fetch(place(name, values), { headers: { [HEADER]: visitor() }, signal }));
}

/** POST the same way, values as JSON. */
export async function post(name, values) {
  const headers = { [HEADER]: visitor(), "content-type": "application/json" };
  return answered(() => fetch(place(name), { method: "POST", headers, body: JSON.stringify(values) }));
}

/** POST an archive; sent(share of it) while it is on its way. */
export async function upload(archive, sent) {
  return answered(() => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch does not tell how much of a body has gone
    request.open("POST", place("upload", { name: archive.name }));
    request.setRequestHeader(HEADER, visitor());
    request.setRequestHeader("content-type", "application/zip");
    request.responseType = "blob";
    request.upload.onprogress = ({ loaded, total }) => sent(loaded / total);
    request.onload = () => resolve(new Response(request.response, { status: request.status, headers: { "content-type": request.getResponseHeader("content-type") ?? "" } }));
    request.onerror = reject;
    request.send(archive);
  }));
}

function place(name, values = {}) {
  const url = new URL(address(`patchlight/training/${name}`));
  for (const [key, value] of Object.entries(values)) url.searchParams.set(key, value);
  return url;
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
