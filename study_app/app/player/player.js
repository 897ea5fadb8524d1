// What Streamlit calls when the player is mounted and whenever its data change. The same trial goes
// on as it is; another one begins anew.
const players = new WeakMap();
const MODES = { trial: Trial, feedback: Trial, check: Check };

export default function ({ data, parentElement, setStateValue }) {
  const root = rootOf(parentElement);
  const name = `${data.mode} ${data.trial}`;
  const found = players.get(root);
  if (found?.name === name) found.view.update(data);
  else {
    found?.view.end();
    const view = new MODES[data.mode](root, data, (said) => setStateValue("said", said));
    players.set(root, { name, view });
    if (found) scrollToTop();
  }
  return () => {
    players.get(root)?.view.end();
    players.delete(root);
  };
}

function rootOf(parent) {
  let root = parent.querySelector(".dreamix");
  if (!root) {
    root = make("div", { class: "dreamix" });
    parent.append(root);
  }
  return root;
}

function scrollToTop() {
  for (const name of ["stMain", "stAppViewContainer"]) {
    document.querySelector(`[data-testid="${name}"]`)?.scrollTo({ top: 0 });
  }
}
