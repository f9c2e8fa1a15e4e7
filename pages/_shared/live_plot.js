// One chart on one kept element: refreshed in place, so that zoom, camera and brushes survive, and silent while in use.

const SETTLE_MS = 250; // after a gesture, before the next redraw
const CLICK_MS = 270; // longer than Plotly's double click, which resets the zoom and must not count as a click
const CLICK_REACH = 5; // pixels that a click may wander
const AXIS_REACH = 14; // pixels beside a parallel axis that belong to its brush
const NEWEST_MS = 2000; // for which a trial that just came is marked
const SVG = "http://www.w3.org/2000/svg";

const charts = new WeakMap();
let library = null;

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const host = parentElement.querySelector(".live-plot");
  if (!charts.has(host)) charts.set(host, new Chart(host));
  const chart = charts.get(host);
  chart.sendState = setStateValue;
  chart.sendTrigger = setTriggerValue;
  chart.show(JSON.parse(new TextDecoder().decode(data)));
  return () => chart.dispose();
}

function loadLibrary(source) {
  library ??= window.labScript(source).then(
    () => window.Plotly ?? window.moduleName,
    (fault) => {
      library = null; // the next chart may try again
      throw fault;
    },
  );
  return library;
}

// Whether there is no graphics processor, as on many virtual machines. Scenes are drawn more simply then.
let isInSoftware = null;
function isDrawnInSoftware() {
  if (isInSoftware === null) {
    const gl = document.createElement("canvas").getContext("webgl");
    const named = gl?.getExtension("WEBGL_debug_renderer_info");
    const renderer = named ? gl.getParameter(named.UNMASKED_RENDERER_WEBGL) : "";
    gl?.getExtension("WEBGL_lose_context")?.loseContext(); // a page may have a few at a time only
    isInSoftware = /swiftshader|llvmpipe|softpipe|basic render/i.test(renderer);
  }
  return isInSoftware;
}

class Chart {
  constructor(host) {
    this.host = host;
    this.brushes = {};
    this.views = {}; // what the person made of axes and cameras: a range, "all", or a camera, by name
    this.isBusy = this.isHeld = this.isBound = this.isStale = this.isDisposed = false;
    this.drawn = null;
  }

  show(spec) {
    const isNew = this.takeOrders(spec);
    const looks = spec.revision + (window.labIsDark(this.host) ? " dark" : " light");
    this.spec = spec;
    if (looks === this.looks && !isNew) return;
    this.looks = looks;
    this.host.style.height = `${spec.height}px`;
    this.host.setAttribute("aria-label", spec.alt);
    if (!this.drawn) this.say("Drawing…");
    loadLibrary(spec.source).then(
      (Plotly) => this.draw(Plotly),
      () => this.say("The chart library could not be loaded from this server. Reload the page to try again."),
    );
  }

  // What the server asks for once: brushes in place of those that lie here, an image. Whether to draw again.
  takeOrders(spec) {
    if (this.imageTurn !== undefined && spec.image.turn !== this.imageTurn) {
      loadLibrary(spec.source).then((Plotly) => this.save(Plotly, spec.image.format), () => {});
    }
    this.imageTurn = spec.image.turn;
    if (spec.brushTurn === this.brushTurn) return false;
    this.brushTurn = spec.brushTurn;
    this.brushes = { ...spec.brush };
    this.reported = JSON.stringify(this.brushes);
    return true;
  }

  async draw(Plotly) {
    this.isStale = true;
    if (this.isBusy || this.isHeld) return; // drawn when the gesture ends
    this.isBusy = true;
    try {
      while (this.isStale && !this.isHeld) {
        this.isStale = false;
        const { looks } = this;
        const { data, layout } = this.figure();
        await Plotly.react(this.host, data, layout, this.config(Plotly, layout));
        this.drawn = looks;
        this.host.dataset.drawn = looks;
        if (!this.isBound) this.bind(Plotly);
        this.placeBrushes();
        this.pointAgain();
        this.markNewest();
      }
      this.host.querySelector(".live-plot-wait")?.remove();
    } catch (fault) {
      if (this.isDisposed || !this.host.isConnected) return; // taken from the page, and purged, in the middle of drawing
      console.error(fault);
      this.say("This chart could not be drawn. Its numbers are in the table view.");
    } finally {
      this.isBusy = false;
    }
  }

  // The figure in the colours of the theme that is on, with the lines that pass all brushes.
  figure() {
    const { data, layout } = window.labColoured(this.spec.figure, this.spec.palettes, this.host);
    layout.autosize = true;
    layout.height = this.spec.height;
    if (layout.scene && isDrawnInSoftware()) {
      for (const trace of data) delete trace.contours; // lines beside a masked place take seconds a frame
    }
    this.axes = layout.meta?.brush ?? [];
    this.host.toggleAttribute("data-brushable", this.axes.length > 0);
    if (this.axes.length) data.forEach((trace) => trace.meta?.vertices && this.filter(trace));
    this.fitNarrow(data, layout);
    this.keepViews(layout);
    const seen = {};
    data.forEach((trace) => {
      const name = `${trace.type}-${trace.name ?? ""}`.replace(/[^A-Za-z0-9]+/g, "-"); // a class name in Plotly's SVG
      seen[name] = (seen[name] ?? 0) + 1;
      trace.uid = `${name}-${seen[name]}`; // an entry hidden in the legend stays hidden when traces come and go
    });
    return { data, layout };
  }

  // Plotly's own `uirevision` lets go of a zoom when the range behind it changes, as it does while a search runs.
  keepViews(layout) {
    if (layout.uirevision !== this.subject) this.views = {};
    this.subject = layout.uirevision;
    this.turn = (this.turn ?? 0) + 1;
    for (const [name, part] of Object.entries(layout)) {
      if (!/^[xy]axis\d*$/.test(name)) continue;
      part.uirevision = this.turn;
      const view = this.views[name];
      if (view === "all") delete part.range;
      else if (view) Object.assign(part, { range: view, autorange: false });
    }
    for (const name of Object.keys(layout).filter((key) => key.startsWith("scene"))) {
      layout[name].uirevision = this.turn;
      if (this.views[name]) layout[name].camera = this.views[name];
    }
  }

  noteView(changes) {
    const full = this.host._fullLayout;
    for (const key of Object.keys(changes)) {
      const [, axis] = key.match(/^([xy]axis\d*)\.(?:range|autorange)/) ?? [];
      const [, scene] = key.match(/^(scene\d*)\.camera/) ?? [];
      if (axis) this.views[axis] = [...full[axis].range];
      if (scene) this.views[scene] = structuredClone(full[scene].camera);
    }
  }

  // The chart's own view; from there to everything, outliers too.
  resetView(Plotly) {
    const axes = Object.keys(this.host._fullLayout).filter((name) => /^[xy]axis\d*$/.test(name));
    const isChanged = Object.keys(this.views).length > 0;
    this.views = isChanged ? {} : Object.fromEntries(axes.map((name) => [name, "all"]));
    this.draw(Plotly);
  }

  // On a phone: no colour bar, and the titles of parallel axes slanted so that they do not run into each other.
  fitNarrow(data, layout) {
    const width = this.host.clientWidth || 1000;
    if (width < 520) data.forEach((trace) => trace.colorbar && (trace.showscale = false));
    if (!this.axes.length || width / this.axes.length > 95) return;
    layout.annotations.forEach((title) => Object.assign(title, { textangle: -35, xanchor: "left", yshift: 2, xshift: -6 }));
    Object.assign(layout.margin, { t: 84, r: 40 });
  }

  filter(trace) {
    const kept = this.axes.map((axis, i) => [i, this.brushes[axis.name]]).filter(([, brush]) => brush);
    if (!kept.length) return;
    const places = floats(trace.y);
    const size = trace.meta.vertices;
    for (let start = 0; start < places.length; start += size) {
      const passes = kept.every(([i, [low, high]]) => places[start + i] >= low && places[start + i] <= high);
      if (!passes) places.fill(NaN, start, start + size);
    }
    trace.y = places;
  }

  // Named buttons only: plotly.js would add one that sends the chart to a cloud. The object is kept, because another
  // one, even if it says the same, makes `react` build the chart anew.
  config(Plotly, layout) {
    const kind = layout.scene ? "scene" : layout.dragmode === false ? "still" : "plane";
    this.configs ??= {};
    this.configs[kind] ??= {
      responsive: false, // a ResizeObserver sees hidden tabs too
      displaylogo: false,
      scrollZoom: false,
      doubleClick: false,
      doubleClickDelay: CLICK_MS - 20,
      modeBarButtons: this.buttons(Plotly, kind),
      ...(kind === "scene" && isDrawnInSoftware() ? { plotGlPixelRatio: 1 } : {}), // else 2
    };
    return this.configs[kind];
  }

  buttons(Plotly, kind) {
    const button = (name, title, icon, click) => ({ name, title, icon: Plotly.Icons[icon], click });
    const files = [
      button("png", "Download as PNG", "camera", () => this.save(Plotly, "png")),
      button("svg", "Download as SVG", "disk", () => this.save(Plotly, "svg")),
    ];
    const reset = button("reset", "Reset the view", "home", () => this.resetView(Plotly));
    if (kind === "still") return [files];
    if (kind === "scene") return [["tableRotation", "zoom3d", "pan3d"], [reset], files];
    return [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d"], [reset], files];
  }

  save(Plotly, format) {
    const ground = getComputedStyle(this.host).getPropertyValue("--st-secondary-background-color").trim();
    const { data, layout } = this.figure();
    const shown = { ...layout, paper_bgcolor: ground || "white", width: this.host.clientWidth };
    const size = { width: this.host.clientWidth, height: this.spec.height };
    Plotly.downloadImage({ data, layout: shown }, { format, filename: this.spec.filename, scale: 2, ...size });
  }

  bind(Plotly) {
    this.isBound = true;
    let width = this.host.clientWidth;
    this.observer = new ResizeObserver(() => {
      if (!this.host.clientWidth || this.host.clientWidth === width) return;
      width = this.host.clientWidth;
      Promise.resolve(Plotly.Plots.resize(this.host)).then(() => this.placeBrushes());
    });
    this.observer.observe(this.host);
    this.host.on("plotly_click", (event) => this.clicked({ point: pointOf(event.points[0]) }));
    this.host.on("plotly_doubleclick", () => this.resetView(Plotly));
    this.host.on("plotly_relayout", (changes) => {
      this.noteView(changes);
      this.placeBrushes();
    });
    this.host.addEventListener("pointermove", (event) => this.moved(event), true);
    this.host.addEventListener("pointerleave", () => (this.pointer = null));
    this.host.addEventListener("pointerdown", (event) => this.pressed(event, Plotly), true);
    this.host.addEventListener("wheel", () => this.hold(Plotly), { capture: true, passive: true });
  }

  // Nothing is redrawn while a button is down or the wheel turns, nor for a moment after.
  hold(Plotly, untilRelease = false) {
    this.isHeld = true;
    clearTimeout(this.settling);
    const free = () => {
      this.isHeld = false;
      if (this.isStale) this.draw(Plotly);
    };
    const settle = () => (this.settling = setTimeout(free, SETTLE_MS));
    if (!untilRelease) return settle();
    const ends = ["pointerup", "pointercancel"];
    const released = () => {
      ends.forEach((name) => window.removeEventListener(name, released, true));
      settle();
    };
    ends.forEach((name) => window.addEventListener(name, released, true));
  }

  pressed(event, Plotly) {
    if (event.button) return;
    const axis = this.axisAt(event);
    this.hold(Plotly, true);
    if (axis) return this.brush(axis, event, Plotly);
    if (event.target.closest?.(".modebar, .legend")) return;
    // Plotly covers the page with a drag layer on a press, so that the release is heard on the window alone.
    this.isDown = true;
    this.isDrag = false;
    const released = (end) => {
      this.isDown = false;
      this.isDrag = Math.hypot(end.clientX - event.clientX, end.clientY - event.clientY) > CLICK_REACH;
      const place = this.isDrag ? null : this.placeAt(end);
      if (place) this.clicked(place);
    };
    window.addEventListener("pointerup", released, { capture: true, once: true });
    window.addEventListener("pointercancel", () => (this.isDown = false), { capture: true, once: true });
  }

  // Data values under the pointer, on whichever pair of axes it is: numbers on log axes, labels on category axes.
  placeAt(event) {
    const full = this.host._fullLayout;
    for (const id of full?._subplots?.cartesian ?? []) {
      const { xaxis, yaxis } = full._plots[id];
      const [x, y] = this.offset(event);
      const [dx, dy] = [x - xaxis._offset, y - yaxis._offset];
      if (dx >= 0 && dy >= 0 && dx <= xaxis._length && dy <= yaxis._length) return { x: xaxis.p2d(dx), y: yaxis.p2d(dy) };
    }
    return null;
  }

  // A point and the place under it come as two events of one click: they leave as one. A double click is none.
  clicked(part) {
    const now = performance.now();
    if (now < (this.mutedUntil ?? 0)) return;
    clearTimeout(this.clicking);
    if (part.x !== undefined && this.click?.x !== undefined) {
      this.click = null;
      this.mutedUntil = now + CLICK_MS;
      return;
    }
    this.click = { ...this.click, ...part };
    this.clicking = setTimeout(() => this.sendClick(), CLICK_MS);
  }

  // A 3-D scene says "click" when the button goes down, before it is known whether the scene will be turned.
  sendClick() {
    if (this.isDown) {
      this.clicking = setTimeout(() => this.sendClick(), CLICK_MS);
      return;
    }
    const { point, ...place } = this.click;
    this.click = null;
    if (!this.isDrag) this.sendTrigger("click", { ...point, ...place });
  }

  axisAt(event) {
    const full = this.host._fullLayout;
    if (!this.axes?.length || !full?.xaxis) return null;
    const [x, y] = this.offset(event);
    const along = full.yaxis.p2d(y - full.yaxis._offset);
    const isNear = (axis) => Math.abs(full.xaxis._offset + full.xaxis.d2p(axis.x) - x) <= AXIS_REACH;
    return along >= -0.15 && along <= 1.04 ? (this.axes.find(isNear) ?? null) : null;
  }

  brush(axis, event, Plotly) {
    event.preventDefault();
    event.stopPropagation();
    const along = (e) => {
      const { yaxis } = this.host._fullLayout;
      return Math.min(1.01, Math.max(-0.15, yaxis.p2d(this.offset(e)[1] - yaxis._offset)));
    };
    const start = along(event);
    const under = this.brushes[axis.name] ? null : this.host._hoverdata?.[0];
    const stretch = (e) => {
      const end = along(e);
      if (Math.abs(end - start) > 0.015) this.brushes[axis.name] = [Math.min(start, end), Math.max(start, end)];
      else delete this.brushes[axis.name];
      this.placeBrushes();
    };
    const ends = ["pointerup", "pointercancel"];
    const finish = (e) => {
      stretch(e);
      window.removeEventListener("pointermove", stretch, true);
      ends.forEach((name) => window.removeEventListener(name, finish, true));
      this.isStale = true;
      const report = JSON.stringify(this.brushes);
      if (report !== this.reported) this.sendState("brush", { ...this.brushes });
      this.reported = report;
      this.isDrag = false;
      if (under && !this.brushes[axis.name]) this.clicked({ point: pointOf(under) });
    };
    window.addEventListener("pointermove", stretch, true);
    ends.forEach((name) => window.addEventListener(name, finish, true));
  }

  placeBrushes() {
    this.host.querySelectorAll(".live-plot-brush").forEach((element) => element.remove());
    const { xaxis, yaxis } = this.host._fullLayout ?? {};
    for (const axis of this.axes ?? []) {
      const range = this.brushes[axis.name];
      if (!range) continue;
      const [top, bottom] = [yaxis._offset + yaxis.d2p(range[1]), yaxis._offset + yaxis.d2p(range[0])];
      const element = document.createElement("div");
      element.className = "live-plot-brush";
      const left = xaxis._offset + xaxis.d2p(axis.x) - 8;
      Object.assign(element.style, { left: `${left}px`, top: `${top}px`, height: `${bottom - top}px` });
      this.host.appendChild(element);
    }
  }

  moved(event) {
    this.pointer = event;
    this.host.toggleAttribute("data-on-axis", this.axisAt(event) !== null);
  }

  // A redraw takes the hover label away: put it back where the pointer rests.
  pointAgain() {
    const { pointer } = this;
    if (!pointer || !this.host._fullLayout._has("cartesian")) return;
    const target = document.elementFromPoint(pointer.clientX, pointer.clientY);
    if (!target || !this.host.contains(target)) return;
    const { clientX, clientY } = pointer;
    target.dispatchEvent(new MouseEvent("mousemove", { clientX, clientY, bubbles: true, view: window }));
  }

  offset(event) {
    const box = this.host.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  // A ring around the marks of the trial that just came, or a line over its line, for a moment.
  markNewest() {
    const { newest } = this.spec;
    const isNews = this.newest !== undefined && newest !== null && newest !== this.newest;
    this.newest = newest;
    if (!isNews) return;
    const overlay = document.createElementNS(SVG, "svg");
    overlay.setAttribute("class", "live-plot-newest");
    overlay.setAttribute("aria-hidden", "true");
    this.host._fullData.forEach((trace) => overlay.append(...this.marksOf(trace, newest)));
    this.host.querySelector(".live-plot-newest")?.remove();
    this.host.appendChild(overlay);
    setTimeout(() => overlay.remove(), NEWEST_MS);
  }

  marksOf(trace, number) {
    const full = this.host._fullLayout;
    const pair = full._plots?.[`${trace.xaxis}${trace.yaxis}`];
    if (!pair || trace.visible !== true || !trace.customdata || !/^scatter(gl)?$/.test(trace.type)) return [];
    const places = [];
    for (let i = 0; i < trace.customdata.length; i += 1) {
      if (Number(trace.customdata[i]?.[0] ?? NaN) !== number) continue;
      const [x, y] = [pair.xaxis.d2p(trace.x[i]), pair.yaxis.d2p(trace.y[i])];
      if (Number.isFinite(x) && Number.isFinite(y)) places.push([pair.xaxis._offset + x, pair.yaxis._offset + y]);
    }
    if (!trace.meta?.vertices) return places.map(([cx, cy]) => shape("circle", { cx, cy, r: 11 }));
    return places.length ? [shape("polyline", { points: places.join(" ") })] : [];
  }

  say(sentence) {
    let wait = this.host.querySelector(".live-plot-wait");
    if (!wait) {
      wait = document.createElement("div");
      wait.className = "live-plot-wait";
      this.host.appendChild(wait);
    }
    wait.textContent = sentence;
  }

  dispose() {
    this.isDisposed = true;
    this.observer?.disconnect();
    charts.delete(this.host);
    library?.then((Plotly) => Plotly.purge(this.host), () => {});
  }
}

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function floats(column) {
  if (!column.bdata) return Float32Array.from(column, (value) => value ?? NaN);
  const bytes = Uint8Array.from(atob(column.bdata), (letter) => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

function pointOf(point) {
  const kind = point.data?.type ?? "";
  const isTrial = /^(scatter|bar)/.test(kind) && point.customdata !== undefined;
  const plain = { x: point.x, y: point.y, on: kind };
  if (point.z !== undefined) plain.z = point.z;
  if (isTrial) plain.trial = Number(point.customdata[0]);
  return plain;
}
