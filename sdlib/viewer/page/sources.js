// Sources: what the maps are drawn for. A source is some tokens with a name: an object, a
// token in front of the patches, or a patch. Its key is its own within an image.

// The sources that have a name of their own.
function namedSources(data, image) {
  const F = data.front.length;
  const objects = image.objects.map((object, i) =>
    ({ key: `object ${i}`, name: object.role, tokens: object.patches.map((p) => F + p), object, color: data.frames[i % data.frames.length] }));
  return objects.concat(data.front.map((name, t) => ({ key: `front ${t}`, name, tokens: [t], front: true })));
}

function patchSource(data, patch) {
  const row = Math.floor(patch / data.grid), column = patch % data.grid;
  return { key: `patch ${patch}`, name: `row ${row}, column ${column}`, tokens: [data.front.length + patch], patch };
}

// The patch that a step from a source leads to: the next patch, or from an object its first.
function stepFrom(data, source, [down, right]) {
  const g = data.grid, within = (x) => Math.max(0, Math.min(g - 1, x));
  if (source.patch === undefined) return patchSource(data, Math.max(0, source.tokens[0] - data.front.length));
  return patchSource(data, within(Math.floor(source.patch / g) + down) * g + within(source.patch % g + right));
}

// The groups that the shares are given for: the source itself, each other object, the
// background and the tokens in front. Every token is in one group alone, the first that has it.
function groups(data, image, source) {
  const F = data.front.length, T = F + data.grid * data.grid;
  const taken = new Set();
  const all = [];
  const add = (name, tokens, color) => {
    tokens = tokens.filter((t) => !taken.has(t));
    tokens.forEach((t) => taken.add(t));
    if (tokens.length) all.push({ name, tokens, color });
  };
  add("itself", source.tokens, source.color);
  image.objects.forEach((o, i) => add(o.role, o.patches.map((p) => F + p), data.frames[i % data.frames.length]));
  const front = Array.from({ length: F }, (_, t) => t);
  const background = Array.from({ length: T - F }, (_, p) => F + p);
  const restOfFront = front.filter((t) => !taken.has(t));
  add(restOfFront.length === 1 ? data.front[restOfFront[0]] : "tokens in front", front);
  add("background", background);
  return all;
}
