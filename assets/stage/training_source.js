// Where a run's pictures come from: a set by name, a zip from the reader's machine, a folder or table, the hub.

import { select } from "./controls.js";
import { fault } from "./server.js";
import { upload } from "./training_server.js";
import { make, number, say } from "./words.js";

const HUB = "hub/";
const UPLOADS = ["upload/", ".uploads/"]; // as the server names them, and as it did

export class Source {
  /** changed(images): the recipe's name of them. tell(fault), or tell() once all is well. */
  constructor({ changed, tell }) {
    Object.assign(this, { changed, tell, images: "", names: [] });
    this.kind = select("Pictures", [], (kind) => this.#chosen(kind));
    this.place = make("input.pl-text", { type: "text", label: "Folder, table or name on the hub", hidden: true, onchange: () => changed(this.place.value.trim()) });
    this.file = make("input", { type: "file", accept: ".zip", hidden: true, label: "Archive of pictures", onchange: () => this.#upload(), oncancel: () => this.draw(this.images) });
    this.note = make("p.pl-note.pl-train-upload", { role: "status", hidden: true });
  }

  /** datasets: [{name, reads}]. reads: {path, zip, hub}, of pictures from elsewhere. elsewhere: whether folders and the hub may be named. upload: largest zip in bytes. */
  fill({ datasets, reads, elsewhere, upload }) {
    Object.assign(this, { names: datasets.map(({ name }) => name), largest: upload });
    this.read = { ...reads, ...Object.fromEntries(datasets.map(({ name, reads: own }) => [name, own])) };
    const places = elsewhere ? [["path", say("a folder or table …")], ["hub", say("from the hub …")]] : [];
    this.kind.fill([...this.names.map((name) => [name, name]), ["zip", say("upload a zip …")], ...places]);
  }

  draw(images) {
    this.images = images;
    const kind = this.#kindOf(images);
    this.kind.set(kind);
    this.place.hidden = kind === images;
    this.place.readOnly = kind === "zip";
    this.place.value = kind === "zip" ? nameOf(images) : images;
    this.#say(images === this.counted?.images ? this.#counted() : "");
  }

  #counted() {
    if (!this.counted.left) return say("Pictures in {name}: {count}.", this.counted);
    return say("Pictures in {name}: {count}; other files, which were left out: {left}.", this.counted);
  }

  /** Names of the settings that these pictures heed; several sets joined by + heed what any of them does. */
  reads(images) {
    const parts = images.split("+").every((name) => this.names.includes(name)) ? images.split("+") : [this.#kindOf(images)];
    return parts.flatMap((part) => this.read[part]);
  }

  #kindOf(images) {
    if (this.names.includes(images)) return images;
    return images.startsWith(HUB) ? "hub" : UPLOADS.some((mark) => images.includes(mark)) ? "zip" : "path";
  }

  #chosen(kind) {
    if (kind === "zip") return this.file.click();
    if (!["path", "hub"].includes(kind)) return this.changed(kind);
    Object.assign(this.place, { hidden: false, readOnly: false, value: kind === "hub" ? HUB : "" });
    this.place.focus();
  }

  async #upload() {
    const [file] = this.file.files;
    this.file.value = "";
    if (file) await this.#send(file);
    this.draw(this.images);
  }

  async #send(file) {
    const most = Math.floor(this.largest / 2 ** 20);
    if (file.size > this.largest) return this.tell(fault({ said: "{name} has {size} MB, but this page takes archives of {most} MB; upload fewer pictures, or smaller ones.", name: file.name, size: Math.ceil(file.size / 2 ** 20), most }));
    this.kind.element.disabled = true;
    try {
      const { images, count, left } = await upload(file, (share) => this.#sent(file.name, share));
      this.images = images;
      this.counted = { images, name: file.name, count, left };
      this.tell();
      this.changed(images);
    } finally {
      this.kind.element.disabled = false;
    }
  }

  #sent(name, share) {
    const percent = number(Math.floor(100 * share));
    this.#say(share < 1 ? say("{name} is being sent: {percent} %.", { name, percent }) : say("{name} is being unpacked …", { name }));
  }

  #say(words) {
    this.note.hidden = !words;
    this.note.textContent = words;
  }
}

/** What a reader calls these pictures: an owner's name on the hub, else the last part of a path. */
export const nameOf = (images) => (images.startsWith(HUB) ? images.slice(HUB.length) : images.split("/").at(-1));
