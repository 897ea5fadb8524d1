"use strict";

// The table as it stands is whole. This chooses columns and rows, and orders them; a rank is counted
// anew from who is shown to be ahead of whom, which holds among any part of the entries.
const board = document.getElementById("board-table");
const facts = JSON.parse(document.getElementById("board-data").textContent);
const tools = document.getElementById("board-tools");
const body = board.tBodies[0];
const rows = [...body.rows];
const heads = [...board.querySelectorAll("thead th[data-column]")];
const state = { by: facts.first, columns: "main", licence: "all", seeds: "all", search: "" };
const DASH = "\u2013";

function readHash() {
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    if (name === "by" ? facts.ranked.some((c) => c.key === value) : name in state) state[name] = value;
  }
}

function writeHash() {
  const told = new URLSearchParams();
  const usual = { by: facts.first, columns: "main", licence: "all", seeds: "all", search: "" };
  for (const name of Object.keys(usual)) if (state[name] !== usual[name]) told.set(name, state[name]);
  const hash = String(told);
  history.replaceState(null, "", hash ? `#${hash}` : location.pathname);
  for (const link of document.querySelectorAll(".views a")) {
    link.href = link.getAttribute("href").split("#")[0] + (hash ? `#${hash}` : "");
  }
}

function isShown(id) {
  const entry = facts.entries[id];
  if (!entry) return true; // anchors
  return (state.licence === "all" || entry.licence === state.licence)
    && (state.seeds === "all" || entry.seeds === state.seeds)
    && entry.text.includes(state.search.toLowerCase());
}

// Returns {best, worst, place} by entry, among those that are shown.
function ranks(column) {
  const some = Object.keys(column.rows).filter(isShown);
  const found = new Map(some.map((id) => [id, { best: 1, worst: some.length, place: column.rows[id].place }]));
  for (const id of some) {
    for (const other of column.rows[id].behind) {
      if (!found.has(other)) continue;
      found.get(id).best += 1;
      found.get(other).worst -= 1;
    }
  }
  return found;
}

function spelled(rank) {
  return rank.best === rank.worst ? String(rank.best) : `${rank.best}${DASH}${rank.worst}`;
}

function showRows() {
  const by = facts.ranked.find((column) => column.key === state.by);
  const order = by ? ranks(by) : new Map();
  const later = (row) => order.get(row.dataset.entry)?.place ?? Infinity;
  const mine = rows.filter((row) => !row.classList.contains("anchor"));
  mine.sort((a, b) => later(a) - later(b));
  body.append(...mine, ...rows.filter((row) => row.classList.contains("anchor")));
  for (const row of mine) {
    const rank = order.get(row.dataset.entry);
    row.classList.toggle("unshown", !isShown(row.dataset.entry));
    row.querySelector(".place").textContent = rank ? spelled(rank) : "";
  }
  for (const column of facts.ranked) {
    const found = ranks(column);
    for (const row of mine) {
      const cell = row.querySelector(`td[data-column="${column.at}"] .rank`);
      if (cell && found.has(row.dataset.entry)) cell.textContent = spelled(found.get(row.dataset.entry));
    }
  }
  const label = document.getElementById("ranked-by");
  if (label && by) label.textContent = by.title;
  const count = mine.filter((row) => !row.classList.contains("unshown")).length;
  tools.querySelector("output").textContent =
    count === mine.length ? `${count} ${count === 1 ? "entry" : "entries"}` : `${count} of ${mine.length} entries, ranked among themselves`;
}

function showColumns() {
  const wanted = (head) => head.dataset.group === "about" || head.dataset.key === state.by
    || state.columns === "all" || (state.columns === "main" ? "main" in head.dataset : head.dataset.group === state.columns);
  const shown = heads.map(wanted);
  heads.forEach((head, k) => head.classList.toggle("unshown", !shown[k]));
  for (const cell of body.querySelectorAll("td")) {
    cell.classList.toggle("unshown", !shown[cell.dataset.column]);
  }
  let at = 0;
  for (const head of board.querySelectorAll("tr.groups th[data-span]")) {
    const span = Number(head.dataset.span);
    const some = shown.slice(at, at + span).filter(Boolean).length;
    head.classList.toggle("unshown", !some);
    head.colSpan = some || 1;
    at += span;
  }
}

function show() {
  showColumns();
  showRows();
  writeHash();
}

function choice(name, label, options) {
  const box = document.createElement("label");
  const list = document.createElement("select");
  for (const [value, text] of options) list.add(new Option(text, value, false, value === state[name]));
  list.name = name;
  list.addEventListener("change", () => { state[name] = list.value; show(); });
  box.append(label, list);
  return box;
}

function searchBox() {
  const box = document.createElement("label");
  const field = document.createElement("input");
  field.type = "search";
  field.value = state.search;
  field.addEventListener("input", () => { state.search = field.value; show(); });
  box.append("Method or team", field);
  return box;
}

for (const head of board.querySelectorAll("tr.groups th[colspan]")) head.dataset.span = head.colSpan;
heads.forEach((head) => {
  const column = facts.ranked.find((one) => one.at === Number(head.dataset.column));
  if (column) head.dataset.key = column.key;
});
readHash();
if (facts.ranked.length) tools.append(choice("by", "Rank by", facts.ranked.map((c) => [c.key, c.name])));
tools.append(choice("columns", "Columns", [["main", "main ones"], ...facts.groups, ["all", "all"]]));
for (const [name, label, options] of facts.filters) tools.append(choice(name, label, [["all", "all"], ...options]));
if (Object.keys(facts.entries).length > 5) tools.append(searchBox());
tools.append(document.createElement("output"));
tools.hidden = false;
window.addEventListener("hashchange", () => { readHash(); show(); });
show();
