"""What a chart shows, read from what its canvas was told to draw: marks, and where they fall on the axes' numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from playwright.sync_api import Page

RECORDER = """(() => {
    const kept = new WeakMap(), paths = new WeakMap(), drawn = CanvasRenderingContext2D.prototype;
    const told = (context) => kept.get(context.canvas) ?? kept.set(context.canvas, []).get(context.canvas);
    const hear = (name, note) => {
        const own = drawn[name];
        drawn[name] = function (...given) { note(this, ...given); return own.apply(this, given); };
    };
    const size = Object.getOwnPropertyDescriptor(HTMLCanvasElement.prototype, 'width');
    Object.defineProperty(HTMLCanvasElement.prototype, 'width', {
        ...size, set(value) { kept.set(this, []); size.set.call(this, value); },
    });
    hear('clearRect', (context, x, y) => x === 0 && y === 0 && kept.set(context.canvas, []));
    hear('beginPath', (context) => paths.set(context, []));
    for (const name of ['moveTo', 'lineTo', 'arc'])
        hear(name, (context, x, y) => paths.get(context)?.push([name, x, y]));
    const ended = (kind) => (context) => told(context).push({
        kind, path: paths.get(context) ?? [], width: context.lineWidth, alpha: context.globalAlpha,
    });
    hear('stroke', ended('stroke'));
    hear('fill', ended('fill'));
    hear('fillRect', (context, ...box) => told(context).push({ kind: 'rect', box, colour: context.fillStyle }));
    hear('fillText', (context, text, x, y) =>
        told(context).push({ kind: 'text', text, x, y, align: context.textAlign }));
    window.marksOf = (canvas) => kept.get(canvas) ?? [];
})()"""
"""For `add_init_script`: keeps, for each canvas, what it was told since it was last cleared."""


@dataclass(frozen=True)
class Axis:
    """A linear scale, as the numbers written along it give it."""

    origin: float
    step: float

    def value(self, place: float) -> float:
        return (place - self.origin) / self.step


class Chart:
    """What one canvas shows."""

    def __init__(self, page: Page, selector: str, number: int = 0) -> None:
        self.marks: list[dict[str, Any]] = page.locator(selector).nth(number).evaluate("(it) => window.marksOf(it)")

    @property
    def up(self) -> Axis:
        """The axis at the left, from the numbers written along it; greater values lie higher, or this fails."""
        axis = self._axis([(mark["text"], mark["y"] - 4) for mark in self._texts("right")])
        assert axis.step < 0, "the axis is upside down"
        return axis

    @property
    def along(self) -> Axis:
        """The axis at the foot; greater values lie further to the right, or this fails."""
        texts = self._texts("center")
        foot = max(mark["y"] for mark in texts if _number(mark["text"]) is not None)
        axis = self._axis([(mark["text"], mark["x"]) for mark in texts if mark["y"] == foot])
        assert axis.step > 0, "the axis runs to the left"
        return axis

    def dots(self, name: str = "fill") -> list[tuple[float, float]]:
        """(x, y) of round marks."""
        return [(x, y) for mark in self.marks if mark["kind"] == name for kind, x, y in mark["path"] if kind == "arc"]

    def lines(self, least: int = 3) -> list[np.ndarray]:
        """(points, 2) of lines with at least so many points."""
        paths = [[point[1:] for point in mark["path"]] for mark in self.marks if mark["kind"] == "stroke"]
        return [np.array(path) for path in paths if len(path) >= least]

    def boxes(self) -> list[dict[str, Any]]:
        return [mark for mark in self.marks if mark["kind"] == "rect"]

    def _texts(self, align: str) -> list[dict[str, Any]]:
        return [mark for mark in self.marks if mark["kind"] == "text" and mark["align"] == align]

    @staticmethod
    def _axis(told: list[tuple[str, float]]) -> Axis:
        read = [(value, place) for text, place in told if (value := _number(text)) is not None]
        assert len(read) >= 2, told
        step, origin = np.polyfit([value for value, _ in read], [place for _, place in read], 1)
        return Axis(float(origin), float(step))


def _number(text: str) -> float | None:
    plain = text.replace("−", "-").replace(",", "").removesuffix(" %")
    return float(plain) if re.fullmatch(r"-?\d+(\.\d+)?", plain) else None
