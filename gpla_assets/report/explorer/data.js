// The parts of the data that the page holds: compressed columns, decoded when they are asked for.

const parts = new Map();

async function element(name) {
  // parts stand behind the code, so that the first picture need not wait for them
  if (document.readyState === "loading" && name !== "core")
    await new Promise((done) =>
      document.addEventListener("DOMContentLoaded", done, { once: true }),
    );
  return document.getElementById(`part-${name}`);
}

function bytes(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const found = new Uint8Array(letters.length);
  for (let place = 0; place < letters.length; place += 1) found[place] = letters.charCodeAt(place);
  return found;
}

/** The text that base64 of gzip holds. */
export async function inflated(base64) {
  const stream = new Blob([bytes(base64)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

/** The text of a part of the page; null where the page has none of the name. */
export async function text(name) {
  const found = await element(name);
  return found ? inflated(found.textContent.trim()) : null;
}

/** A part as data, decoded once. */
export function part(name) {
  if (!parts.has(name))
    parts.set(
      name,
      text(name).then((found) => (found === null ? null : JSON.parse(found))),
    );
  return parts.get(name);
}
