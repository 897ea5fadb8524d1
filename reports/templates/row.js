// One edit: its prompt, its clips side by side on one clock, and their scores.
class GalleryRow {
  constructor(edit) {
    this.edit = edit;
    this.player = null;
    this.near = false;
    this.node = make("article", { id: `edit-${edit.id}`, tabindex: "0" },
      make("p", { class: "prompt" }, edit.prompt,
        make("span", {}, [edit.category, ...edit.tags, edit.id].join(" \u00b7 "))));
    if (edit.instruction) {
      this.node.append(make("p", { class: "instruction", dir: "auto" }, edit.instruction));
    }
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
    if (video) Object.assign(video, { muted: true, pace: clip.pace ?? 1 });
    const gap = video ? null : make("div", { class: "gap" },
      make("b", {}, clip.status ?? "missing"), clip.why ?? "");
    const kind = method ? (method.anchor ? "tile anchor" : "tile") : "tile source";
    const short = clip.partial ? " (partial: covers too little of its source)" : "";
    const caption = make("figcaption", {}, label + short, method && this.scores(clip, method));
    const fps = (clip.fps ?? 24) / (clip.pace ?? 1);
    return { video, fps, node: make("figure", { class: kind }, video || gap, caption) };
  }

  scores(clip, method) {
    const list = make("dl");
    for (const place of shownMetrics()) {
      const metric = data.metrics[place];
      const score = clip.scores[place];
      const counts = !method.anchor && !clip.partial && isValue(score);
      const best = counts && score === bestOf(this.edit.id, place);
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
          const clip = clipOf(method.label, this.edit.id);
          const score = clip.scores[place];
          const text = written(score, place);
          return make("td", { title: isValue(score) ? null : reason(score) },
            !method.anchor && !clip.partial && isValue(score) && score === best ? make("b", {}, text) : text);
        }));
    });
    return make("div", { class: "scroll" },
      make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines)));
  }
}
