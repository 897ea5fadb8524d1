"use strict";

(() => {
  const block = document.getElementById("gallery-data");
  if (!block) return;
  const data = JSON.parse(block.textContent);
  const tools = document.getElementById("gallery-tools");
  const rows = document.getElementById("gallery-rows");
  const headlines = data.metrics.flatMap((metric, place) => (metric.headline ? [place] : []));
  const state = {
    text: "", category: "", sort: "", metric: headlines[0] ?? 0, of: "", seed: 0, playAll: false,
    methods: new Set(data.methods.map((method) => method.label)),
  };
  const cards = new Map(); // edit id -> card

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

  function written(score, place) {
    return isValue(score) ? score.toFixed(data.metrics[place].digits).replace("-", "\u2212") : "\u2013";
  }

  function reason(score) {
    return score == null ? "no score" : data.reasons[Number(score)];
  }

  function competing() {
    return data.methods.filter((method) => !method.anchor).map((method) => method.label);
  }

  function bestOf(edit, place) {
    const { sign } = data.metrics[place];
    const values = competing().map((method) => clipOf(method, edit).scores[place]).filter(isValue);
    return sign && values.length > 1 ? sign * Math.max(...values.map((value) => sign * value)) : null;
  }

  function shownMetrics() {
    return [...new Set([...headlines, ...(state.sort ? [state.metric] : [])])];
  }

  // ---- one edit -------------------------------------------------------------------------------

  class Card {
    constructor(edit) {
      this.edit = edit;
      this.player = null;
      this.near = false;
      this.node = make("article", { id: `edit-${edit.id}`, tabindex: "0" },
        make("p", { class: "prompt" }, edit.prompt,
          make("span", {}, `${edit.category} \u00b7 ${edit.id}`)));
      this.body = make("div");
      this.node.append(this.body);
    }

    // Videos exist only near the window: browsers allow few at a time.
    enter() {
      if (this.near) return;
      this.near = true;
      this.fill();
    }

    leave() {
      if (!this.near) return;
      this.near = false;
      const height = this.body.offsetHeight;
      this.empty();
      this.body.style.minHeight = `${height}px`;
    }

    empty() {
      const wasPlaying = this.player?.playing;
      if (this.player) {
        this.player.playing = false;
        for (const video of this.player.videos) {
          video.removeAttribute("src");
          video.load();
        }
      }
      this.player = null;
      this.body.replaceChildren();
      return wasPlaying;
    }

    refresh() {
      if (!this.near) return;
      const playing = this.empty();
      this.fill();
      if (playing) this.player.play();
    }

    fill() {
      const source = data.videos[this.edit.video] ?? { status: "missing", why: "no source clip" };
      const shown = data.methods.filter((method) => state.methods.has(method.label));
      const tiles = [this.tile("source", source, null), ...shown.map((method) =>
        this.tile(method.label, clipOf(method.label, this.edit.id), method))];
      const grid = make("div", { class: "tiles" }, ...tiles.map((tile) => tile.node));
      const playable = tiles.filter((tile) => tile.video);
      this.player = new SyncedRow(playable.map((tile) => tile.video),
        playable.map((tile) => tile.fps), (player) => this.showTime(player));
      playable[0]?.video.addEventListener("loadedmetadata", (event) => {
        const { videoWidth, videoHeight } = event.target;
        grid.style.setProperty("--shape", `${videoWidth} / ${videoHeight}`);
      });
      for (const tile of playable) {
        tile.video.addEventListener("loadedmetadata", () => this.showTime(this.player));
      }
      this.body.style.minHeight = "";
      this.body.replaceChildren(grid, this.transport(), this.allScores());
      if (state.playAll) this.player.play();
    }

    tile(label, clip, method) {
      const video = clip.file && make("video", {
        src: `media/${clip.file}`, muted: true, playsinline: true, preload: "auto",
        "aria-label": `${label}: ${this.edit.prompt}`, onclick: () => this.player.toggle(),
      });
      if (video) video.muted = true;
      const gap = video ? null : make("div", { class: "gap" },
        make("b", {}, clip.status ?? "missing"), clip.why ?? "");
      const kind = method ? (method.anchor ? "tile anchor" : "tile") : "tile source";
      const caption = make("figcaption", {}, label, method && this.scores(clip, method));
      return { video, fps: clip.fps, node: make("figure", { class: kind }, video || gap, caption) };
    }

    scores(clip, method) {
      const list = make("dl");
      for (const place of shownMetrics()) {
        const metric = data.metrics[place];
        const score = clip.scores[place];
        const best = !method.anchor && isValue(score) && score === bestOf(this.edit.id, place);
        list.append(make("dt", {}, `${metric.name} ${metric.arrow}`),
          make("dd", { class: best ? "best" : "", title: isValue(score) ? null : reason(score) },
            written(score, place)));
      }
      return list;
    }

    transport() {
      this.button = make("button", { type: "button", "aria-label": "Play",
        onclick: () => this.player.toggle() }, "\u25b6");
      this.slider = make("input", { type: "range", min: 0, max: 1, step: "any", value: 0,
        "aria-label": "Time", oninput: (event) => this.jump(Number(event.target.value)) });
      this.output = make("output");
      return make("div", { class: "transport" }, this.button,
        make("button", { type: "button", "aria-label": "One frame back",
          onclick: () => this.player.stepBy(-1) }, "\u2039"),
        make("button", { type: "button", "aria-label": "One frame on",
          onclick: () => this.player.stepBy(1) }, "\u203a"),
        this.slider, this.output);
    }

    jump(share) {
      this.player.seek(share * this.player.duration);
    }

    showTime(player) {
      if (player !== this.player || !this.slider) return;
      const { duration, time, playing } = player;
      this.slider.value = duration ? time / duration : 0;
      this.output.textContent = `${time.toFixed(2)} / ${duration.toFixed(2)} s`;
      this.button.textContent = playing ? "\u275a\u275a" : "\u25b6";
      this.button.setAttribute("aria-label", playing ? "Pause" : "Play");
    }

    allScores() {
      const details = make("details", {}, make("summary", {}, "All scores of this edit"));
      details.addEventListener("toggle", () => {
        if (details.open && details.children.length === 1) details.append(this.scoreTable());
      });
      return details;
    }

    scoreTable() {
      const head = make("tr", {}, make("th", {}, "metric"),
        ...data.methods.map((method) => make("th", {}, method.label)));
      const lines = data.metrics.map((metric, place) => {
        const best = bestOf(this.edit.id, place);
        return make("tr", {}, make("th", {}, `${metric.name} ${metric.arrow}`),
          ...data.methods.map((method) => {
            const score = clipOf(method.label, this.edit.id).scores[place];
            const text = written(score, place);
            return make("td", { title: isValue(score) ? null : reason(score) },
              !method.anchor && isValue(score) && score === best ? make("b", {}, text) : text);
          }));
      });
      return make("div", { class: "scroll" },
        make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines)));
    }
  }

  // ---- which edits, in which order ---------------------------------------------------------------

  function matches(edit) {
    const text = `${edit.prompt} ${edit.id} ${data.videos[edit.video]?.caption ?? ""}`.toLowerCase();
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

  // ---- tools -------------------------------------------------------------------------------------

  function select(name, label, choices) {
    const list = make("select", { onchange: (event) => {
      state[name] = typeof state[name] === "number" ? Number(event.target.value) : event.target.value;
      show();
    } }, ...choices.map(([value, text]) =>
      make("option", { value, selected: String(state[name]) === String(value) }, text)));
    return make("label", {}, label, list);
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
  const seeds = Math.max(...data.methods.map((method) => method.seeds));
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
    tools.append(select("seed", "Seed", Array.from({ length: seeds }, (_, seed) => [seed, seed])));
  }
  tools.append(
    make("label", {}, "Size", make("input", { type: "range", min: 120, max: 520, value: 200,
      oninput: (event) => rows.style.setProperty("--tile", `${event.target.value}px`) })),
    make("label", { class: "check" }, make("input", { type: "checkbox",
      onchange: (event) => {
        state.playAll = event.target.checked;
        for (const card of cards.values()) {
          if (card.near) card.player[state.playAll ? "play" : "pause"]();
        }
      } }), "play rows in view"),
    count,
    make("fieldset", {}, ...data.methods.map(chip)),
  );
  tools.addEventListener("submit", (event) => event.preventDefault());

  // ---- start -------------------------------------------------------------------------------------

  for (const edit of data.edits) cards.set(edit.id, new Card(edit));
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
    if (event.target.closest("input, select, button, summary, a, textarea")) return;
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

  function openTarget() {
    const found = location.hash.startsWith("#edit-") && document.getElementById(location.hash.slice(1));
    if (!found) return;
    found.classList.add("target");
    found.scrollIntoView();
  }
  window.addEventListener("hashchange", openTarget);
  openTarget();
})();
