// Weights as colored maps, and as sums over groups of tokens.

// A small map is some 8 pixels wide or more, a whole number for each patch. Above the patches
// is a strip with the tokens in front, an eighth of the width each, and an empty line.
function mapSide(data) {
  return data.grid * Math.max(1, Math.round(8 / data.grid));
}

function frontSide(data) {
  return Math.max(1, Math.round(mapSide(data) / 8));
}

function stripHeight(data) {
  return data.front.length ? frontSide(data) + 1 : 0;
}

function newMap(data) {
  const side = mapSide(data), canvas = element("canvas", { width: side, height: side + stripHeight(data), "aria-hidden": true });
  canvas.style.aspectRatio = `${canvas.width} / ${canvas.height}`;
  return canvas;
}

// paint colors the weights of all tokens, [T]; largest takes the last color of the palette.
// A canvas as high as wide shows the patches alone.
function paint(canvas, data, colors, weights, largest) {
  const g = data.grid, F = data.front.length, side = canvas.width, strip = canvas.height - side, scale = side / g;
  const pixels = new ImageData(side, canvas.height);
  const set = (x, y, token) => pixels.data.set(colors[Math.round(255 * Math.min(1, weights[token] / largest))], 4 * (y * side + x));
  for (let y = 0; y < strip - 1; y++) {
    for (let x = 0; x < Math.min(side, F * frontSide(data)); x++) set(x, y, Math.floor(x / frontSide(data)));
  }
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) set(x, strip + y, F + Math.floor(y / scale) * g + Math.floor(x / scale));
  }
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
