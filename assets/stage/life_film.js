// Pictures that the page has drawn, joined by the server into one GIF or MP4.

import { save } from "./export.js";
import { address, answered } from "./server.js";

const WIDEST = 1280;

/** pictures: blobs, in order. about: the film's comment. form: "gif" or "mp4". Saves `patchlight-<name>.<form>`. */
export async function filmed(pictures, about, form, name) {
  const body = new FormData();
  body.set("about", about);
  body.set("form", form);
  for (const picture of pictures) body.append("picture", await shrunk(picture), "step.webp");
  const answer = await answered(() => fetch(address("patchlight/film/upload"), { method: "POST", body }));
  save({ source: await answer.blob(), name: `patchlight-${name}.${form}` });
}

async function shrunk(picture) {
  const image = await createImageBitmap(picture);
  const scale = Math.min(1, WIDEST / image.width);
  const sheet = new OffscreenCanvas(Math.round(image.width * scale), Math.round(image.height * scale));
  const context = sheet.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, sheet.width, sheet.height);
  return sheet.convertToBlob({ type: "image/webp", quality: 0.95 });
}

/** Several pictures beside one another, as one. */
export async function besides(pictures) {
  const images = await Promise.all(pictures.map((picture) => createImageBitmap(picture)));
  const sheet = new OffscreenCanvas(images.reduce((width, image) => width + image.width, 0), Math.max(...images.map(({ height }) => height)));
  const context = sheet.getContext("2d");
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, sheet.width, sheet.height);
  images.reduce((left, image) => (context.drawImage(image, left, 0), left + image.width), 0);
  return sheet.convertToBlob({ type: "image/png" });
}
