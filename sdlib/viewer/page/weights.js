// The weights of one image, as pack.go packs them. T tokens, F of them in front of P patches;
// a head is counted through all blocks; a row is a query token of a head.

const skipMore = 254, rowEnd = 255;

class Weights {
  constructor(data, image, bytes) {
    const F = data.front.length, P = data.grid * data.grid, T = F + P;
    const rows = data.blocks * data.heads * T;
    const whole = wholeRows(data, image, T);
    Object.assign(this, { F, P, T, whole });
    this.step = bfloat16s(bytes, 0, rows).map((scale) => scale / 255);
    this.front = uint16s(bytes, 2 * rows, rows * F).map((weight) => weight / 65535);
    this.levels = new Uint8Array(rows * P);
    this.rest = new Float32Array(rows); // what each weight that was left out is taken for

    let at = 2 * rows * (1 + F), lists = 0;
    for (let r = 0; r < rows; r++) {
      if (!whole[r % T]) { lists++; continue; }
      this.levels.set(bytes.subarray(at, at + P), r * P);
      at += P;
    }
    let listed = at; // the levels of the lists, behind all their gaps
    while (lists > 0) if (bytes[listed++] === rowEnd) lists--;
    for (let r = 0; r < rows; r++) {
      if (whole[r % T]) continue;
      let left = P, rest = 1;
      for (let t = 0; t < F; t++) rest -= this.front[r * F + t];
      for (let place = r * P; bytes[at] !== rowEnd; at++) {
        place += bytes[at];
        if (bytes[at] === skipMore) continue;
        rest -= bytes[listed] * this.step[r];
        left--;
        this.levels[place++] = bytes[listed++];
      }
      at++;
      this.rest[r] = left ? Math.max(0, rest) / left : 0;
    }
  }

  // Whether all weights of these tokens are kept.
  hasWhole(tokens) {
    return tokens.every((t) => this.whole[t]);
  }

  at(head, query, key) {
    const row = head * this.T + query;
    if (key < this.F) return this.front[row * this.F + key];
    const level = this.levels[row * this.P + key - this.F];
    return level ? level * this.step[row] : this.rest[row];
  }

  // Where some tokens look: the mean of their rows. [T]
  from(head, tokens) {
    const mean = new Float32Array(this.T);
    for (const query of tokens) for (let key = 0; key < this.T; key++) mean[key] += this.at(head, query, key) / tokens.length;
    return mean;
  }

  // Who looks at some tokens: for each token the share of its attention that goes to them. [T]
  to(head, tokens) {
    const share = new Float32Array(this.T);
    for (let query = 0; query < this.T; query++) for (const key of tokens) share[query] += this.at(head, query, key);
    return share;
  }
}

function uint16s(bytes, at, n) {
  const all = new Float32Array(n);
  for (let i = 0; i < n; i++) all[i] = bytes[at + 2 * i] + 256 * bytes[at + 2 * i + 1];
  return all;
}

// bfloat16 is the upper half of a float32.
function bfloat16s(bytes, at, n) {
  return new Float32Array(Uint32Array.from(uint16s(bytes, at, n), (upper) => upper * 65536).buffer);
}

// The tokens whose rows are kept whole: those in front and the objects'. [T]
function wholeRows(data, image, T) {
  const whole = new Array(T).fill(data.smallest === 0).fill(true, 0, data.front.length);
  for (const object of image.objects) for (const patch of object.patches) whole[data.front.length + patch] = true;
  return whole;
}

async function unpack(data, image) {
  const text = atob(image.packed);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Weights(data, image, new Uint8Array(await new Response(stream).arrayBuffer()));
}
