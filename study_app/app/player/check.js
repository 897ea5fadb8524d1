// Tries the device: does a clip play, how large is the window, is it a phone.
const ENOUGH = 1.2; // seconds that have to play
const TOO_LONG = 15_000; // milliseconds from the arrival of the clip

class Check {
  constructor(root, data, say) {
    Object.assign(this, { root, data, say, words: data.words, why: "", plays: false, played: 0 });
    this.stage = new Stage({ ...data, trial: null, seconds: 0 }, (what) => this.heard(what));
    this.note = make("p", { class: "note", role: "status" });
    const again = data.trial.endsWith("unfit");
    this.yes = this.button(again ? data.words.again : data.words.plays, true, "submit");
    const no = this.button(data.words.does_not_play, false, "");
    const row = make("div", { class: "end start" }, this.yes, no, this.note);
    const attributes = { class: "trial check", dir: data.dir };
    const section = make("section", attributes, this.stage.node, row);
    this.root.replaceChildren(section);
    this.stage.arrangeIn(section);
    this.yes.setAttribute("aria-disabled", "true");
    this.started = performance.now();
    if (!this.stage.clock.loops) this.stage.node.after(this.stage.playButton);
  }

  button(text, plays, name) {
    return make("button", { type: "button", class: name, onclick: () => this.send(plays) }, text);
  }

  heard(what) {
    if (what === "failed") this.fail(this.stage.why);
    this.arrived ||= what === "ready";
    if (what === "ready") this.late = setTimeout(() => this.fail("it did not start"), TOO_LONG);
    if (what === "not_started") this.stage.node.after(this.stage.playButton);
    const [video] = this.stage.videos;
    const frames = video.getVideoPlaybackQuality?.().totalVideoFrames ?? 1;
    const { time, duration } = this.stage.clock;
    const enough = this.stage.ledger.plays > 0 || time > Math.min(ENOUGH, duration);
    if (what === "time" && !this.plays && enough && frames > 0 && video.videoWidth > 0) this.pass();
  }

  pass() {
    this.plays = true;
    this.why = "";
    clearTimeout(this.late);
    this.yes.setAttribute("aria-disabled", "false");
  }

  fail(why) {
    if (this.plays) return;
    clearTimeout(this.late);
    this.why = String(why).slice(0, 200);
    this.yes.setAttribute("aria-disabled", "false");
  }

  send(said) {
    if (this.message || (said && this.yes.getAttribute("aria-disabled") === "true")) return;
    const coarse = matchMedia("(pointer: coarse)").matches;
    const device = {
      plays: this.plays,
      arrived: this.arrived || Boolean(this.why),
      said,
      width: innerWidth,
      needs: Math.ceil(this.data.least * (this.stage.aspects[0] || 0)),
      height: innerHeight,
      ratio: devicePixelRatio,
      phone: coarse && Math.min(screen.width, screen.height) < 600,
      why: this.why,
    };
    this.message = { kind: "device", nonce: nonce(), device };
    this.note.textContent = this.words.note_saving;
    this.say(this.message);
    setTimeout(() => (this.message = null), SAID_AGAIN);
  }

  update() {
    this.message = null;
    this.note.textContent = "";
  }

  end() {
    clearTimeout(this.late);
    this.stage.end();
  }
}
