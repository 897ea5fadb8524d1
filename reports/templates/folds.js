"use strict";

// Everything below the first section is folded: a link to an anchor opens what it lies in.
const folds = [...document.querySelectorAll("details.fold")];

function reveal(hash) {
  let name = hash.slice(1);
  try { name = decodeURIComponent(name); } catch { /* a lone % is part of the name */ }
  const found = name && document.getElementById(name);
  if (!found) return;
  const inside = found.querySelector(":scope > details.fold");
  for (let node = inside ?? found; node; node = node.parentElement) {
    if (node.tagName === "DETAILS") node.open = true;
  }
  found.scrollIntoView({ behavior: "instant" });
}

window.addEventListener("hashchange", () => reveal(location.hash));
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='#']");
  if (link && link.getAttribute("href") === location.hash) reveal(location.hash);
});

// A page is printed with all that is in it, and folded again afterwards.
let printed = [];
window.addEventListener("beforeprint", () => {
  printed = [...document.querySelectorAll("details:not([open])")];
  for (const node of printed) node.open = true;
});
window.addEventListener("afterprint", () => {
  for (const node of printed) node.open = false;
});

if (folds.length > 1) {
  const button = document.createElement("button");
  const write = () => {
    button.textContent = folds.every((fold) => fold.open) ? "Fold all sections" : "Open all sections";
  };
  button.type = "button";
  button.addEventListener("click", () => {
    const open = !folds.every((fold) => fold.open);
    for (const fold of folds) fold.open = open;
  });
  for (const fold of folds) fold.addEventListener("toggle", write);
  write();
  const line = document.createElement("p");
  line.className = "open-all";
  line.append(button);
  folds[0].closest("section").before(line);
}
reveal(location.hash);
