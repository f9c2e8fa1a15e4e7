// One parameter: a slider with an exact entry, or a choice. The row holds its value itself while a person acts, and tells
// the server of each move once. The server sets the value by a new turn, so nothing that is on its way can undo a move.

const SEND_MS = 125; // between moves while a key is held
const KEYS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10, Home: -1e9, End: 1e9 };
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

const rows = new WeakMap();
let n_rows = 0;
let n_moves = 0;

export default function ({ data, parentElement, setTriggerValue }) {
  const host = parentElement.querySelector(".parameter-row");
  if (!rows.has(host)) rows.set(host, new Row(host));
  const row = rows.get(host);
  row.tell = (move) => setTriggerValue("move", move);
  row.show(JSON.parse(data));
}

class Row {
  constructor(host) {
    this.host = host;
    this.id = `parameter-row-${++n_rows}`;
    this.timer = 0;
  }

  show(spec) {
    this.spec = spec;
    const shape = JSON.stringify([spec.kind, spec.title, spec.help, spec.places, spec.ends]);
    if (shape !== this.shape) this.build();
    this.shape = shape;
    this.face.mark(spec);
    this.complain(spec.fault);
    this.settle();
  }

  build() {
    const { kind, title, help, defaultText } = this.spec;
    this.turn = this.pending = null;
    this.face = kind === "slider" ? new Slider(this) : new Choice(this);
    this.reset = build("button", { type: "button", className: "parameter-reset", textContent: "↺" });
    this.reset.setAttribute("aria-label", `Reset ${title}`);
    this.reset.title = `Back to the default, ${defaultText}`;
    this.reset.addEventListener("click", () => {
      this.face.go(this.spec.default);
      this.face.focus(); // the button goes away under the focus
    });
    this.host.className = `parameter-row parameter-row-${kind}`;
    this.host.replaceChildren(explained(this, title, help), ...this.face.parts, this.reset);
  }

  complain(sentence) {
    if ((this.fault?.textContent ?? "") === sentence && (!this.fault || this.fault.isConnected)) return;
    this.fault?.remove();
    this.fault = sentence ? build("p", { className: "lab-fault", role: "alert", textContent: sentence }) : null;
    if (this.fault) this.host.append(this.fault);
  }

  // Takes the server's value if it set one, but never out of a person's hands.
  settle() {
    if (this.spec.turn === this.turn || this.face.isHeld()) return;
    this.turn = this.spec.turn;
    this.pending = null;
    this.face.put(this.spec.value);
    this.changed();
  }

  changed() {
    const isDefault = this.face.isAt(this.spec.default);
    this.host.toggleAttribute("data-changed", !isDefault);
    this.reset.disabled = isDefault;
  }

  // What a person let go of is newer than whatever the server set meanwhile.
  letGo(move) {
    this.turn = this.spec.turn;
    this.offer(move);
  }

  // Sent at once; then at most eight times a second, the last one always.
  offer(move) {
    this.changed();
    this.pending = { ...move, turn: this.turn };
    if (!this.timer) this.flush();
  }

  flush() {
    clearTimeout(this.timer);
    this.timer = 0;
    if (!this.pending) return;
    const move = this.pending;
    this.pending = null;
    this.send({ ...move, id: `${Date.now()}-${++n_moves}-${Math.random()}` });
    this.timer = setTimeout(() => this.flush(), SEND_MS);
  }

  // To whoever takes moves on the page, the score card; otherwise through the script of the page.
  send(move) {
    const answered = (spec) => this.host.isConnected && this.show(spec);
    const detail = { parameter: this.spec.name, move, answered, refused: () => this.tell(move) };
    if (document.dispatchEvent(new CustomEvent("lab-move", { cancelable: true, detail }))) this.tell(move);
  }
}

class Slider {
  constructor(row) {
    const { places, ends, title } = row.spec;
    this.row = row;
    this.texts = places;
    this.numbers = places.map(Number);
    this.isDragged = false;
    this.range = build("input", { type: "range", id: row.id, min: 0, max: places.length - 1, step: 1 });
    this.range.setAttribute("aria-describedby", `${row.id}-help`);
    this.entry = build("input", { type: "text", autocomplete: "off", spellcheck: false, className: "parameter-entry" });
    this.entry.setAttribute("aria-label", `${title}, exact value`);
    this.best = build("span", { className: "parameter-best", hidden: true });
    const origin = build("span", { className: "parameter-default" });
    origin.style.setProperty("--at", this.share(this.numbers[row.spec.default]));
    const labels = ends.map((text) => build("span", { textContent: text }));
    const scale = build("div", { className: "parameter-ends", ariaHidden: "true" }, ...labels);
    this.track = build("div", { className: "parameter-track" }, origin, this.best, this.range, scale);
    this.parts = [this.track, this.entry];
    this.listen();
  }

  listen() {
    this.range.addEventListener("pointerdown", () => this.hold());
    this.range.addEventListener("input", () => this.put(this.texts[this.range.valueAsNumber]));
    this.range.addEventListener("change", () => {
      this.isDragged = false;
      this.row.letGo({ place: this.range.valueAsNumber });
    });
    this.range.addEventListener("keydown", (event) => this.pressed(event));
    this.range.addEventListener("blur", () => this.row.flush());
    this.entry.addEventListener("change", () => this.enter());
    this.entry.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.enter();
      if (event.key === "Escape") this.entry.value = this.text;
    });
    this.entry.addEventListener("blur", () => setTimeout(() => this.row.settle()));
  }

  // A release comes before the change that it makes, and without one if the thumb is where it was.
  hold() {
    this.isDragged = true;
    const release = () => {
      removeEventListener("pointerup", release, true);
      removeEventListener("pointercancel", release, true);
      setTimeout(() => {
        this.isDragged = false;
        this.row.settle();
      });
    };
    addEventListener("pointerup", release, true);
    addEventListener("pointercancel", release, true);
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey) this.row.flush(); // a shortcut, such as undo, is about the last move too
    const steps = KEYS[event.key];
    if (!steps || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.go(this.stepped(steps));
  }

  // The stop so many steps on; the first one is the next stop, also from a value between two.
  stepped(steps) {
    const last = this.numbers.length - 1;
    const number = Number(this.text);
    const above = this.numbers.findIndex((stop) => stop > number);
    const below = this.numbers.findLastIndex((stop) => stop < number);
    const place = steps > 0 ? (above < 0 ? last : above + steps - 1) : below + steps + 1;
    return Math.min(Math.max(place, 0), last);
  }

  go(place) {
    if (this.isAt(place)) return;
    this.put(this.texts[place]);
    this.row.offer({ place });
  }

  enter() {
    const text = this.entry.value.trim();
    if (this.entry.value === this.text) return;
    if (NUMBER.test(text)) this.put(text);
    this.text = this.entry.value;
    this.row.letGo({ text });
  }

  put(text) {
    this.text = this.entry.value = text;
    const at = this.share(Number(text));
    const place = Math.round(at * (this.texts.length - 1));
    if (this.range.valueAsNumber !== place) this.range.value = place;
    this.range.setAttribute("aria-valuetext", text);
    this.track.style.setProperty("--share", at);
  }

  // How far along the slider a number stands, 0 to 1, also between two stops.
  share(number) {
    const last = this.numbers.length - 1;
    const above = this.numbers.findIndex((stop) => stop >= number);
    if (above <= 0) return above ? 1 : 0;
    const below = this.numbers[above - 1];
    return (above - 1 + (number - below) / (this.numbers[above] - below)) / last;
  }

  mark({ best }) {
    this.best.hidden = best === null;
    if (best !== null) this.best.style.setProperty("--at", this.share(Number(best)));
  }

  isAt(place) {
    return this.text === this.texts[place];
  }

  isHeld() {
    return this.isDragged || (document.activeElement === this.entry && this.entry.value !== this.text);
  }

  focus() {
    this.range.focus({ preventScroll: true });
  }
}

class Choice {
  constructor(row) {
    this.row = row;
    this.field = row.spec.kind === "list" ? this.list() : this.buttons();
    this.field.setAttribute("aria-describedby", `${row.id}-help`);
    this.field.addEventListener("change", () => {
      this.place = this.shown();
      row.letGo({ place: this.place });
    });
    this.field.addEventListener("focusout", () => row.flush());
    this.parts = [this.field];
  }

  list() {
    const options = this.row.spec.places.map((text, i) => build("option", { value: i, textContent: text }));
    this.select = build("select", { id: this.row.id }, ...options);
    return build("div", { className: "parameter-list" }, this.select);
  }

  buttons() {
    this.radios = this.row.spec.places.map((_, i) => build("input", { type: "radio", name: this.row.id, value: i }));
    const labels = this.row.spec.places.map((text, i) => build("label", {}, this.radios[i], build("span", { textContent: text })));
    const group = build("div", { className: "parameter-buttons", role: "radiogroup" }, ...labels);
    group.setAttribute("aria-labelledby", `${this.row.id}-label`);
    return group;
  }

  shown() {
    return this.select ? this.select.selectedIndex : this.radios.findIndex((radio) => radio.checked);
  }

  put(place) {
    this.place = place;
    if (this.select) this.select.selectedIndex = place;
    else this.radios[place].checked = true;
  }

  go(place) {
    if (this.isAt(place)) return;
    this.put(place);
    this.row.offer({ place });
  }

  isAt(place) {
    return this.place === place;
  }

  isHeld() {
    return false;
  }

  mark() {}

  focus() {
    (this.select ?? this.radios[this.place]).focus({ preventScroll: true });
  }
}

// The label, with its explanation while its sign is pointed at or has the focus. In the top layer, as the rows scroll.
function explained(row, title, help) {
  const name = row.spec.kind === "buttons" ? build("span") : build("label", { htmlFor: row.id });
  Object.assign(name, { id: `${row.id}-label`, textContent: title, title: help });
  const note = build("div", { id: `${row.id}-help`, className: "parameter-note", popover: "auto", textContent: help });
  note.setAttribute("role", "tooltip");
  const sign = build("button", { type: "button", className: "parameter-help", textContent: "?" });
  sign.setAttribute("aria-label", `About ${title}`);
  sign.setAttribute("aria-describedby", note.id);
  const open = () => {
    if (!note.isConnected) return;
    if (!note.matches(":popover-open")) note.showPopover();
    const { left, bottom, top } = sign.getBoundingClientRect();
    const isLow = bottom + note.offsetHeight + 12 > innerHeight;
    note.style.left = `${Math.max(8, Math.min(left, innerWidth - note.offsetWidth - 8))}px`;
    note.style.top = `${isLow ? top - note.offsetHeight - 6 : bottom + 6}px`;
  };
  for (const event of ["pointerenter", "focus", "click"]) sign.addEventListener(event, open);
  for (const event of ["pointerleave", "blur"]) sign.addEventListener(event, () => note.hidePopover());
  sign.addEventListener("keydown", (event) => event.key === "Escape" && note.hidePopover());
  return build("div", { className: "parameter-label" }, name, sign, note);
}

function build(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}
