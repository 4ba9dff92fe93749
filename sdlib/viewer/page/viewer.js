// The viewer: its state, what changes it, and what it draws.

const from = 0, to = 1; // state.looking
const own = 0, common = 1; // state.scale

const names = ["different", "same"]; // of labels

// The answer of a model with two classes, and its probability.
function answerOf(image) {
  if (image.logits.length !== 2) return null;
  const label = image.logits[1] > image.logits[0] ? 1 : 0;
  return { label, probability: 1 / (1 + Math.exp(-Math.abs(image.logits[1] - image.logits[0]))) };
}

class Viewer {
  constructor(host, style, data) {
    this.data = data;
    for (const image of data.images) image.objects ??= []; // null stands for an empty list of Go's
    this.colors = rgba(data.palette);
    this.unpacked = new Map(); // image -> promise of its weights; the last few
    this.state = {
      image: 0, ...data.start, // block and head
      held: null, pointed: null, // sources
      looking: from, scale: own, score: data.scores.length ? 0 : -1,
    };
    this.parts = {};
    const root = host.attachShadow({ mode: "open" }); // hides the still picture, and keeps the page's styles apart
    root.append(element("style", {}, style), buildPage(this, this.parts));
    this.show(0);
  }

  get image() {
    return this.data.images[this.state.image];
  }

  // What the maps are drawn for: what is held, else what is pointed at, else the first object.
  get source() {
    return this.state.held || this.state.pointed || namedSources(this.data, this.image)[0] || patchSource(this.data, 0);
  }

  // How large weights may be that the maps cannot tell apart, because they were left out; 0 where all are known.
  get unknown() {
    const { state, source } = this;
    return (state.looking === from ? this.weights.hasWhole(source.tokens) : source.front) ? 0 : this.data.smallest;
  }

  // --- changes ---------------------------------------------------------------------------------------

  set(changes) {
    Object.assign(this.state, changes);
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      if (this.drawn === this.state.image) this.draw(); // else its weights are on their way
    });
  }

  point(source) {
    const { pointed } = this.state;
    if ((pointed && pointed.key) !== (source && source.key)) this.set({ pointed: source });
  }

  // hold keeps a source while the pointer goes elsewhere; a second time releases it.
  hold(source) {
    const again = this.state.held && this.state.held.key === source.key;
    this.set({ held: again ? null : source });
  }

  // Listeners of an element that stands for a source.
  chooses(source) {
    return { onpointerenter: () => this.point(source), onpointerleave: () => this.point(null), onclick: () => this.hold(source) };
  }

  // show turns to an image. What is held stays held if the image has it.
  async show(i) {
    const { data, state, parts } = this, n = data.images.length;
    state.image = i = (i + n) % n;
    state.pointed = null;
    if (state.held && state.held.patch === undefined) state.held = namedSources(data, this.image).find((s) => s.key === state.held.key) || null;
    if (!this.unpacked.has(i)) this.unpacked.set(i, unpack(data, data.images[i]));
    if (this.unpacked.size > 3) this.unpacked.delete(this.unpacked.keys().next().value);
    try {
      const weights = await this.unpacked.get(i);
      if (state.image !== i) return; // turned on meanwhile
      this.weights = weights;
    } catch (error) {
      parts.facts.textContent = `The weights of image ${data.images[i].index} cannot be read: ${error.message}`;
      return;
    }
    this.drawn = i;
    this.drawImage();
    this.draw();
  }

  key(e) {
    const { data, state } = this, bracket = e.key === "[" || e.key === "]"; // on some keyboards with AltGr or Option
    if (e.target.tagName === "SELECT" || e.metaKey || (e.ctrlKey && !e.getModifierState("AltGraph")) || (e.altKey && !bracket)) return;
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[e.key];
    if (step && e.shiftKey) {
      this.set({ held: stepFrom(data, this.source, step) });
    } else if (step) {
      const within = (x, n) => Math.max(0, Math.min(n - 1, x));
      this.set({ block: within(state.block + step[0], data.blocks), head: within(state.head + step[1], data.heads) });
      this.parts.heads[state.block][state.head].button.focus({ preventScroll: true });
    } else if (bracket) {
      this.show(state.image + (e.key === "]" ? 1 : -1));
    } else if (e.key === "x") {
      this.set({ looking: 1 - state.looking });
    } else if (e.key === "Escape") {
      this.set({ held: null, pointed: null });
    } else return;
    this.announce = true;
    e.preventDefault();
    e.stopPropagation();
  }

  // --- drawing ---------------------------------------------------------------------------------------

  // drawImage draws what changes with the image alone.
  drawImage() {
    const { data, parts, image } = this, answer = answerOf(image), sources = namedSources(data, image);
    let facts = `image ${image.index}: ${names[image.label]}`;
    if (answer) facts += `; the model answers ${names[answer.label]} (${share(answer.probability)})${answer.label === image.label ? "" : ", which is wrong"}`;
    parts.facts.textContent = facts;
    [...parts.film.children].forEach((button, i) => button.setAttribute("aria-pressed", i === this.state.image));
    parts.photo.src = "data:image/png;base64," + image.png;
    parts.frames.innerHTML = frames(data, image.objects, 2.5);
    parts.frames.append(...sources.filter((s) => s.object).map((s) => tag(data, s, this.chooses(s))));
    parts.grid.style.setProperty("--frames", `url("data:image/svg+xml,${encodeURIComponent(frames(data, image.objects, data.grid > 10 ? 0.7 : 1))}")`);
    parts.chips = sources.map((source) => {
      const swatch = element("i");
      if (source.color) swatch.style.borderColor = source.color;
      return { source, swatch, button: element("button", { type: "button", class: source.front ? "chip front" : "chip", ...this.chooses(source) }, swatch, source.name) };
    });
    parts.patchChip = element("button", { type: "button", class: "chip patch", onclick: () => this.set({ held: null }) });
    parts.sourcesLabel = element("span", { class: "quiet" });
    parts.sources.replaceChildren(parts.sourcesLabel, ...parts.chips.map((c) => c.button), parts.patchChip);
  }

  // draw draws what changes with the state: all maps, the chosen head's on the image, and its shares.
  draw() {
    const { data, state, parts, weights, source } = this;
    const mapOf = (b, h) => weights[state.looking === from ? "from" : "to"](b * data.heads + h, source.tokens);
    const maps = parts.heads.map((row, b) => row.map((_, h) => mapOf(b, h)));
    const largest = maps.map((row) => row.map((map) => Math.max(largestPatch(data, map), this.unknown)));
    const overall = Math.max(...largest.flat());
    const top = (b, h) => state.scale === common ? overall : largest[b][h];
    parts.heads.forEach((row, b) => row.forEach((part, h) => {
      paint(part.canvas, data, this.colors, maps[b][h], top(b, h));
      this.drawScore(part, b, h);
    }));
    const map = maps[state.block][state.head], chosen = top(state.block, state.head);
    paint(parts.tint, data, this.colors, map, chosen);
    parts.largest.textContent = digits(chosen);
    this.drawControls();
    this.drawChips(map, chosen);
    this.drawCells(map);
    this.drawShares(map);
    parts.stage.setAttribute("aria-label", this.sentence(map));
    if (this.announce) parts.live.textContent = this.sentence(map);
    this.announce = false;
  }

  drawScore(part, b, h) {
    const { data, state } = this, score = data.scores[state.score], chosen = b === state.block && h === state.head;
    const text = `block ${b}, head ${h}` + (score ? `, ${score.name}: ${share(score.values[b][h])}` : "");
    part.track.hidden = part.number.hidden = !score;
    if (score) {
      part.fill.style.width = `${100 * Math.min(1, score.values[b][h])}%`;
      part.number.textContent = share(score.values[b][h]);
    }
    part.button.title = text;
    part.button.setAttribute("aria-label", text);
    part.button.setAttribute("aria-selected", chosen);
    part.button.tabIndex = chosen ? 0 : -1;
  }

  drawControls() {
    const { data, state, parts } = this, score = data.scores[state.score];
    parts.title.textContent = `Block ${state.block}, head ${state.head}`;
    parts.titleScore.textContent = score ? `${score.name}: ${share(score.values[state.block][state.head])}` : "";
    parts.titleScore.title = score ? score.about : "";
    parts.looking.press(state.looking);
    parts.scale.press(state.scale);
    if (parts.score) parts.score.value = state.score;
  }

  // drawChips marks the source, and colors the tokens in front by their weight.
  drawChips(map, largest) {
    const { data, state, parts, source } = this;
    parts.sourcesLabel.textContent = state.looking === from ? "Look from" : "Look at";
    parts.sources.setAttribute("aria-label", parts.sourcesLabel.textContent);
    const mark = (button, chosen) => {
      button.setAttribute("aria-pressed", chosen);
      button.classList.toggle("held", chosen && state.held !== null);
    };
    for (const chip of parts.chips) {
      mark(chip.button, chip.source.key === source.key);
      if (!chip.source.front) continue;
      const weight = map[chip.source.tokens[0]];
      chip.swatch.style.background = data.palette[Math.round(255 * Math.min(1, weight / largest))];
      chip.button.title = `weight ${digits(weight)}`;
    }
    parts.patchChip.style.visibility = source.patch === undefined ? "hidden" : "visible"; // its place stays: the image must not move under the pointer
    parts.patchChip.textContent = source.patch === undefined ? "" : source.name;
    mark(parts.patchChip, source.patch !== undefined);
  }

  // drawCells frames the patch that is the source, and the one that is pointed at while a source is held.
  drawCells(map) {
    const { data, state, parts, source } = this, g = data.grid;
    const frame = (cell, patch) => {
      cell.style.display = patch === undefined ? "none" : "block";
      Object.assign(cell.style, { left: `${100 * (patch % g) / g}%`, top: `${100 * Math.floor(patch / g) / g}%`, width: `${100 / g}%`, height: `${100 / g}%` });
    };
    frame(parts.cell, source.patch);
    const pointed = state.held && state.pointed && state.pointed.key !== source.key ? state.pointed : null;
    frame(parts.pointed, pointed ? pointed.patch : undefined);
    const sum = (tokens) => tokens.reduce((sum, t) => sum + map[t], 0);
    if (pointed && state.looking === from) parts.readout.textContent = `${source.name} reads ${digits(sum(pointed.tokens))} from ${pointed.name}.`;
    else if (pointed) parts.readout.textContent = `${pointed.name} reads ${digits(sum(pointed.tokens) / pointed.tokens.length)} from ${source.name}.`;
    else if (state.held) parts.readout.textContent = `${source.name} is held: point at a patch for its weight, Esc releases.`;
    else parts.readout.textContent = "Point at a patch to look from it; click to hold it.";
  }

  drawShares(map) {
    const { parts } = this;
    parts.shares.replaceChildren(...this.shares(map).flatMap((group) => {
      const swatch = element("i"), fill = element("i");
      swatch.style.borderColor = group.color || "transparent";
      fill.style.width = `${100 * Math.min(1, group.share)}%`;
      return [element("dt", {}, swatch, group.name), element("dd", { class: "track" }, fill), element("dd", { class: "number" }, share(group.share))];
    }));
    parts.partial.hidden = this.unknown === 0;
  }

  // shares returns the groups with what the source reads from each, or with what a token of
  // each reads from the source on average.
  shares(map) {
    return groups(this.data, this.image, this.source).map((group) => {
      const sum = group.tokens.reduce((sum, t) => sum + map[t], 0);
      return { ...group, share: this.state.looking === from ? sum : sum / group.tokens.length };
    });
  }

  // sentence says what the map on the image shows.
  sentence(map) {
    const { state, source, image } = this;
    const shares = this.shares(map).map((s) => `${s.name} ${share(s.share)}`).join(", ");
    const where = `Block ${state.block}, head ${state.head}, image ${image.index}: `;
    return where + (state.looking === from ? `${source.name} reads from ${shares}.` : `read from ${source.name}, on average: ${shares}.`);
  }
}

// showViewer puts the viewer in place of every still picture of this name. A notebook may
// show an output twice.
function showViewer(id, style, data) {
  for (const host of document.querySelectorAll(`[data-attention-viewer="${id}"]`)) {
    if (host.shadowRoot) continue;
    if (typeof DecompressionStream === "undefined") {
      host.append(element("p", {}, "This browser cannot unpack the viewer's weights: it has no DecompressionStream (Chrome from 80, Firefox from 113 and Safari from 16.4 have it)."));
      continue;
    }
    new Viewer(host, style, data);
  }
}
