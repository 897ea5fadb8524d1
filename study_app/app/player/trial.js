// A trial: request, clips, questions, and one message when it is done.
const SAID_AGAIN = 8000; // milliseconds without an answer of the server
const LONG = 160; // letters of a request that is read rather than seen

class Trial {
  constructor(root, data, say) {
    Object.assign(this, { root, data, say, words: data.words, message: null, current: 0 });
    this.isFeedback = data.mode === "feedback";
    this.stage = new Stage(data, (what) => this.heard(what));
    this.defects = data.defects && !this.isFeedback ? new Defects(data, this.stage) : null;
    this.scales = data.questions.map((question, place) => this.scale(question, place));
    this.build();
    this.onKey = (event) => this.press(event);
    document.addEventListener("keydown", this.onKey, true);
    if (this.isFeedback) this.reveal();
    this.mark(0);
    this.show();
    this.prompt.focus({ preventScroll: true });
  }

  scale(question, place) {
    const changed = () => this.answered(place);
    return new Scale(question, place + 1, changed, () => this.mark(place));
  }

  build() {
    const { words, data } = this;
    const id = "prompt";
    this.prompt = make(
      "h2",
      { id, tabindex: -1, class: data.prompt.length > LONG ? "long" : "" },
      make("small", {}, words.prompt),
      make("span", { dir: "auto" }, data.prompt),
    );
    this.note = make("p", { class: "note", role: "status", "aria-live": "polite" });
    const says = this.isFeedback ? words.next : words.submit;
    this.button = make("button", { class: "submit", onclick: () => this.submit() }, says);
    this.watched = make("span", { class: "watched" });
    const keys = data.pairwise ? words.note_pair_keys : words.note_keys;
    const kind = `trial ${data.pairwise ? "pair" : ""}`;
    const section = make(
      "section",
      { class: kind, "aria-labelledby": id, dir: data.dir },
      this.progress(),
      this.prompt,
      this.stage.node,
      this.transport(),
      this.defects?.node ?? null,
      make("div", { class: "questions" }, ...this.scales.map((scale) => scale.node)),
      make(
        "div",
        { class: "foot" },
        make("p", { class: "keys" }, this.isFeedback ? "" : keys),
        make("div", { class: "end" }, this.note, this.button),
      ),
    );
    this.root.replaceChildren(section);
    this.watchLabels(section);
    this.stage.arrangeIn(section);
  }

  // Labels fit anew when there is other room for them, and when the font is there.
  watchLabels(section) {
    let width = null;
    this.fit = () => fitLabels(this.scales);
    this.widths = new ResizeObserver(() => {
      if (width !== (width = section.clientWidth)) this.fit();
    });
    this.fit();
    this.widths.observe(section);
    document.fonts.addEventListener("loadingdone", this.fit);
  }

  progress() {
    const { text, share } = this.data.progress;
    const bar = make("i", { style: `width: ${100 * share}%` });
    return make("div", { class: "progress" }, make("span", {}, text), make("div", {}, bar));
  }

  transport() {
    const { words } = this;
    const again = () => this.stage.replay();
    const replay = make("button", { type: "button", onclick: again }, words.replay);
    const sure = make("div", { class: "sure", hidden: true });
    const skip = make("button", { type: "button", onclick: () => this.skip() }, words.skip);
    const close = () => (sure.hidden = true);
    const back = make("button", { type: "button", onclick: close }, words.back);
    sure.append(make("p", {}, words.note_skip), skip, back);
    this.skipButton = make(
      "button",
      { type: "button", class: "quiet", onclick: () => ((sure.hidden = false), skip.focus()) },
      words.does_not_play,
    );
    const rest = this.isFeedback ? [] : [this.watched, this.skipButton];
    const row = make("div", { class: "transport" }, this.stage.playButton, replay, ...rest);
    return make("div", {}, row, sure);
  }

  reveal() {
    this.scales.forEach((scale) => {
      const { name } = scale.question;
      scale.reveal(this.data.given[name], this.data.expected?.[name], this.words);
    });
  }

  get isWatched() {
    return this.stage.ledger.coverage(this.data.lengths) >= this.data.coverage;
  }

  get missing() {
    return this.scales.findIndex((scale) => scale.value === null);
  }

  get isComplete() {
    return this.isFeedback || (this.isWatched && this.missing < 0);
  }

  heard(what) {
    if (what === "time") this.show();
    if (what === "time") this.defects?.tick();
    if (what === "ready") fetchAhead(this.data.next ?? []);
    if (what === "failed") this.skipButton.classList.remove("quiet");
  }

  // What changes while clips play: the share that is watched, and whether that is enough.
  show() {
    if (!this.watched.isConnected && !this.isFeedback) return;
    const shares = this.stage.ledger.shares(this.data.lengths);
    if (!this.isFeedback) this.stage.tick(shares.map((share) => share >= this.data.coverage));
    const share = this.data.coverage ? Math.min(...shares) / this.data.coverage : 1;
    const percent = Math.min(100, Math.floor(100 * share + 1e-6));
    if (percent !== this.percent) {
      this.percent = percent;
      this.watched.textContent = filled(this.words.note_watched, { percent });
      this.watched.style.setProperty("--share", `${percent}%`);
      this.watched.classList.toggle("all", percent === 100);
    }
    const ready = String(!this.isComplete || Boolean(this.message));
    if (this.button.getAttribute("aria-disabled") !== ready) {
      this.button.setAttribute("aria-disabled", ready);
    }
    const { note } = this;
    if (this.isWatched && note.textContent === this.words.watch_first) note.textContent = "";
  }

  mark(place) {
    this.current = place;
    this.scales.forEach(({ node }, number) => node.classList.toggle("current", number === place));
  }

  // After an answer the next question without one is asked.
  answered(place) {
    const { scales } = this;
    const order = scales.map((_, step) => (place + step) % scales.length);
    const next = order.find((number) => scales[number].value === null);
    if (next !== undefined) this.mark(next);
    if (this.missing < 0) this.note.textContent = this.isWatched ? "" : this.words.watch_first;
    this.show();
  }

  press(event) {
    const [target] = event.composedPath();
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (/^(TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable) return;
    if (target.closest?.(".defects")) return;
    if (event.key === "Enter" && /^(BUTTON|A|SUMMARY)$/.test(target.tagName)) return;
    if (event.repeat || !this.act(meant(event))) return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Does what a key stands for; true if it stands for something.
  act(key) {
    if (key === "Enter") return this.submit() ?? true;
    if (key.toLowerCase() === "p") return this.stage.toggle() ?? true;
    if (!/^[1-9]$/.test(key) || this.isFeedback || this.message) return false;
    const done = this.scales[this.current].press(Number(key), () => this.answered(this.current));
    if (done) this.scales[this.current].focus();
    return done;
  }

  submit() {
    if (this.message) return;
    if (this.isFeedback) return this.send({ kind: "seen" });
    if (!this.isWatched) this.note.textContent = this.words.watch_first;
    else if (this.missing >= 0) this.note.textContent = this.words.note_answer_all;
    if (!this.isWatched) this.stage.node.scrollIntoView({ block: "nearest" });
    else if (this.missing >= 0) this.scales[this.missing].focus();
    if (!this.isComplete) return;
    const answers = this.scales.map((scale) => [scale.question.name, scale.value]);
    const ledger = this.stage.ledger.told();
    const marks = this.defects?.marks ?? [];
    this.send({ kind: "answer", answers: Object.fromEntries(answers), ledger, marks });
  }

  skip() {
    const why = this.stage.why ?? "said by the rater";
    if (!this.message) this.send({ kind: "unplayable", why });
  }

  // Says it once; again only if the server stays silent, and then it is the same saying.
  send(saying) {
    this.message = { ...saying, trial: this.data.trial, nonce: nonce() };
    this.note.textContent = this.words.note_saving;
    this.show();
    this.say(this.message);
    this.waiting = setInterval(() => this.sendAgain(), SAID_AGAIN);
  }

  sendAgain() {
    this.note.textContent = this.words.note_slow;
    tell(this.data.token, "slow", this.data.trial);
    this.say(this.message);
  }

  // The server has drawn the same trial again: it may have refused what was said.
  update(data) {
    if (!this.message || data.refused !== this.message.nonce) return;
    clearInterval(this.waiting);
    this.message = null;
    this.stage.ledger = this.stage.clock.ledger = new Ledger(
      this.data.clips.length,
    );
    this.note.textContent = this.words.watch_first;
    this.stage.replay();
    this.show();
  }

  end() {
    clearInterval(this.waiting);
    document.removeEventListener("keydown", this.onKey, true);
    document.fonts.removeEventListener("loadingdone", this.fit);
    this.widths.disconnect();
    this.stage.end();
  }
}

// The key that is meant, whatever the keyboard writes: Arabic and Persian digits, letters of another
// script, and the row of digits where it writes signs.
function meant({ key, code, shiftKey }) {
  const place = "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹".indexOf(key);
  if (place >= 0) return String(place % 10);
  const written = code?.match(/^Digit([1-9])$|^Key(P)$/);
  if (!written || shiftKey || /^[a-z0-9]$/i.test(key)) return key;
  return written[1] ?? written[2];
}

function nonce() {
  const parts = crypto.getRandomValues(new Uint32Array(4));
  return Array.from(parts, (part) => part.toString(16)).join("-");
}
