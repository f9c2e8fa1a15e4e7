// A page of trials. Ticks belong to the numbers of trials, so that they stay where they are when rows come and go.

const grids = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const host = parentElement.querySelector(".trial-grid");
  if (!grids.has(host)) grids.set(host, new Grid(host));
  const grid = grids.get(host);
  grid.send = (view) => setStateValue("view", view);
  grid.show(data);
}

class Grid {
  constructor(host) {
    this.host = host;
    this.scroller = build("div", { className: "trial-grid-scroller", tabIndex: 0, role: "region" });
    this.table = build("table");
    this.foot = build("div", { className: "trial-grid-foot" });
    this.scroller.append(this.table);
    host.append(this.scroller, this.foot);
  }

  show(text) {
    if (text === this.text) return;
    this.text = text;
    this.spec = JSON.parse(text);
    // What was done since the server last heard of it is kept, unless the server gives the view itself.
    if (this.view?.turn !== this.spec.view.turn) this.view = this.spec.view;
    this.draw();
  }

  draw() {
    const focused = this.host.contains(document.activeElement) ? document.activeElement.dataset.part : null;
    this.scroller.setAttribute("aria-label", this.spec.label);
    this.table.replaceChildren(this.head(), this.body());
    this.foot.replaceChildren(...this.pager());
    this.host.dataset.page = this.spec.view.page;
    if (focused) this.host.querySelector(`[data-part="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  head() {
    const row = build("tr");
    row.append(build("th", { className: "trial-grid-tick", scope: "col" }, this.tickAll()));
    this.spec.columns.forEach((column) => {
      const { sort, is_reversed } = this.spec.view;
      const isSorted = column.key === sort;
      const button = build("button", { type: "button", textContent: column.label, title: `Sort by ${column.label}` });
      button.dataset.part = `sort ${column.key}`;
      button.addEventListener("click", () => this.sortBy(column.key));
      const cell = build("th", { scope: "col", className: column.is_number ? "trial-grid-number" : "" }, button);
      if (isSorted) cell.setAttribute("aria-sort", is_reversed ? "descending" : "ascending");
      row.append(cell);
    });
    return build("thead", {}, row);
  }

  tickAll() {
    const numbers = this.spec.rows.map(([number]) => number);
    const n_ticked = numbers.filter((number) => this.view.ticked.includes(number)).length;
    const box = build("input", { type: "checkbox", ariaLabel: "Tick all on this page" });
    box.checked = n_ticked > 0 && n_ticked === numbers.length;
    box.indeterminate = n_ticked > 0 && n_ticked < numbers.length;
    box.dataset.part = "tick all";
    box.addEventListener("change", () => {
      const others = this.view.ticked.filter((number) => !numbers.includes(number));
      this.change({ ticked: box.checked ? [...others, ...numbers] : others });
    });
    return box;
  }

  body() {
    const rows = this.spec.rows.map(([number, cells, marks]) => {
      const box = build("input", { type: "checkbox", ariaLabel: `Tick trial ${number}` });
      box.checked = this.view.ticked.includes(number);
      box.dataset.part = `tick ${number}`;
      box.addEventListener("change", () => this.tick(number, box.checked));
      const row = build("tr", { className: marks.map((mark) => `trial-grid-${mark}`).join(" ") });
      row.dataset.trial = number;
      row.append(build("td", { className: "trial-grid-tick" }, box));
      this.spec.columns.forEach((column, i) => {
        const cell = build(i ? "td" : "th", { textContent: cells[i], className: column.is_number ? "trial-grid-number" : "" });
        if (!i) cell.scope = "row";
        if (cells[i].length > 40) cell.title = cells[i];
        row.append(cell);
      });
      row.addEventListener("click", (event) => {
        if (event.target !== box && !String(getSelection())) this.tick(number, !this.view.ticked.includes(number));
      });
      return row;
    });
    return build("tbody", {}, ...rows);
  }

  pager() {
    const { count, size } = this.spec;
    const { page } = this.spec.view;
    const last = Math.max(0, Math.ceil(count / size) - 1);
    const [from, to] = [page * size + 1, Math.min(count, (page + 1) * size)];
    const words = count > size ? `${spaced(from)}–${spaced(to)} of ${spaced(count)}` : `${spaced(count)} trial${count === 1 ? "" : "s"}`;
    const places = [
      ["«", "First page", 0, page > 0],
      ["‹", "Previous page", page - 1, page > 0],
      ["›", "Next page", page + 1, page < last],
      ["»", "Last page", last, page < last],
    ];
    const buttons = places.map(([text, ariaLabel, target, isThere]) => {
      const button = build("button", { type: "button", textContent: text, ariaLabel, title: ariaLabel, disabled: !isThere });
      button.dataset.part = ariaLabel;
      button.addEventListener("click", () => this.change({ page: target }));
      return button;
    });
    const status = build("span", { textContent: words });
    status.setAttribute("role", "status");
    return last ? [status, ...buttons] : [status];
  }

  // A second click turns the order round. Of the numbers of trials, the newest come first.
  sortBy(key) {
    const { sort, is_reversed } = this.view;
    this.change({ sort: key, is_reversed: key === sort ? !is_reversed : key === "trial", page: 0 });
  }

  tick(number, isTicked) {
    const others = this.view.ticked.filter((other) => other !== number);
    this.change({ ticked: isTicked ? [...others, number] : others });
  }

  // Drawn at once for ticks; another order or page is drawn when the server sends its rows.
  change(parts) {
    this.view = { ...this.view, ...parts };
    if (parts.ticked) this.draw();
    this.send({ ...this.view });
  }
}

function build(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

function spaced(number) {
  return number.toLocaleString("en-US");
}
