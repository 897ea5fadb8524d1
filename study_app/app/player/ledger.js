// Notes every stretch of the clips that was played without a break: from, to, at which rate, which
// of them were away (off the screen), and the time that it took. What it amounts to:
// study_app/playback.py.
class Ledger {
  constructor(clips = 1) {
    Object.assign(this, { clips, stretches: [], open: null, plays: 0, seeks: 0, stalls: 0 });
    Object.assign(this, { hiddenMs: 0, width: 0 });
  }

  advance(from, to, rate, away, passed) {
    const { open } = this;
    if (open && (open.rate !== rate || `${open.away}` !== `${away}`)) this.close();
    this.open ??= { start: from, end: from, rate, away, took: 0 };
    this.open.end = to;
    this.open.took += passed;
  }

  // A stretch that adds nothing is let go once there are many: clips may loop for an hour.
  close() {
    const { open } = this;
    this.open = null;
    if (!open || open.end - open.start < 0.005) return;
    const adds = this.places.some(
      (place) =>
        this.union([...this.stretches, open], place) > this.union(this.stretches, place) + 1e-6,
    );
    if (this.stretches.length < (adds ? 450 : 150)) this.stretches.push(open);
  }

  get places() {
    return [...Array(this.clips).keys()];
  }

  // Seconds of the clip at a place that were played at normal speed and could be seen.
  union(stretches, place, duration = Infinity) {
    let watched = 0;
    let reached = 0;
    const spans = stretches
      .filter((stretch) => !stretch.away.includes(place) && stretch.rate <= 1)
      .map((stretch) => [stretch.start, Math.min(stretch.end, duration)])
      .sort((a, b) => a[0] - b[0]);
    for (const [start, end] of spans) {
      watched += Math.max(0, end - Math.max(start, reached));
      reached = Math.max(reached, end);
    }
    return watched;
  }

  // What was watched of each clip, by its own length.
  shares(durations) {
    const all = this.open ? [...this.stretches, this.open] : this.stretches;
    return durations.map((duration, place) => {
      const watched = this.union(all, place, duration);
      return watched < duration - 1e-6 ? watched / duration : 1; // sums of times are rounded
    });
  }

  // Of the clip of which least was watched.
  coverage(durations) {
    return Math.min(1, ...this.shares(durations));
  }

  told() {
    this.close();
    const round = (number) => Math.round(number * 1000) / 1000;
    // Outwards, so that what was watched whole is whole: clips need not last whole milliseconds.
    const [down, up] = [(number) => Math.floor(number * 1000) / 1000, (number) => Math.ceil(number * 1000) / 1000];
    return {
      stretches: this.stretches.map((stretch) => ({
        start: down(stretch.start),
        end: up(stretch.end),
        rate: stretch.rate,
        seen: stretch.away.length < this.clips,
        away: stretch.away,
        took: round(stretch.took),
      })),
      plays: this.plays,
      seeks: this.seeks,
      stalls: this.stalls,
      hidden_ms: Math.round(this.hiddenMs),
      width: Math.round(this.width),
    };
  }
}
