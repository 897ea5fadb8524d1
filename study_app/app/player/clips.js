// Clips are fetched whole before they play, so that nothing stalls; the two parts of the page share
// what was fetched. The last few are kept.
const fetched = (globalThis.dreamixClips ??= new Map());
const KEPT = 12;

function clipAt(url) {
  if (!fetched.has(url)) {
    const clip = fetchClip(url).catch((error) => {
      fetched.delete(url);
      throw error;
    });
    fetched.set(url, clip);
    forgetOld();
  }
  return fetched.get(url);
}

async function fetchClip(url) {
  let why;
  for (const pause of [0, 700, 2500]) {
    if (pause) await new Promise((go) => setTimeout(go, pause));
    try {
      const answer = await fetch(new URL(url, document.baseURI));
      if (answer.ok) return URL.createObjectURL(await answer.blob());
      why = `HTTP ${answer.status}`;
      if (answer.status < 500) break;
    } catch (error) {
      why = error.message;
    }
  }
  throw new Error(why);
}

function forgetOld() {
  while (fetched.size > KEPT) {
    const [url, clip] = fetched.entries().next().value;
    fetched.delete(url);
    clip.then((made) => setTimeout(() => URL.revokeObjectURL(made), 60_000), () => {});
  }
}

// One after the other, so that the clips on the screen come first.
async function fetchAhead(urls) {
  for (const url of urls) await clipAt(url).catch(() => {});
}
