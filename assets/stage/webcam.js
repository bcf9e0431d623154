// A picture from the webcam; it leaves the browser only when it is taken.

import { fault } from "./server.js";
import { make } from "./words.js";

export class Webcam {
  /** take(blob) with a PNG. tell(fault) where there is no camera. */
  constructor(take, tell) {
    this.take = take;
    this.tell = tell;
    this.video = make("video", { autoplay: true, playsinline: true, muted: true });
    const shoot = make("button.pl-button", { type: "button", say: "Take picture", onclick: () => this.#shoot() });
    const close = make("button.pl-link", { type: "button", say: "Close", onclick: () => this.element.close() });
    this.element = make("dialog.pl-dialog.pl-webcam", { label: "Webcam" }, this.video, make(".pl-heading", {}, shoot, close));
    this.element.onclose = () => this.stream?.getTracks().forEach((track) => track.stop());
  }

  async open() {
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1280 } });
    } catch {
      return this.tell(fault({ said: "The webcam was asked for, but the browser has none or does not allow it; open a file instead." }));
    }
    this.video.srcObject = this.stream;
    this.element.showModal();
  }

  #shoot() {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [this.video.videoWidth, this.video.videoHeight];
    canvas.getContext("2d").drawImage(this.video, 0, 0);
    canvas.toBlob((blob) => {
      this.element.close();
      this.take(blob);
    }, "image/png");
  }
}
