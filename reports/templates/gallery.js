function startGallery() {
  const tools = document.getElementById("gallery-tools");
  const rows = document.getElementById("gallery-rows");
  const cards = new Map(); // edit id -> GalleryRow

  function matches(edit) {
    const words = [edit.prompt, edit.instruction ?? "", edit.id, ...edit.tags];
    const text = `${words.join(" ")} ${data.videos[edit.video]?.caption ?? ""}`.toLowerCase();
    return (!state.category || edit.category === state.category) &&
      state.text.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  }

  // What an edit is sorted by: one method's score, or the mean over the competing methods.
  function key(edit) {
    const methods = state.of ? [state.of] : competing();
    const values = methods.map((method) => clipOf(method, edit.id).scores[state.metric])
      .filter(isValue);
    return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
  }

  function ordered(edits) {
    if (!state.sort) return edits;
    const sign = (data.metrics[state.metric].sign || 1) * (state.sort === "best" ? -1 : 1);
    const keys = new Map(edits.map((edit) => [edit.id, key(edit)]));
    return [...edits].sort((a, b) => {
      const [x, y] = [keys.get(a.id), keys.get(b.id)];
      return (x === null) - (y === null) || sign * (x - y);
    });
  }

  function show() {
    const chosen = ordered(data.edits.filter(matches));
    const nodes = [];
    let video = null;
    for (const edit of chosen) {
      if (!state.sort && edit.video !== video) {
        video = edit.video;
        nodes.push(make("p", { class: "video-title" }, make("code", {}, video), " ",
          data.videos[video]?.caption ?? ""));
      }
      nodes.push(cards.get(edit.id).node);
    }
    rows.replaceChildren(...nodes);
    count.textContent = `${chosen.length} of ${data.edits.length} edits`;
    for (const card of cards.values()) card.refresh();
  }

  function select(name, label, choices) {
    const list = make("select", { onchange: (event) => {
      state[name] = typeof state[name] === "number" ? Number(event.target.value) : event.target.value;
      show();
    } }, ...choices.map(([value, text]) =>
      make("option", { value, selected: String(state[name]) === String(value) }, text)));
    return make("label", {}, label, list);
  }

  // Methods have seeds of their own: where those at one place differ, the place is named.
  function seedName(place) {
    const found = new Set(data.methods.map((method) => method.seeds[place]).filter((s) => s != null));
    return found.size === 1 ? [...found][0] : `no. ${place + 1}`;
  }

  function chip(method) {
    return make("button", {
      type: "button", class: method.anchor ? "chip anchor" : "chip", "aria-pressed": "true",
      onclick: (event) => {
        const on = !state.methods.delete(method.label);
        if (on) state.methods.add(method.label);
        event.target.setAttribute("aria-pressed", String(on));
        show();
      },
    }, method.label);
  }

  const count = make("span", { id: "gallery-count", role: "status" });
  const categories = [...new Set(data.edits.map((edit) => edit.category))].sort();
  const seeds = Math.max(...data.methods.map((method) => method.seeds.length));
  tools.append(
    make("label", {}, "Search", make("input", { type: "search", placeholder: "prompt or id",
      oninput: (event) => { state.text = event.target.value; show(); } })),
    select("category", "Category", [["", "all"], ...categories.map((name) => [name, name])]),
    select("sort", "Order", [["", "of the suite"], ["worst", "worst first"], ["best", "best first"]]),
    select("metric", "by", data.metrics.map((metric, place) =>
      [place, `${metric.name} ${metric.arrow}`])),
    select("of", "of", [["", "mean of methods"], ...data.methods.map((m) => [m.label, m.label])]),
  );
  if (seeds > 1) {
    tools.append(select("seed", "Seed", Array.from({ length: seeds }, (_, place) => [place, seedName(place)])));
  }
  tools.append(
    make("label", {}, "Size", make("input", { type: "range", min: 120, max: 520, value: 172,
      oninput: (event) => rows.style.setProperty("--tile", `${event.target.value}px`) })),
    make("label", { class: "check" }, make("input", { type: "checkbox",
      onchange: (event) => {
        state.playAll = event.target.checked;
        for (const card of cards.values()) {
          if (card.near) card.player[state.playAll ? "play" : "pause"]();
        }
      } }), "play rows in view"),
    make("fieldset", {}, ...data.methods.map(chip), count),
  );
  tools.addEventListener("submit", (event) => event.preventDefault());

  for (const edit of data.edits) cards.set(edit.id, new GalleryRow(edit));
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const card = cards.get(entry.target.id.slice("edit-".length));
      if (entry.isIntersecting) card.enter();
      else card.leave();
    }
  }, { rootMargin: "500px 0px" });
  for (const card of cards.values()) watcher.observe(card.node);
  show();

  // Keys act on the row under the pointer, else on the one in focus.
  let pointed = null;
  rows.addEventListener("pointerover", (event) => {
    pointed = event.target.closest("article");
  });
  rows.addEventListener("pointerleave", () => { pointed = null; });
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input:not([type=range]), select")) return;
    if (event.key === " " && event.target.closest("button, summary, a")) return;
    const node = pointed ?? event.target.closest("article");
    const player = node && cards.get(node.id.slice("edit-".length)).player;
    const actions = {
      " ": () => player.toggle(),
      ArrowLeft: () => player.stepBy(-1),
      ArrowRight: () => player.stepBy(1),
      0: () => player.seek(0),
    };
    if (!player || !actions[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    actions[event.key]();
  });

  // Rows above the wanted one grow while they load, so it is held in place for a moment.
  function openTarget() {
    const found = location.hash.startsWith("#edit-") && document.getElementById(location.hash.slice(1));
    if (!found) return;
    found.classList.add("target");
    const until = performance.now() + 1500;
    let free = false;
    for (const event of ["wheel", "touchstart", "keydown", "pointerdown"]) {
      window.addEventListener(event, () => { free = true; }, { once: true, passive: true });
    }
    (function hold() {
      found.scrollIntoView({ behavior: "instant" });
      if (!free && performance.now() < until) requestAnimationFrame(hold);
    })();
  }
  window.addEventListener("hashchange", openTarget);
  openTarget();
}

if (data) startGallery();
