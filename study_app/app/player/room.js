// How the clips of a trial stand: all equally high, side by side where there is room, else one above
// the other. As high as leaves the whole trial in view, between the least and the declared height;
// where that would make them small, the page scrolls instead.
const GAP = 16; // pixels between two clips
const CAPTION = 28; // pixels above a clip, and its gap
const NEAR = 2 / 3; // of the declared height, below which the page scrolls
const WHOLE = 2 / 3; // of the window, so that a clip can be seen with what stands around it
const FEWER = 0.8; // rows are added only for clips that are larger by more than this
const ROWS = { 1: [[1]], 2: [[2], [1, 1]], 3: [[3], [1, 2], [1, 1, 1]] };

// aspects: width by height of each clip; width: pixels that a row may have; room: pixels that all
// rows may have together for the trial to be in view; high: pixels of the window's height; most,
// least: pixels of a clip's height.
function arranged(aspects, { width, room, high: window, most, least }) {
  const enough = Math.max(least, Math.min(NEAR * most, WHOLE * window));
  const ways = ROWS[aspects.length].map((rows) => {
    const inView = room / rows.length - CAPTION;
    return { rows, high: Math.min(most, widest(aspects, rows, width), Math.max(inView, enough)) };
  });
  const best = Math.max(...ways.map(({ high }) => high));
  const way = ways.find(({ high }) => high >= Math.max(least, FEWER * best)) ?? ways.at(-1);
  return { rows: way.rows, high: Math.max(least, Math.floor(way.high)) };
}

// The height at which the widest row is as wide as it may be.
function widest(aspects, rows, width) {
  let place = 0;
  const highs = rows.map((count) => {
    const row = aspects.slice(place, (place += count));
    return (width - GAP * (count - 1)) / row.reduce((sum, aspect) => sum + aspect, 0);
  });
  return Math.min(...highs);
}
