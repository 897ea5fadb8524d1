// One clock for several videos. Each shows the frame that is due at the clock's time; a clip that
// has ended holds its last frame until the longest ends, then all begin again at the same frame.
// While one of them is not ready, or is not where it should be, the clock stands still, and so does
// the ledger: whatever is done to a video from outside, only what was shown in time counts.
const FRAME = 1 / 30;
const BEHIND = 0.25; // seconds that a video may be behind before the others wait for it
const AHEAD = 0.4; // seconds that it may be ahead before it counts as moved by another hand
const REST = 0.3; // seconds of rest after that
const ASLEEP = 1; // seconds between two ticks, beyond which the page was not drawn

class Clock {
  constructor(videos, seconds, ledger, heard) {
    Object.assign(this, { videos, seconds, ledger, heard });
    Object.assign(this, { time: 0, last: 0, held: 0, rest: 0 });
    Object.assign(this, { playing: false, away: [], loops: true });
    this.starting = true;
  }

  get duration() {
    return Math.max(this.seconds, ...this.videos.map((video) => video.duration || 0));
  }

  play() {
    if (this.playing) return;
    this.playing = this.starting = true;
    this.last = performance.now();
    this.frame = requestAnimationFrame((now) => this.tick(now));
    this.heard("state");
  }

  pause() {
    this.playing = false;
    cancelAnimationFrame(this.frame);
    this.ledger.close();
    for (const video of this.videos) video.pause();
    this.heard("state");
  }

  // Shows another moment. Nothing of what was passed over counts as watched.
  seek(time) {
    this.ledger.close();
    this.time = Math.max(0, Math.min(time, this.duration));
    this.starting = true;
    for (const video of this.videos) {
      video.pause();
      video.currentTime = this.due(video);
    }
    this.heard("time");
  }

  restart() {
    this.ledger.close();
    this.rewind();
    this.play();
  }

  due(video) {
    return Math.max(0, Math.min(this.time, (video.duration || 0) - FRAME / 2));
  }

  tick(now) {
    if (!this.playing) return;
    this.frame = requestAnimationFrame((next) => this.tick(next));
    const passed = Math.max(0, (now - this.last) / 1000);
    this.last = now;
    const late = this.videos.filter((video) => this.isLate(video));
    if (passed > ASLEEP) this.ledger.close();
    else if (late.length) this.hold(late, passed);
    else if (this.isDisturbed()) this.putRight();
    else if (this.rest > 0) this.rest -= passed;
    else this.go(passed);
    this.heard("time");
  }

  go(passed) {
    const from = this.time;
    this.starting = false;
    this.held = 0;
    this.time = Math.min(from + passed, this.duration);
    this.ledger.advance(from, this.time, 1, this.away, passed);
    if (this.time < this.duration) this.videos.forEach((video) => this.steer(video));
    else this.finish();
  }

  finish() {
    this.ledger.close();
    this.ledger.plays += 1;
    this.rewind();
    if (!this.loops) this.pause();
  }

  rewind() {
    this.time = 0;
    this.starting = true;
    for (const video of this.videos) {
      video.pause();
      video.currentTime = 0;
    }
  }

  // Those that are ready wait for those that are not; a seek that got lost is asked for again.
  hold(late, passed) {
    this.ledger.close();
    if (!this.held && !this.starting) this.stall();
    for (const video of this.videos) {
      if (!late.includes(video)) video.pause();
      else if (video.paused && isReady(video)) this.start(video);
    }
    this.held += passed;
    if (this.held % 2 + passed < 2) return;
    for (const video of late) video.currentTime = this.due(video) + 1e-3;
  }

  stall() {
    this.ledger.stalls += 1;
    this.heard("stall");
  }

  // Not ready, or slow to start: no fault of the rater's.
  isLate(video) {
    return !isReady(video) || video.currentTime < this.due(video) - BEHIND;
  }

  isDisturbed() {
    return this.videos.some((video) => {
      const rate = video.dreamixRate ?? 1;
      return video.currentTime > this.due(video) + AHEAD || video.playbackRate !== rate;
    });
  }

  putRight() {
    this.ledger.close();
    this.ledger.seeks += 1;
    this.rest = REST;
    this.starting = true;
    for (const video of this.videos) {
      video.pause();
      this.setRate(video, 1);
      video.currentTime = this.due(video);
    }
  }

  setRate(video, rate) {
    video.playbackRate = rate;
    video.dreamixRate = video.playbackRate;
  }

  // Small drift is made up by running a little faster or slower, larger drift by a jump.
  steer(video) {
    if (this.time >= (video.duration || 0) - FRAME) {
      const due = this.due(video);
      video.pause();
      if (Math.abs(video.currentTime - due) > FRAME) video.currentTime = due;
      return;
    }
    const ahead = video.currentTime - this.time;
    if (ahead > 0.15) video.currentTime = this.time;
    else this.setRate(video, 1 - Math.max(-0.25, Math.min(0.25, 4 * ahead)));
    if (video.paused) this.start(video);
  }

  start(video) {
    video.play().catch((error) => this.notStarted(error));
  }

  // A start that was overtaken by a stop is no matter; one that the browser forbids ends the play.
  notStarted(error) {
    if (error.name === "AbortError") return;
    this.pause();
    this.heard("not_started");
  }
}

function isReady(video) {
  return !video.seeking && video.readyState >= 2;
}
