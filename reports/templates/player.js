"use strict";

// One clock for several videos. Each shows the frame that is due at the clock's time, whatever its
// own length or rate; a clip that has ended holds its last frame until the longest one ends, then
// all begin again. While any of them is not ready, the clock stands still.
class SyncedRow {
  constructor(videos, frameRates, onTime) {
    this.videos = videos;
    this.step = 1 / Math.max(...frameRates, 1); // seconds of the shortest frame
    this.onTime = onTime;
    this.time = 0;
    this.playing = false;
    this.last = 0;
  }

  get duration() {
    return Math.max(0, ...this.videos.map((video) => video.duration || 0));
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
      video.playbackRate = 1;
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
    const end = (video.duration || 0) - this.step / 2;
    return Math.max(0, Math.min(this.time, end));
  }

  tick(now) {
    if (!this.playing) return;
    const waiting = this.videos.some((video) => video.seeking || video.readyState < 2);
    if (!waiting) this.time += (now - this.last) / 1000;
    this.last = now;
    if (this.duration && this.time >= this.duration) {
      this.time = 0;
      for (const video of this.videos) video.currentTime = 0;
    }
    for (const video of this.videos) this.steer(video, waiting);
    this.onTime(this);
    requestAnimationFrame((next) => this.tick(next));
  }

  // Small drift is made up by running a little faster or slower, large drift by a jump.
  steer(video, waiting) {
    const ended = this.time >= (video.duration || 0) - this.step / 2;
    if (waiting || ended) {
      if (!video.paused) video.pause();
      if (!waiting && Math.abs(video.currentTime - this.due(video)) > this.step / 2) {
        video.currentTime = this.due(video);
      }
      return;
    }
    const ahead = video.currentTime - this.time;
    if (Math.abs(ahead) > Math.max(0.12, this.step)) video.currentTime = this.time;
    else video.playbackRate = 1 - Math.max(-0.3, Math.min(0.3, 4 * ahead));
    if (video.paused) video.play().catch(() => this.pause());
  }
}
