// A question with all its answers in words: a group of radio buttons.
class Scale {
  constructor(question, number, changed, entered) {
    Object.assign(this, { question, value: null });
    this.inputs = question.options.map(({ value }) =>
      make("input", {
        type: "radio",
        name: question.name,
        value,
        onchange: () => this.choose(value, changed),
      }),
    );
    const options = this.inputs.map((input, place) => this.option(input, place));
    const id = `ask-${question.name}`;
    const mark = make("b", { "aria-hidden": "true" }, `${number}`);
    this.asking = make("div", {}, make("p", { class: "ask", id }, mark, question.ask));
    this.node = make(
      "div",
      { class: "question", role: "radiogroup", "aria-labelledby": id, onfocusin: entered },
      this.asking,
      (this.options = make("div", { class: "options" }, ...options)),
    );
  }

  option(input, place) {
    const { label } = this.question.options[place];
    const key = make("span", { class: "key", "aria-hidden": "true" }, `${place + 1}`);
    return make("label", {}, input, key, make("span", { class: "label" }, label));
  }

  // True if a word of a label is wider than its place, also when it is chosen and bold.
  get isBroken() {
    this.options.classList.add("measured");
    const labels = [...this.options.querySelectorAll(".label")];
    const broken = labels.some((label) => label.scrollWidth > label.clientWidth);
    this.options.classList.remove("measured");
    return broken;
  }

  choose(value, changed) {
    this.value = value;
    this.node.classList.add("answered");
    changed?.(this);
  }

  // Answers by the number of a key; true if there is such an answer.
  press(key, changed) {
    const input = this.inputs[key - 1];
    if (!input || input.disabled) return false;
    input.checked = true;
    this.choose(this.question.options[key - 1].value, changed);
    return true;
  }

  focus() {
    (this.inputs.find((input) => input.checked) ?? this.inputs[0]).focus({ preventScroll: true });
    this.node.scrollIntoView({ block: "nearest" });
  }

  // Shows a rater's own answer and the one that most people give.
  reveal(given, expected, words) {
    this.question.options.forEach(({ value, label }, place) => {
      const input = this.inputs[place];
      const option = input.parentElement;
      input.checked = value === given;
      input.disabled = true;
      const badge = (text) => option.append(make("span", { class: "badge" }, text));
      if (value === given) badge(words.note_yours);
      if (value !== expected) return;
      option.classList.add("expected");
      badge(words.note_expected);
      const text = filled(words.training_feedback, { expected: `${place + 1} (${label})` });
      this.asking.append(make("p", { class: "told" }, text));
    });
  }
}

// Sets the answers of all questions alike, so that no word is broken: side by side, in smaller
// letters, or one below the other.
const LAYOUTS = ["", "tight", "rows"];

function fitLabels(scales) {
  for (const layout of LAYOUTS) {
    for (const { options } of scales) options.className = `options ${layout}`;
    if (!scales.some((scale) => scale.isBroken)) return;
  }
}
