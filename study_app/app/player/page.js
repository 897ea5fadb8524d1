// Watches over the page on every screen: tells the browser the language, keeps the token in the
// address, fetches clips ahead, tells of a second tab, and leads back to the platform at the end.
const page = (globalThis.dreamixPage ??= { screen: null, token: null, leaving: null });

export default function ({ data, parentElement }) {
  Object.assign(document.documentElement, { lang: data.lang, dir: data.dir });
  watchAddress(data.token);
  fetchAhead(data.fetch);
  if (page.screen !== null && page.screen !== data.screen) beginScreen();
  page.screen = data.screen;
  if (data.redirect) leave(parentElement, data);
}

// The back button may lead to the address a rater came with; the token stays for a refresh.
function watchAddress(token) {
  if (page.token === token) return;
  if (page.token === null) addEventListener("popstate", keepToken);
  page.token = token;
  keepToken();
  watchTabs(token);
}

function keepToken() {
  const address = new URL(location.href);
  if (address.searchParams.get("t") === page.token) return;
  address.search = new URLSearchParams({ t: page.token }).toString();
  history.replaceState(history.state, "", address);
}

function watchTabs(token) {
  if (!globalThis.BroadcastChannel) return;
  page.tabs?.close();
  page.tabs = new BroadcastChannel("study");
  page.tabs.onmessage = ({ data }) => {
    if (data === token && !page.told) tell(token, "second_tab");
    page.told ||= data === token;
  };
  page.tabs.postMessage(token);
}

function beginScreen() {
  document.querySelector('[data-testid="stMain"]')?.scrollTo({ top: 0 });
}

function leave(parent, data) {
  page.leaving ??= Date.now() + 1000 * data.seconds;
  const note = parent.querySelector("p") ?? make("p", { role: "status", class: "redirect" });
  parent.append(note);
  const tick = () => {
    const seconds = Math.max(0, Math.ceil((page.leaving - Date.now()) / 1000));
    note.textContent = filled(data.text, { seconds });
    if (seconds > 0) setTimeout(tick, 500);
    else location.assign(data.redirect);
  };
  if (!note.textContent) tick();
}
