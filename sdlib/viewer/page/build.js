// Builds the page. Each function fills parts, the elements that change later.

function buildPage(viewer, parts) {
  const { data } = viewer;
  parts.facts = element("span", { class: "quiet" });
  parts.film = element("div", { class: "film", role: "group", "aria-label": "images" }, ...data.images.map((image, i) => thumb(viewer, image, i)));
  parts.looking = segments("direction", ["where it looks", "who looks at it"], (looking) => viewer.set({ looking }));
  parts.sources = element("span", { class: "sources", role: "group" });
  parts.live = element("p", { class: "unseen", "aria-live": "polite" });
  const page = element("div", { class: "viewer", role: "group", tabindex: -1, "aria-label": `Attention viewer: ${data.title}`, onkeydown: (e) => viewer.key(e) },
    element("header", {}, element("h2", {}, data.title), parts.facts),
    parts.film,
    element("div", { class: "line controls" }, parts.looking, parts.sources),
    element("div", { class: "columns" }, buildHead(viewer, parts), buildHeads(viewer, parts)),
    notes(data), parts.live);
  page.style.setProperty("--right", `${Math.max(400, 50 + data.heads * (mapWidth(data) + 9))}px`);
  return page;
}

// The width of a head's map where there is room, so that all blocks are not much higher than the image.
function mapWidth(data) {
  return Math.max(36, Math.min(87, Math.round(576 / data.blocks)));
}

function thumb(viewer, image, i) {
  const label = names[image.label], answer = answerOf(image), wrong = answer && answer.label !== image.label;
  const text = `image ${image.index}: ${label}${wrong ? ", the model's answer is wrong" : ""}`;
  return element("button", { type: "button", title: text, "aria-label": text, onclick: () => viewer.show(i) },
    element("img", { src: "data:image/png;base64," + image.png, alt: "" }), label + (wrong ? " ✗" : ""));
}

// The image with the map of one head on it.
function buildHead(viewer, parts) {
  const { data } = viewer;
  parts.title = element("h3");
  parts.titleScore = element("span", { class: "quiet" });
  parts.stage = buildStage(viewer, parts);
  const bar = element("span", { class: "bar", "aria-hidden": true });
  bar.style.background = `linear-gradient(to right, ${data.palette.filter((_, i) => i % 15 === 0).join(",")})`;
  parts.largest = element("span", { title: "the largest weight of a patch" });
  parts.readout = element("p", { class: "readout quiet" });
  parts.shares = element("dl", { class: "shares" });
  parts.partial = element("p", { class: "partial quiet" }, `Of the background's attention to patches, weights below ${digits(data.smallest)} are drawn as their mean.`);
  return element("section", { "aria-label": "one head" },
    element("div", { class: "line" }, parts.title, parts.titleScore),
    parts.stage, element("div", { class: "legend" }, "weight 0", bar, parts.largest),
    parts.readout, parts.shares, parts.partial);
}

function buildStage(viewer, parts) {
  const g = viewer.data.grid;
  parts.photo = element("img", { alt: "" });
  parts.tint = element("canvas", { width: g, height: g, "aria-hidden": true });
  parts.frames = element("span");
  parts.cell = element("span", { class: "cell" }); // around the patch that is the source
  parts.pointed = element("span", { class: "cell pointed" }); // around the patch under the pointer, while a source is held
  const patchAt = (e) => {
    const box = stage.getBoundingClientRect();
    const place = (offset, size) => Math.min(g - 1, Math.max(0, Math.floor(g * offset / size)));
    return patchSource(viewer.data, place(e.clientY - box.top, box.height) * g + place(e.clientX - box.left, box.width));
  };
  const stage = element("div", {
    class: "stage", tabindex: 0, role: "img",
    onpointermove: (e) => e.target === stage && viewer.point(patchAt(e)),
    onpointerleave: () => viewer.point(null),
    onclick: (e) => e.target === stage && viewer.hold(patchAt(e)), // a click on an object's name is its own
  }, parts.photo, parts.tint, parts.frames, parts.cell, parts.pointed);
  return stage;
}

// The maps of all heads, a row for each block.
function buildHeads(viewer, parts) {
  const { data } = viewer;
  const heads = [...Array(data.heads).keys()], blocks = [...Array(data.blocks).keys()];
  const label = (text, role) => element("span", { class: role === "rowheader" ? "label block" : "label", role }, text);
  parts.heads = blocks.map((block) => heads.map((head) => {
    const part = { canvas: newMap(data), fill: element("i"), number: element("span", { class: "number" }) };
    part.track = element("span", { class: "track" }, part.fill);
    part.button = element("button", { type: "button", class: "head", role: "gridcell", onclick: () => viewer.set({ block, head }) },
      element("span", { class: "map" }, part.canvas), part.track, part.number);
    return part;
  }));
  parts.grid = element("div", { class: "heads", role: "grid", "aria-label": "heads, a row for each block" },
    element("span", { role: "row" }, label("head", "rowheader"), ...heads.map((h) => label(h, "columnheader"))),
    ...blocks.map((b) => element("span", { role: "row" }, label(b === 0 ? "block 0" : b, "rowheader"), ...parts.heads[b].map((p) => p.button))));
  parts.grid.style.gridTemplateColumns = `max-content repeat(${data.heads}, minmax(0, ${mapWidth(data)}px))`;
  parts.grid.style.setProperty("--strip", `${100 * stripHeight(data) / (mapSide(data) + stripHeight(data))}%`);

  parts.scale = segments("color scale", ["own scale", "common scale"], (scale) => viewer.set({ scale }));
  const line = element("div", { class: "line" }, parts.scale);
  if (data.scores.length) {
    parts.score = element("select", { onchange: () => viewer.set({ score: Number(parts.score.value) }) },
      ...data.scores.map((s, i) => element("option", { value: i, title: s.about }, s.name)), element("option", { value: -1 }, "none"));
    line.prepend(element("label", {}, element("span", { class: "quiet" }, "Score: "), parts.score));
  }
  return element("section", { "aria-label": "all heads" }, line, parts.grid);
}

function notes(data) {
  const key = (...names) => names.flatMap((name) => [element("kbd", {}, name), " "]);
  const front = ["", data.front[0], "the tokens in front"][Math.min(2, data.front.length)];
  const texts = [
    "A token's attention is what it reads from every token; it sums to 1. Where an object looks is the mean of its patches' attention; who looks at it is the share of each token's attention that goes to its patches.",
    front && `Above each map stands ${front}. Colors are measured by the largest weight of a patch.`,
    data.scores.length > 0 && `Scores are means over ${data.scored} images. ${data.scores.map((s) => `${s.name[0].toUpperCase()}${s.name.slice(1)}: ${s.about}`).join(". ")}.`,
    "Weights are stored in 8 bits: they are off by at most .2 % of the largest weight of their token.",
    data.smallest > 0 && `Of a patch in the background, weights below ${digits(data.smallest)} to other patches are not stored; what they sum to is spread evenly over them. ` +
      `All else is stored: what ${front && front + " and "}the objects' patches read${front && `, and what all read from ${front}`}.`,
  ];
  return element("footer", {},
    element("p", {}, ...key("←", "→", "↑", "↓"), "head and block · ", ...key("Shift"), "+ arrows patch · ", ...key("[", "]"), "image · ", ...key("x"), "direction · ", ...key("Esc"), "release"),
    element("details", {}, element("summary", {}, "What the numbers are"), element("ul", {}, ...texts.filter(Boolean).map((t) => element("li", {}, t)))));
}
