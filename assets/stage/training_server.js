// Asks the server about runs. Addresses never change, so a page that lost its server finds it by asking again.

import { unpack } from "./bundle.js";
import { address, answered, get } from "./server.js";
import { recall, store } from "./storage.js";

const KEY = "patchlight visitor";
const HEADER = "x-patchlight-owner";
const COOKIE = "patchlight-owner";

/** This visitor's token, made once; a shared host shows each visitor their own runs by it. */
function visitor() {
  const kept = recall(KEY);
  if (kept) return kept;
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  const made = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
  store(KEY, made);
  return made;
}

/** The token as a cookie too: what Gradio asks by itself has no header of ours. In a frame of another site's page, as a
 * Space is shown, a cookie must say that it belongs to that pair of sites. */
export function introduce() {
  const where = `path=${new URL(document.baseURI).pathname}; max-age=${400 * 24 * 3600}`;
  const framed = location.protocol === "https:" ? "SameSite=None; Secure; Partitioned" : "SameSite=Strict";
  document.cookie = `${COOKIE}=${visitor()}; ${where}; ${framed}`;
}

/** GET patchlight/training/<name>: JSON, or a bundle {facts, arrays}. Throws what server.js throws. */
export async function ask(name, values = {}, signal = undefined) {
  return read(await get(`patchlight/training/${name}`, values, { headers: { [HEADER]: visitor() }, signal }));
}

/** POST the same way, values as JSON. */
export async function post(name, values) {
  const headers = { [HEADER]: visitor(), "content-type": "application/json" };
  return read(await answered(() => fetch(place(name), { method: "POST", headers, body: JSON.stringify(values) })));
}

/** POST an archive; sent(share of it) while it is on its way. */
export async function upload(archive, sent) {
  return read(await answered(() => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch does not tell how much of a body has gone
    const url = place("upload");
    url.searchParams.set("name", archive.name);
    request.open("POST", url);
    request.setRequestHeader(HEADER, visitor());
    request.setRequestHeader("content-type", "application/zip");
    request.responseType = "blob";
    request.upload.onprogress = ({ loaded, total }) => sent(loaded / total);
    request.onload = () => resolve(new Response(request.response, { status: request.status, headers: { "content-type": request.getResponseHeader("content-type") ?? "" } }));
    request.onerror = reject;
    request.send(archive);
  })));
}

const place = (name) => new URL(address(`patchlight/training/${name}`));

const read = async (answer) => (answer.headers.get("content-type").startsWith("application/json") ? answer.json() : unpack(await answer.arrayBuffer()));
