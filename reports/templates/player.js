// One clock for several videos. Each shows the frame that is due at the clock's time, whatever its
// own length or rate: `video.pace` of its seconds pass in one of the clock's. A clip that has ended holds its last frame until the longest one ends, then
// all begin again. While any of them is not ready, the clock stands still.
class SyncedRow {
  constructor(videos, frameRates, onTime) {
    this.videos = videos;
    this.step = 1 / Math.max(...frameRates, 1); // seconds of the shortest frame
    this.onTime = onTime;
    this.time = 0;
    this.playing = false;
    this.last = 0; // when the clock was last read, ms
    this.held = 0; // seconds that it has stood still
  }

  get duration() {
    return Math.max(0, ...this.videos.map((video) => (video.duration || 0) / pace(video)));
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    if (this.playing || !this.videos.length) return;
    this.playing = true;
    this.last = performance.now();
    requestAnimationFrame((now) => this.tick(now));
    this.onTime(this);
  }

  pause() {
    this.playing = false;
    this.seek(this.time);
  }

  // Stops between the borders of a frame, so that rounding cannot show the one before.
  seek(time) {
    const last = Math.max(0, Math.round(this.duration / this.step) - 1);
    const frame = Math.min(last, Math.max(0, Math.floor(time / this.step + 1e-6)));
    this.time = (frame + 0.5) * this.step;
    for (const video of this.videos) {
      video.pause();
      video.playbackRate = pace(video);
      video.currentTime = this.due(video);
    }
    this.last = performance.now();
    this.onTime(this);
  }

  stepBy(frames) {
    this.playing = false;
    this.seek(this.time + frames * this.step);
  }

  due(video) {
    const end = (video.duration || 0) - this.step * pace(video) / 2;
    return Math.max(0, Math.min(this.time * pace(video), end));
  }

  tick(now) {
    if (!this.playing) return;
    requestAnimationFrame((next) => this.tick(next));
    const passed = (now - this.last) / 1000;
    this.last = now;
    const late = this.videos.filter((video) => !video.error && !ready(video));
    if (late.length) {
      this.hold(late, passed);
    } else {
      this.held = 0;
      this.time += passed;
      if (this.duration && this.time >= this.duration) this.rewind();
      else this.videos.forEach((video) => this.steer(video));
    }
    this.onTime(this);
  }

  // Those that are ready wait for those that are not; a seek that got lost is asked for again.
  hold(late, passed) {
    for (const video of this.videos) {
      if (!late.includes(video) && !video.paused) video.pause();
    }
    this.held += passed;
    if (this.held < 1.5) return;
    this.held = 0;
    for (const video of late) video.currentTime = this.due(video) + 1e-3;
  }

  rewind() {
    this.time = 0;
    for (const video of this.videos) {
      if (!video.paused) video.pause();
      video.currentTime = 0;
    }
  }

  // A start that was overtaken by a stop is no matter; one that the browser forbids ends the play.
  refused(error) {
    if (error.name !== "AbortError") this.pause();
  }

  // Small drift is made up by running a little faster or slower, large drift by a jump.
  steer(video) {
    if (this.time >= (video.duration || 0) / pace(video) - this.step / 2) {
      if (!video.paused) video.pause();
      if (Math.abs(video.currentTime - this.due(video)) > this.step * pace(video) / 2) {
        video.currentTime = this.due(video);
      }
      return;
    }
    const ahead = video.currentTime / pace(video) - this.time;
    if (Math.abs(ahead) > Math.max(0.12, this.step)) video.currentTime = this.due(video);
    else video.playbackRate = pace(video) * (1 - Math.max(-0.3, Math.min(0.3, 4 * ahead)));
    if (video.paused) video.play().catch((error) => this.refused(error));
  }
}

function pace(video) {
  return video.pace || 1;
}

function ready(video) {
  return !video.seeking && video.readyState >= 2;
}
