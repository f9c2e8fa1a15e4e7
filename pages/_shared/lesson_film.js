// The pictures of a lesson: sent once with all their steps, and played here. Points and lines of traces that grow are
// only shown and hidden, so that six charts follow twenty times a second.

const SETTLE_MS = 400; // the film rests before the server hears where
const SPEEDS = [1, 2, 4, 8, 16]; // steps a second
const CALM_SPEED = 2; // the most where the system asks for less motion
const CLICK_REACH = 5; // pixels that a click may wander

const films = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const host = parentElement.querySelector(".film");
  if (!films.has(host)) films.set(host, new Film(host));
  const film = films.get(host);
  film.send = setStateValue;
  film.show(JSON.parse(new TextDecoder().decode(data)));
  return () => film.dispose();
}

function element(name, className, attributes = {}) {
  const made = document.createElement(name);
  if (className) made.className = className;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

class Film {
  constructor(host) {
    this.host = host;
    this.boards = new Map();
    this.step = 0;
    this.turn = 0;
    this.pending = [];
    this.place = element("div", "film-boards");
    this.bar = new Bar(this);
    this.said = element("p", "film-said", { "aria-live": "polite" });
    host.replaceChildren(this.bar.root, this.said, this.place);
    this.observer = new ResizeObserver(() => this.boards.forEach((board) => board.fit()));
    this.observer.observe(host);
  }

  show(spec) {
    const isNew = spec.revision !== this.spec?.revision;
    if (isNew) this.keepPending(spec);
    const isElsewhere = isNew && (spec.scene !== this.spec?.scene || spec.step !== this.spec?.step);
    this.spec = spec;
    if (isNew) {
      if (isElsewhere || this.step > spec.steps) this.halt(spec.step);
      this.reconcile();
      this.bar.show(spec);
    }
    this.boards.forEach((board) => board.draw());
    this.say();
    if (isElsewhere && spec.plays && spec.step === 0 && !isCalm()) this.play();
  }

  // What the server has not taken in yet of what was picked.
  keepPending(spec) {
    const known = spec.moves - (this.from ?? spec.moves);
    this.pending = known >= 0 && spec.scene === this.spec?.scene ? this.pending.slice(known) : [];
    this.from = spec.moves;
  }

  reconcile() {
    const keys = this.spec.boards.map((board) => board.key);
    for (const [key, board] of this.boards) {
      if (keys.includes(key)) continue;
      board.dispose();
      this.boards.delete(key);
    }
    for (const spec of this.spec.boards) {
      if (!this.boards.has(spec.key)) this.boards.set(spec.key, new Board(this, spec.key));
      const board = this.boards.get(spec.key);
      board.take(spec);
      if (this.place.children[keys.indexOf(spec.key)] !== board.root) {
        this.place.insertBefore(board.root, this.place.children[keys.indexOf(spec.key)] ?? null);
      }
    }
    this.place.dataset.count = keys.length;
  }

  pick(x, y) {
    this.pending.push([x, y]);
    this.turn += 1;
    this.send("picks", { turn: this.turn, from: this.from, points: this.pending });
  }

  get isPlaying() {
    return this.timer !== undefined;
  }

  play() {
    if (this.step >= this.spec.steps) this.goTo(0, false);
    const tick = () => {
      if (!this.host.isConnected) return this.halt(this.step);
      if (this.step >= this.spec.steps) return this.pause();
      this.goTo(this.step + 1, false);
      this.timer = setTimeout(tick, 1000 / this.bar.speed);
    };
    this.timer = setTimeout(tick, 1000 / this.bar.speed);
    this.bar.mark();
  }

  pause() {
    this.halt(this.step);
    this.goTo(this.step, true);
  }

  halt(step) {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.step = step;
    this.bar.mark();
  }

  // To a step; by hand, the server hears of it, and a screen reader does.
  goTo(step, isByHand) {
    this.step = Math.max(0, Math.min(this.spec.steps, step));
    this.boards.forEach((board) => board.apply());
    this.bar.mark();
    this.said.setAttribute("aria-live", isByHand ? "polite" : "off");
    this.say();
    clearTimeout(this.settling);
    if (!isByHand) return;
    this.settling = setTimeout(() => {
      this.turn += 1;
      this.send("place", { turn: this.turn, step: this.step });
    }, SETTLE_MS);
  }

  say() {
    const text = this.spec.says[this.step] ?? "";
    if (this.said.textContent !== text) this.said.textContent = text;
    this.said.hidden = !this.spec.says.length;
  }

  dispose() {
    clearTimeout(this.timer);
    clearTimeout(this.settling);
    this.observer.disconnect();
    this.boards.forEach((board) => board.dispose());
    films.delete(this.host);
  }
}

class Bar {
  constructor(film) {
    this.film = film;
    this.root = element("div", "film-bar", { role: "group", "aria-label": "Playback" });
    const button = (label, sign, act) => {
      const made = element("button", "lab-button", { type: "button", "aria-label": label, title: label });
      made.textContent = sign;
      made.addEventListener("click", act);
      return made;
    };
    const step = (by) => () => {
      if (film.isPlaying) film.halt(film.step);
      film.goTo(film.step + by, true);
    };
    this.playing = button("Play", "▶", () => (film.isPlaying ? film.pause() : film.play()));
    this.playing.classList.add("film-play");
    this.slider = element("input", "", { type: "range", min: 0, step: 1 });
    this.slider.addEventListener("input", () => {
      if (film.isPlaying) film.halt(film.step);
      film.goTo(Number(this.slider.value), true);
    });
    this.count = element("output", "film-count");
    this.speeds = element("select", "film-speed", { "aria-label": "Speed" });
    for (const speed of SPEEDS) this.speeds.append(new Option(`${speed} a second`, speed, false, speed === 4));
    this.root.append(
      this.playing,
      button("One step back", "‹", step(-1)),
      button("One step on", "›", step(1)),
      this.slider,
      this.count,
      this.speeds,
    );
  }

  get speed() {
    const chosen = Number(this.speeds.value);
    return isCalm() ? Math.min(chosen, CALM_SPEED) : chosen;
  }

  show(spec) {
    this.root.hidden = spec.steps === 0;
    this.slider.max = spec.steps;
    this.slider.setAttribute("aria-label", `${capital(spec.noun)} shown`);
    this.mark();
  }

  mark() {
    const { film } = this;
    const label = film.isPlaying ? "Pause" : "Play";
    if (this.playing.title !== label) {
      this.playing.title = label;
      this.playing.setAttribute("aria-label", label);
      this.playing.textContent = film.isPlaying ? "❚❚" : "▶";
    }
    this.slider.value = film.step;
    if (!film.spec) return;
    this.count.textContent = `${film.spec.noun} ${film.step} of ${film.spec.steps}`;
  }
}

class Board {
  constructor(film, key) {
    this.film = film;
    this.root = element("figure", "film-board", { "data-board": key });
    this.title = element("figcaption");
    this.plot = element("div", "film-plot");
    this.line = element("p", "film-line");
    this.note = element("p", "film-note lab-note");
    this.cross = element("div", "film-cross", { "aria-hidden": "true" });
    this.cross.hidden = true;
    const frame = element("div", "film-frame");
    frame.append(this.plot, this.cross);
    this.root.append(this.title, frame, this.line, this.note);
    this.bind();
  }

  take(spec) {
    const before = this.spec?.pick;
    this.spec = spec;
    this.title.textContent = spec.title;
    this.note.textContent = spec.note;
    this.note.hidden = !spec.note;
    this.line.hidden = !spec.says.length;
    this.root.dataset.span = spec.span;
    const { pick } = spec;
    this.plot.setAttribute("role", pick ? "application" : "img");
    this.plot.setAttribute("aria-label", pick ? `${spec.alt} ${pick.label}` : spec.alt);
    this.plot.toggleAttribute("data-pick", Boolean(pick));
    if (pick) this.plot.tabIndex = 0;
    else this.plot.removeAttribute("tabindex");
    if (pick && (!before || before.x !== pick.x || before.y !== pick.y) && !this.film.pending.length) {
      this.cursor = [pick.x, pick.y];
    }
    if (!pick) this.cross.hidden = true;
  }

  draw() {
    const looks = this.spec.figure + (window.labIsDark(this.plot) ? " dark" : " light");
    if (looks === this.looks) return this.apply();
    this.looks = looks;
    this.figure = window.labColoured(this.spec.figure, this.film.spec.palettes, this.plot);
    this.frames = [];
    this.growing = [];
    this.figure.data.forEach((trace, i) => {
      trace.uid = `film${i}`;
      const { until, frames } = trace.meta ?? {};
      if (until) this.growing.push({ trace, until });
      if (frames) this.frames.push({ trace, frames });
      delete trace.meta; // it is ours, and large
    });
    window.labScript(this.film.spec.source).then(
      () => this.render(),
      () => (this.line.textContent = "The chart library could not be loaded from this server. Reload the page to try again."),
    );
    return undefined;
  }

  render() {
    this.isStale = true;
    if (this.isBusy || this.isDisposed || !this.plot.clientWidth) return;
    this.isBusy = true;
    this.isStale = false;
    const { Plotly } = window;
    this.setFrame();
    this.drawnWidth = this.plot.clientWidth;
    const height = this.spec.height ?? this.drawnWidth;
    const layout = { ...this.figure.layout, width: this.drawnWidth, height, autosize: false };
    const config = { displayModeBar: false, responsive: false, scrollZoom: false, doubleClick: false };
    Promise.resolve(Plotly.react(this.plot, this.figure.data, layout, config))
      .then(() => {
        if (this.isDisposed) return Plotly.purge(this.plot);
        this.isBusy = false;
        this.plot.dataset.drawn = "true";
        this.measure();
        this.apply();
        this.placeCross();
        if (this.isStale) this.render();
        return undefined;
      })
      .catch((fault) => {
        this.isBusy = false;
        if (!this.isDisposed && this.plot.isConnected) console.error(fault);
      });
  }

  // Where each line of a growing trace has come to at each of its points, in pixels along the line.
  measure() {
    const full = this.plot._fullLayout;
    for (const part of this.growing) {
      const [xaxis, yaxis] = ["x", "y"].map((name) => full[(part.trace[`${name}axis`] ?? name).replace(name, `${name}axis`)]);
      const [xs, ys] = [floats(part.trace.x), floats(part.trace.y)];
      const isStepped = part.trace.line?.shape === "hv";
      const lengths = [0];
      for (let i = 1; i < xs.length; i += 1) {
        const dx = xaxis.d2p(xs[i]) - xaxis.d2p(xs[i - 1]);
        const dy = yaxis.d2p(ys[i]) - yaxis.d2p(ys[i - 1]);
        lengths.push(lengths[i - 1] + (isStepped ? Math.abs(dx) + Math.abs(dy) : Math.hypot(dx, dy)));
      }
      part.lengths = lengths;
      const group = this.plot.querySelector(`.trace${part.trace.uid}`);
      part.points = [...(group?.querySelectorAll(".points > path") ?? [])];
      part.line = group?.querySelector(".lines > path.js-line");
      part.points.forEach((point) => point.removeAttribute("data-newest"));
      part.shown = part.newest = undefined;
    }
  }

  setFrame() {
    for (const { trace, frames } of this.frames) Object.assign(trace, frames[Math.min(this.film.step, frames.length - 1)]);
    this.framed = this.film.step;
  }

  apply() {
    const { step } = this.film;
    this.line.textContent = this.spec.says[step] ?? "";
    if (!this.plot.dataset.drawn || this.isBusy) return;
    if (this.frames.length && this.framed !== step) {
      this.render();
      return;
    }
    for (const part of this.growing) {
      const n = part.until[Math.min(step, part.until.length - 1)];
      const newest = step < this.film.spec.steps ? part.points?.[n - 1] : undefined;
      if (newest !== part.newest) {
        part.newest?.removeAttribute("data-newest");
        newest?.setAttribute("data-newest", "");
        part.newest = newest;
      }
      if (n === part.shown) continue; // what is as it was costs a step nothing
      const [low, high] = [Math.min(n, part.shown ?? 0), Math.max(n, part.shown ?? Infinity)];
      part.points?.slice(low, high).forEach((point, i) => (point.style.display = low + i < n ? "" : "none"));
      if (part.line) {
        part.line.style.display = n > 0 ? "" : "none";
        part.line.style.strokeDasharray = `${part.lengths?.[n - 1] ?? 0}px 100000px`;
      }
      part.shown = n;
    }
    const isWhole = step >= this.film.spec.steps || !this.growing.length;
    this.plot._fullLayout.hovermode = isWhole ? "closest" : false; // hidden points would answer, too
  }

  fit() {
    const width = this.plot.clientWidth;
    if (width && this.figure && Math.abs(width - (this.drawnWidth ?? 0)) > 1) window.labScript(this.film.spec.source).then(() => this.render());
  }

  bind() {
    this.plot.addEventListener("pointerdown", (event) => {
      const down = event;
      if (!this.spec.pick || event.button) return;
      const released = (end) => {
        if (Math.hypot(end.clientX - down.clientX, end.clientY - down.clientY) <= CLICK_REACH) this.clicked(end);
      };
      window.addEventListener("pointerup", released, { capture: true, once: true });
    }, true);
    this.plot.addEventListener("keydown", (event) => this.pressed(event));
    this.plot.addEventListener("focus", () => this.placeCross());
    this.plot.addEventListener("blur", () => (this.cross.hidden = true));
  }

  clicked(event) {
    const { xaxis, yaxis } = this.plot._fullLayout ?? {};
    if (!xaxis || !this.spec.pick) return;
    const box = this.plot.getBoundingClientRect();
    const x = xaxis.p2d(event.clientX - box.left - xaxis._offset);
    const y = yaxis.p2d(event.clientY - box.top - yaxis._offset);
    const { low, high } = this.spec.pick;
    const slack = 0.03;
    const isIn = (value, i) => value >= low[i] - slack * (high[i] - low[i]) && value <= high[i] + slack * (high[i] - low[i]);
    if (!isIn(x, 0) || (this.spec.pick.tall && !isIn(y, 1))) return;
    this.moveTo(x, y);
    this.choose();
  }

  pressed(event) {
    const { pick } = this.spec;
    if (!pick || event.altKey || event.ctrlKey || event.metaKey) return;
    const far = pick.stride * (event.shiftKey ? 0.2 : 1);
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const way = ways[event.key];
    const isChoice = !pick.walks && (event.key === "Enter" || event.key === " ");
    if (!(way && (pick.tall || way[0])) && !isChoice) return;
    event.preventDefault();
    event.stopPropagation();
    if (way) {
      const [dx, dy] = [0, 1].map((i) => way[i] * far * (pick.high[i] - pick.low[i]));
      const before = this.cursor;
      this.moveTo(before[0] + dx, before[1] + dy);
      if (pick.walks && (this.cursor[0] !== before[0] || this.cursor[1] !== before[1])) this.choose();
    } else {
      this.choose();
    }
  }

  moveTo(x, y) {
    const { low, high } = this.spec.pick;
    this.cursor = [x, y].map((value, i) => Math.min(high[i], Math.max(low[i], value)));
    this.placeCross(true);
  }

  choose() {
    this.film.pick(...this.cursor);
  }

  placeCross(isForced = false) {
    const { xaxis, yaxis } = this.plot._fullLayout ?? {};
    if (!xaxis || !this.spec.pick || !this.cursor) return;
    if (!isForced && document.activeElement !== this.plot) return;
    this.cross.hidden = false;
    this.cross.classList.toggle("film-cross-line", !this.spec.pick.tall);
    this.cross.style.left = `${xaxis._offset + xaxis.d2p(this.cursor[0])}px`;
    this.cross.style.top = this.spec.pick.tall ? `${yaxis._offset + yaxis.d2p(this.cursor[1])}px` : `${yaxis._offset}px`;
    this.cross.style.height = this.spec.pick.tall ? "" : `${yaxis._length}px`;
  }

  dispose() {
    this.isDisposed = true;
    this.root.remove();
    if (this.plot.dataset.drawn) window.Plotly?.purge(this.plot);
  }
}

function isCalm() {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function floats(column) {
  if (!column?.bdata) return Float64Array.from(column ?? []);
  const bytes = Uint8Array.from(atob(column.bdata), (letter) => letter.charCodeAt(0));
  const kinds = { f4: Float32Array, f8: Float64Array, i4: Int32Array, i2: Int16Array, i1: Int8Array };
  const read = kinds[column.dtype];
  return read ? Float64Array.from(new read(bytes.buffer)) : Float64Array.from([]);
}
