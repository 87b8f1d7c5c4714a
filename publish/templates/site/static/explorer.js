// Explorers without a kernel: sliders over a stored picture, and what differs from it in frames that are fetched when they are asked for.
"use strict";

function explorer(place) {
  const told = JSON.parse(place.querySelector("script").textContent);
  const cell = place.closest(".cell_output");
  const still = cell.querySelector("img");
  if (!still) return;
  const frame = document.createElement("img");
  frame.className = "frame";
  frame.alt = "";
  frame.hidden = true;
  const plate = document.createElement("span");
  plate.className = "plate";
  const link = still.closest("a") || still;
  link.replaceWith(plate); // a tap would show the start, large, and not what is seen
  plate.append(still, frame);

  const says = document.createElement("p");
  says.className = "says";
  says.setAttribute("aria-live", "polite");
  const now = told.sliders.map((slider) => slider.start);
  const number = (at) => at.reduce((sum, position, k) => sum * told.sliders[k].values.length + position, 0);
  const address = (at) => `${told.folder}/${number(at)}.webp`;
  const waiting = new Map();

  function load(at) {
    const url = address(at);
    if (number(at) === told.start || waiting.has(url)) return waiting.get(url);
    const image = new Image();
    image.src = url;
    const ready = image.decode().catch(() => {});
    waiting.set(url, ready);
    return ready;
  }

  function preload() {
    now.forEach((position, k) => {
      for (const next of [position - 1, position + 1]) {
        if (next >= 0 && next < told.sliders[k].values.length) load(now.map((other, j) => (j === k ? next : other)));
      }
    });
  }

  async function show() {
    const wanted = number(now);
    await load([...now]);
    if (wanted !== number(now)) return;
    const isStart = wanted === told.start;
    if (!isStart) frame.src = address(now);
    frame.hidden = isStart;
    still.alt = says.textContent = told.alts[wanted];
    place.dataset.frame = wanted;
    preload();
  }

  const controls = document.createElement("div");
  controls.className = "controls";
  told.sliders.forEach((slider, k) => {
    if (slider.values.length < 2) return;
    const label = document.createElement("label");
    const name = document.createElement("span");
    const isChoice = typeof slider.values[0] === "string";
    const input = document.createElement(isChoice ? "select" : "input");
    const value = document.createElement("span");
    name.textContent = slider.label;
    value.className = "value";
    value.setAttribute("aria-hidden", "true");
    if (isChoice) {
      input.append(...slider.values.map((text, position) => new Option(text, position)));
    } else {
      Object.assign(input, { type: "range", min: 0, max: slider.values.length - 1, step: 1 });
      input.autocomplete = "off";
    }
    input.setAttribute("aria-label", slider.label);
    input.value = slider.start;
    const tell = () => {
      if (isChoice) return;
      value.textContent = String(slider.values[now[k]]).replace("-", "\u2212");
      input.setAttribute("aria-valuetext", value.textContent);
    };
    input.addEventListener("input", () => {
      now[k] = Number(input.value);
      tell();
      show();
    });
    for (const touched of ["focus", "pointerenter", "touchstart"]) {
      input.addEventListener(touched, preload, { once: true, passive: true });
    }
    tell();
    label.append(name, input, value);
    controls.append(label);
  });
  place.dataset.frame = told.start;
  plate.before(controls, says);
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".explorer").forEach(explorer));
