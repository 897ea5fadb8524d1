// The clips of a trial side by side, or one above the other, with their clock and ledger.
const SLOW = 10_000; // milliseconds, after which a clip is late
const IN_VIEW = 0.5; // share of a clip that has to be on the screen, or of the screen that it fills
const FOOT = 56; // pixels at the bottom of a window, over which stands what saves
const FOOTLESS = matchMedia("(max-height: 30rem)"); // as in player.css
const STEPS = Array.from({ length: 21 }, (_, step) => step / 20);
const MARGIN = 24; // pixels above and below a trial
const USUAL = 5 / 3; // width by height of a clip that has not come

class Stage {
  constructor(data, heard) {
    Object.assign(this, { data, heard, words: data.words, away: null });
    this.ledger = new Ledger(data.clips.length);
    this.videos = data.clips.map((clip) => this.video(clip));
    this.clock = new Clock(this.videos, data.seconds ?? 0, this.ledger, (what) => this.on(what));
    this.clock.loops = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.node = make("div", { class: `stage of${data.clips.length}` });
    this.cover = make("p", { class: "cover", role: "status" }, this.words.note_loading);
    this.videos.forEach((video, place) => this.node.append(this.figure(video, place)));
    this.node.append(this.cover);
    this.playButton = make("button", { type: "button", onclick: () => this.toggle() });
    this.watchView();
    this.onResize = () => this.arrange();
    addEventListener("resize", this.onResize);
    this.sizes = new ResizeObserver(this.onResize);
    this.showState();
    this.load();
  }

  video(clip) {
    const video = make("video", { muted: true, playsinline: true, preload: "auto", tabindex: -1 });
    Object.assign(video, { muted: true, disablePictureInPicture: true });
    video.disableRemotePlayback = true;
    video.setAttribute("aria-label", clip.label);
    video.addEventListener("click", () => this.toggle());
    video.addEventListener("contextmenu", (event) => event.preventDefault());
    return video;
  }

  figure(video, place) {
    const label = make("figcaption", {}, this.data.clips[place].label);
    return make("figure", { dir: this.data.dir }, label, video);
  }

  // Width by height of each clip; nothing of those that have not come.
  get aspects() {
    return this.videos.map((video) => video.videoWidth / video.videoHeight || 0);
  }

  // Marks the clips that are watched.
  tick(watched) {
    watched.forEach((all, place) => this.node.children[place].classList.toggle("all", all));
  }

  // Gives the clips the room that `trial`, in which they stand, leaves.
  arrangeIn(trial) {
    this.trial = trial;
    this.sizes.observe(trial);
    this.arrange();
  }

  arrange() {
    const { trial, node, data } = this;
    if (!trial?.isConnected) return;
    const { clientWidth, clientHeight } = document.documentElement;
    const rest = trial.offsetHeight - node.offsetHeight;
    const aspects = this.aspects.map((aspect) => aspect || USUAL);
    const sizes = { width: trial.clientWidth, most: data.height, least: data.least };
    const room = clientHeight - rest - MARGIN;
    const { rows, high } = arranged(aspects, { ...sizes, room, high: clientHeight });
    const over = Math.ceil(high * Math.max(...aspects)) - trial.clientWidth;
    const { left, right } = trial.getBoundingClientRect();
    const edge = Math.max(0, Math.min(left, clientWidth - right));
    node.dataset.rows = rows.join(" ");
    node.style.setProperty("--high", `${high}px`);
    node.style.setProperty("--out", `${over > 0 ? edge : 0}px`);
  }

  async load() {
    const slow = setTimeout(() => this.sayThatItIsSlow(), SLOW);
    try {
      await Promise.all(this.videos.map((video, place) => this.loadOne(video, place)));
    } catch (error) {
      return this.fail(error.message);
    } finally {
      clearTimeout(slow);
    }
    if (this.ended) return;
    this.cover.remove();
    this.node.classList.add("ready");
    this.heard("ready");
    this.observer.takeRecords();
    if (this.clock.loops && !document.hidden) this.clock.play();
  }

  async loadOne(video, place) {
    video.src = await clipAt(this.data.clips[place].url);
    await new Promise((go, stop) => {
      video.addEventListener("loadeddata", go, { once: true });
      const why = () => stop(new Error(video.error?.message || `code ${video.error?.code}`));
      video.addEventListener("error", why, { once: true });
      video.load();
    });
    video.style.setProperty("--aspect", video.videoWidth / video.videoHeight);
    this.arrange();
    video.classList.toggle("small", video.videoHeight < this.data.height * devicePixelRatio);
  }

  // A clip that is long in coming is no clip that does not play.
  sayThatItIsSlow() {
    this.cover.textContent = this.words.note_loading_slow;
    tell(this.data.token, "slow", this.data.trial);
  }

  fail(why) {
    this.why = why;
    this.cover.textContent = filled(this.words.note_load_failed, { why });
    this.node.classList.add("failed");
    tell(this.data.token, "load_failed", this.data.trial, { why: String(why).slice(0, 200) });
    this.heard("failed");
  }

  on(what) {
    if (what === "state") this.showState();
    if (what === "stall" || what === "not_started") tell(this.data.token, what, this.data.trial);
    if (what === "time") this.ledger.width = this.videos[0].clientWidth;
    this.heard(what);
  }

  showState() {
    const { playing } = this.clock;
    this.playButton.textContent = playing ? this.words.pause : this.words.play;
    this.playButton.dataset.playing = playing;
  }

  toggle() {
    if (!this.node.classList.contains("ready")) return;
    if (this.clock.playing) return this.clock.pause();
    this.bringIntoView();
    this.clock.play();
  }

  replay() {
    if (!this.node.classList.contains("ready")) return;
    this.bringIntoView();
    this.clock.restart();
  }

  // Whoever wants to watch sees something, wherever on the page they are.
  bringIntoView() {
    const { videos, clock } = this;
    if (clock.away.length === videos.length) this.node.scrollIntoView({ block: "nearest" });
  }

  // Only what is in front and on the screen can be seen, each clip by itself.
  watchView() {
    const inView = new Map();
    this.observer = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) inView.set(entry.target, isInView(entry));
        this.clock.away = [...this.videos.keys()].filter((n) => !inView.get(this.videos[n]));
      },
      { threshold: STEPS, rootMargin: FOOTLESS.matches ? "0px" : `0px 0px -${FOOT}px` },
    );
    this.videos.forEach((video) => this.observer.observe(video));
    this.onVisibility = () => (document.hidden ? this.hide() : this.show());
    document.addEventListener("visibilitychange", this.onVisibility);
  }

  hide() {
    this.away = { since: performance.now(), playing: this.clock.playing };
    this.clock.pause();
  }

  show() {
    if (!this.away) return;
    const { since, playing } = this.away;
    this.away = null;
    this.ledger.hiddenMs += performance.now() - since;
    if (playing) this.clock.play();
  }

  end() {
    this.ended = true;
    this.clock.pause();
    this.observer.disconnect();
    this.sizes.disconnect();
    removeEventListener("resize", this.onResize);
    document.removeEventListener("visibilitychange", this.onVisibility);
  }
}

function isInView({ intersectionRatio, intersectionRect, rootBounds }) {
  if (intersectionRatio >= IN_VIEW) return true;
  const { width, height } = intersectionRect;
  const most = rootBounds ? rootBounds.width * rootBounds.height : Infinity;
  return width * height >= IN_VIEW * most;
}
