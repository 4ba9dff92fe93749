// Weights as colored maps, and as sums over groups of tokens.

// A small map is g patches wide. Above the patches is a strip with the tokens in front, and
// half of it is empty; without tokens in front there is none.
function frontSize(data) {
  return Math.max(1, Math.round(data.grid / 8)); // of a token in the strip, in patches
}

function stripRows(data) {
  return data.front.length ? 1 + frontSize(data) : 0;
}

function newMap(data) {
  const canvas = element("canvas", { width: data.grid, height: data.grid + stripRows(data), "aria-hidden": true });
  canvas.style.aspectRatio = `${canvas.width} / ${canvas.height}`;
  return canvas;
}

// paint colors the weights of all tokens, [T]; largest takes the last color of the palette.
// A canvas as high as wide shows the patches alone.
function paint(canvas, data, colors, weights, largest) {
  const g = data.grid, F = data.front.length, strip = canvas.height - g;
  const pixels = new ImageData(g, canvas.height);
  const set = (pixel, weight) => pixels.data.set(colors[Math.round(255 * Math.min(1, weight / largest))], 4 * pixel);
  for (let y = 0; y < strip - 1; y++) {
    for (let x = 0; x < Math.min(g, F * frontSize(data)); x++) set(y * g + x, weights[Math.floor(x / frontSize(data))]);
  }
  for (let p = 0; p < g * g; p++) set(strip * g + p, weights[F + p]);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

// rgba turns the palette's #rrggbb into bytes.
function rgba(palette) {
  return palette.map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)).concat(255));
}

// The largest weight of a patch. Tokens in front don't count: what is parked there would hide the rest.
function largestPatch(data, weights) {
  let largest = 1e-6;
  for (let t = data.front.length; t < weights.length; t++) largest = Math.max(largest, weights[t]);
  return largest;
}
