"use strict";

// What the gallery shows, and the state of its tools. No text of the data becomes markup.
const data = JSON.parse(document.getElementById("gallery-data")?.textContent ?? "null");
const headlines = (data?.metrics ?? []).flatMap((metric, place) => (metric.headline ? [place] : []));
const state = {
  text: "", category: "", sort: "", metric: headlines[0] ?? 0, of: "", seed: 0, playAll: false,
  methods: new Set(data?.methods.map((method) => method.label)),
};

function make(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

function clipOf(method, edit) {
  const seeds = data.clips[method][edit];
  return seeds[state.seed] ?? { status: "missing", why: "this method has fewer seeds", scores: [] };
}

// A score is a number, or (as text) the place of the reason why there is none.
function isValue(score) {
  return typeof score === "number";
}

function reason(score) {
  return score == null ? "missing" : data.reasons[Number(score)];
}

// The number, or the status that its reason begins with.
function written(score, place) {
  if (!isValue(score)) return reason(score).split(":", 1)[0];
  return score.toFixed(data.metrics[place].digits).replace("-", "\u2212");
}

function competing() {
  return data.methods.filter((method) => !method.anchor).map((method) => method.label);
}

function bestOf(edit, place) {
  const { sign } = data.metrics[place];
  const whole = competing().map((method) => clipOf(method, edit)).filter((clip) => !clip.partial);
  const values = whole.map((clip) => clip.scores[place]).filter(isValue);
  return sign && values.length > 1 ? sign * Math.max(...values.map((value) => sign * value)) : null;
}

function shownMetrics() {
  return [...new Set([...headlines, ...(state.sort ? [state.metric] : [])])];
}
