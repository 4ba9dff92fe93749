// Pieces of the page.

// element makes an HTML element. Attributes that begin with "on" are listeners.
function element(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) e.setAttribute(name, value === true ? "" : value);
  }
  e.append(...children);
  return e;
}

// A choice among a few: buttons, of which one is pressed.
function segments(label, options, choose) {
  const buttons = options.map((text, i) => element("button", { type: "button", onclick: () => choose(i) }, text));
  const group = element("span", { class: "segments", role: "group", "aria-label": label }, ...buttons);
  group.press = (chosen) => buttons.forEach((b, i) => b.setAttribute("aria-pressed", i === chosen));
  return group;
}

// A share from 0 to 1 as text, and a weight, which may be small.
function share(x) {
  return x.toFixed(2).replace(/^0/, "");
}

function digits(x) {
  return x.toFixed(x < 0.1 ? 3 : 2).replace(/^0/, "");
}

// The outline of some patches as an SVG path: every side without a chosen neighbor.
function outline(patches, grid) {
  const chosen = new Set(patches);
  let path = "";
  for (const p of chosen) {
    const x = p % grid, y = Math.floor(p / grid);
    if (y === 0 || !chosen.has(p - grid)) path += `M${x} ${y}h1`;
    if (y === grid - 1 || !chosen.has(p + grid)) path += `M${x} ${y + 1}h1`;
    if (x === 0 || !chosen.has(p - 1)) path += `M${x} ${y}v1`;
    if (x === grid - 1 || !chosen.has(p + 1)) path += `M${x + 1} ${y}v1`;
  }
  return path;
}

// The frames of objects as SVG. The second pair's are dashed, so that color is not all that
// tells pairs apart.
function frames(data, objects, width) {
  const paths = objects.map((o, i) =>
    `<path d="${outline(o.patches, data.grid)}" stroke="${data.frames[i % data.frames.length]}"${o.pair > 0 ? ' stroke-dasharray="5 3"' : ""}/>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${data.grid} ${data.grid}" preserveAspectRatio="none">` +
    `<style>path{fill:none;stroke-width:${width};vector-effect:non-scaling-stroke;stroke-linecap:square}</style>${paths.join("")}</svg>`;
}

// An object's name on the image: above the object, or below where it touches the upper edge.
function tag(data, { name, object, color }, listeners) {
  const g = data.grid;
  const rows = object.patches.map((p) => Math.floor(p / g)), columns = object.patches.map((p) => p % g);
  const above = Math.min(...rows) > 0;
  const e = element("span", { class: "tag", ...listeners }, name);
  e.style.borderLeftColor = color;
  const left = Math.min(...columns) / g;
  if (left < 0.75) e.style.left = `${100 * left}%`;
  else e.style.right = `${100 * (1 - (Math.max(...columns) + 1) / g)}%`;
  if (above) e.style.bottom = `${100 * (1 - Math.min(...rows) / g)}%`;
  else e.style.top = `${100 * (Math.max(...rows) + 1) / g}%`;
  return e;
}
