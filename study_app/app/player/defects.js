// "Where is it broken?": marks faults of an edit in time, and with a box in the picture. All of it is
// optional, and all but the box works by keyboard.
const STEP = 0.05; // seconds
const LEAST_BOX = 0.02; // share of a side; less is a click by mistake
const AROUND = 0.3; // seconds before and after the moment at which the panel is opened
const MOST_MARKS = 20;

class Defects {
  constructor(data, stage) {
    Object.assign(this, { stage, ...data.defects, marks: [], box: null });
    this.clips = data.clips.flatMap((clip, place) => (clip.mark ? [{ ...clip, place }] : []));
    this.clip = this.clips[0];
    this.start = this.slider(this.words.start, () => this.moved(this.start));
    this.end = this.slider(this.words.end, () => this.moved(this.end));
    this.bar = make("div", { class: "bar", "aria-hidden": "true" });
    this.head = make("i", { class: "head" });
    this.list = make("ul", { class: "marks" });
    this.note = make("p", { class: "help", role: "status" });
    this.picker = make("div", { class: "picker", hidden: true });
    this.node = this.panel();
    this.drawing();
    this.show();
  }

  panel() {
    const { words } = this;
    this.boxButton = make("button", { type: "button", onclick: () => this.pick() }, words.place);
    const add = make("button", { type: "button", onclick: () => this.add() }, words.add);
    const which = this.clips.length > 1 && this.choice("which", words.which, this.sides(), 0);
    const inside = make(
      "div",
      { class: "inside" },
      make("p", { class: "help" }, words.how),
      which || null,
      make("div", { class: "times" }, this.bar, this.start.node, this.end.node),
      this.choice("what", words.what, this.kinds, null),
      this.choice("bad", words.how_bad, this.severities, null),
      make("div", { class: "row" }, this.boxButton, add, this.note),
      this.list,
    );
    const opened = () => this.opened();
    return make("details", { class: "defects", ontoggle: opened }, make("summary", {}, words.ask), inside);
  }

  sides() {
    return this.clips.map((clip, place) => ({ value: place, label: clip.label }));
  }

  // A group of radio buttons under a question.
  choice(name, ask, options, chosen) {
    const buttons = options.map(({ value, label }) => {
      const input = make("input", { type: "radio", name: `defect-${name}`, value, checked: value === chosen });
      input.addEventListener("change", () => this.chose(name, value));
      return make("label", {}, input, make("span", {}, label));
    });
    this[`of_${name}`] = buttons.map((label) => label.firstChild);
    return make("fieldset", {}, make("legend", {}, ask), ...buttons);
  }

  chosen(name) {
    return this[`of_${name}`]?.find((input) => input.checked)?.value ?? null;
  }

  chose(name, value) {
    this.note.textContent = "";
    if (name !== "which") return;
    this.clip = this.clips[value];
    this.noBox();
    this.fit();
    this.show();
  }

  slider(text, moved) {
    const input = make("input", { type: "range", min: 0, step: STEP, oninput: moved });
    const said = make("output", {});
    return { input, said, node: make("label", {}, make("span", {}, text), input, said) };
  }

  get length() {
    return this.clip.seconds;
  }

  // Times go up to the end of the clip that is marked; later ones are its end.
  fit() {
    for (const { input } of [this.start, this.end]) {
      const value = Number(input.value);
      input.max = this.length;
      input.value = Math.min(value, this.length);
    }
  }

  // Whoever opens it has just seen something: the moment is there already.
  opened() {
    if (!this.node.open) return this.noPick();
    if (this.stage.clock.playing) this.stage.clock.pause();
    const now = this.stage.clock.time;
    this.fit();
    this.start.input.value = Math.max(0, now - AROUND);
    this.end.input.value = Math.min(this.length, now + AROUND);
    this.show();
  }

  // One end never passes the other; the clip shows the moment that is set.
  moved(slider) {
    const [start, end] = [Number(this.start.input.value), Number(this.end.input.value)];
    if (start > end && slider === this.start) this.end.input.value = start;
    else if (start > end) this.start.input.value = end;
    this.stage.clock.pause();
    this.stage.clock.seek(Number(slider.input.value));
    this.show();
  }

  span() {
    return [this.start, this.end].map(({ input }) => Number(Number(input.value).toFixed(3)));
  }

  add() {
    const [kind, severity] = [this.chosen("what"), this.chosen("bad")];
    if (kind === null) this.ask("what");
    else if (severity === null) this.ask("bad");
    if (kind === null || severity === null) return;
    if (this.marks.length >= MOST_MARKS) {
      this.note.textContent = filled(this.words.most, { most: MOST_MARKS });
      return;
    }
    const [start, end] = this.span();
    const box = this.box ? { box: this.box } : {};
    this.marks.push({ clip: this.clip.mark, start, end, kind, severity: Number(severity), ...box });
    for (const name of ["what", "bad"]) this[`of_${name}`].forEach((input) => (input.checked = false));
    this.noBox();
    this.show();
  }

  ask(name) {
    const [first] = this[`of_${name}`];
    this.note.textContent = first.closest("fieldset").querySelector("legend").textContent;
    first.focus();
  }

  remove(mark) {
    this.marks = this.marks.filter((other) => other !== mark);
    this.show();
    this.node.querySelector("summary").focus();
  }

  label(options, value) {
    return options.find((option) => String(option.value) === String(value))?.label ?? value;
  }

  described(mark) {
    const kind = this.label(this.kinds, mark.kind);
    const severity = this.label(this.severities, mark.severity);
    const [start, end] = [mark.start, mark.end].map((time) => tenths().format(time));
    const text = filled(this.words.marked, { start, end, kind, severity });
    const side = this.clips.find((clip) => clip.mark === mark.clip);
    return this.clips.length > 1 ? `${side.label}: ${text}` : text;
  }

  show() {
    for (const { input, said } of [this.start, this.end]) said.textContent = seconds(input.value);
    const [start, end] = this.span();
    const parts = this.marks.filter((mark) => mark.clip === this.clip.mark);
    this.bar.replaceChildren(
      ...parts.map((mark) => this.part(mark.start, mark.end, "set")),
      this.part(start, end, "now"),
      this.head,
    );
    this.list.replaceChildren(...this.marks.map((mark) => this.row(mark)));
    this.boxButton.textContent = this.box ? this.words.whole : this.words.place;
    this.tick();
  }

  row(mark) {
    const remove = make("button", { type: "button", onclick: () => this.remove(mark) }, this.words.remove);
    return make("li", {}, make("span", {}, this.described(mark)), remove);
  }

  part(start, end, name) {
    const [left, width] = [start, end - start].map((seconds) => `${(100 * seconds) / this.length}%`);
    return make("b", { class: name, style: `left: ${left}; width: ${width}` });
  }

  tick() {
    this.head.style.left = `${(100 * Math.min(this.stage.clock.time, this.length)) / this.length}%`;
  }

  // The box: drawn over the clip that is marked, which stands still meanwhile.
  pick() {
    if (this.box) return this.noBox() ?? this.show();
    this.stage.clock.pause();
    const figure = this.stage.videos[this.clip.place].parentElement;
    figure.append(this.picker);
    this.cover();
    this.sizes ??= new ResizeObserver(() => this.cover());
    this.sizes.observe(figure);
    this.picker.hidden = false;
    this.note.textContent = this.words.place_how;
    figure.scrollIntoView({ block: "nearest" });
  }

  cover() {
    const video = this.stage.videos[this.clip.place];
    const [left, top] = [video.offsetLeft, video.offsetTop];
    Object.assign(this.picker.style, {
      left: `${left}px`,
      top: `${top}px`,
      width: `${video.offsetWidth}px`,
      height: `${video.offsetHeight}px`,
    });
  }

  drawing() {
    this.picker.append((this.frame = make("b", {})));
    this.picker.addEventListener("pointerdown", (event) => this.begin(event));
    this.picker.addEventListener("pointermove", (event) => this.from && this.draw(event));
    this.picker.addEventListener("pointerup", () => this.finish());
    this.picker.addEventListener("pointercancel", () => this.finish());
  }

  at(event) {
    const { left, top, width, height } = this.picker.getBoundingClientRect();
    const within = (share) => Math.min(1, Math.max(0, share));
    return [within((event.clientX - left) / width), within((event.clientY - top) / height)];
  }

  begin(event) {
    event.preventDefault();
    this.picker.setPointerCapture(event.pointerId);
    this.from = this.at(event);
    this.draw(event);
  }

  draw(event) {
    const to = this.at(event);
    const [x, y] = this.from.map((one, axis) => Math.min(one, to[axis]));
    const [width, height] = this.from.map((one, axis) => Math.abs(one - to[axis]));
    const round = (share) => Math.floor(share * 1e4) / 1e4;
    this.box = { x: round(x), y: round(y), width: round(width), height: round(height) };
    const percent = Object.entries(this.box).map(([key, share]) => [{ x: "left", y: "top" }[key] ?? key, `${100 * share}%`]);
    Object.assign(this.frame.style, Object.fromEntries(percent));
  }

  finish() {
    if (!this.from) return;
    this.from = null;
    if (this.box.width < LEAST_BOX || this.box.height < LEAST_BOX) this.noBox();
    else this.picker.classList.add("drawn");
    this.note.textContent = this.box ? "" : this.words.place_how;
    this.show();
  }

  noPick() {
    if (!this.box) this.picker.hidden = true;
  }

  noBox() {
    this.box = this.from = null;
    this.picker.hidden = true;
    this.picker.classList.remove("drawn");
    this.frame.removeAttribute("style");
    this.note.textContent = "";
  }
}

// Times to a tenth of a second as the language of the page writes them, in the digits of the clock.
function tenths(more = {}) {
  const style = { minimumFractionDigits: 1, maximumFractionDigits: 1, numberingSystem: "latn", ...more };
  try {
    return new Intl.NumberFormat(document.documentElement.lang || "en", style);
  } catch {
    return new Intl.NumberFormat("en", style); // a language whose name is no code
  }
}

function seconds(value) {
  return tenths({ style: "unit", unit: "second", unitDisplay: "narrow" }).format(Number(value));
}
