// Makes an element; what is text stays text, whatever stands in it.
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

// A text of study.yaml with its {places} filled.
function filled(text, facts) {
  return text.replace(/\{(\w+)\}/g, (place, name) => facts[name] ?? place);
}

// Tells the server something that is no answer; whether it arrives does not matter.
function tell(token, kind, trial = null, data = {}) {
  const about = typeof trial === "number" ? trial : null;
  const body = JSON.stringify({ token, kind, trial: about, data });
  navigator.sendBeacon?.(new URL("api/beacon", document.baseURI), body);
}
