// The score of the newest nudge. The rows hand their moves to this card, which sends them straight to the server, past the
// script of the page, and shows what comes back fold by fold. Once the hand rests, the script is told and draws the rest.

const NEWS_MS = 5000; // between looks for what others did
const CANCEL_MS = 1200;
const RETRY_MS = 1000;
const cards = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const host = parentElement.querySelector(".score-card");
  if (!cards.has(host)) cards.set(host, new Card(host));
  const card = cards.get(host);
  card.tell = () => setTriggerValue("rest", `${Date.now()}-${Math.random()}`);
  card.draw(JSON.parse(data));
}

class Card {
  constructor(host) {
    this.host = host;
    this.stage = [];
    this.sending = Promise.resolve();
    this.take = (event) => this.taken(event);
    document.addEventListener("lab-move", this.take);
    [this.body, this.button] = host.children;
    this.button.addEventListener("click", () => this.cancel());
    this.news = setInterval(() => this.look(), NEWS_MS);
  }

  // What the script of the page knows, which may be less than what came past it.
  draw(view) {
    if (view.who !== this.who) this.stage = [];
    this.who = view.who;
    this.takesMoves = view.takesMoves;
    this.show(view);
    if (!view.isOver && !this.followed) this.follow(messages(this.url("")));
  }

  show({ stage, html, isOver }) {
    if (isBehind(stage, this.stage)) return;
    if (stage[0] !== this.stage[0] || isOver) this.offerCancel(isOver);
    this.stage = stage;
    this.host.dataset.nudge = stage[0];
    if (html !== this.html) this.body.innerHTML = html;
    this.html = html;
  }

  // A move of a row: {parameter, move, answered, refused}. Those that the server does not take go the way of the page.
  taken(event) {
    if (!this.isHere() || !this.takesMoves) return;
    event.preventDefault();
    clearTimeout(this.timer);
    this.sending = this.sending.then(() => this.post(event.detail)); // one by one, as the last shall win
  }

  async post({ parameter, move, answered, refused }) {
    const body = JSON.stringify({ ...move, parameter });
    const stream = messages(this.url(""), { method: "POST", headers: { "Content-Type": "application/json" }, body });
    try {
      const { value } = await stream.next();
      answered(value.row);
      this.follow(stream);
      if (value.isOtherwise) this.tell();
    } catch {
      refused();
    }
  }

  // Shows the scores that the server sends until the nudge is over, or a newer one takes the place.
  async follow(stream) {
    const own = (this.followed = {});
    let restMs = RETRY_MS;
    try {
      for await (const message of stream) {
        if (this.followed !== own) return;
        this.show(message.card);
        restMs = message.restMs;
      }
    } catch {
      // the script of the page draws what is missing
    }
    if (this.followed !== own) return;
    this.followed = null;
    this.later(restMs);
  }

  // Only once a nudge lets people wait.
  offerCancel(isOver) {
    clearTimeout(this.offer);
    this.button.hidden = true;
    if (!isOver) this.offer = setTimeout(() => (this.button.hidden = false), CANCEL_MS);
  }

  // The server then ends the stream that is followed.
  cancel() {
    fetch(this.url(""), { method: "DELETE" }).catch(() => this.tell());
  }

  later(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.isHere() && this.tell(), ms);
  }

  async look() {
    if (!this.isHere() || document.hidden || this.followed) return;
    try {
      const response = await fetch(this.url("/news"));
      if (response.ok && (await response.json()).isNews && !this.followed) this.tell();
    } catch {
      // the server is away; the page says so itself
    }
  }

  url(path) {
    return new URL(`./lab/hand/${this.who}${path}`, document.baseURI);
  }

  isHere() {
    if (this.host.isConnected) return true;
    document.removeEventListener("lab-move", this.take);
    clearInterval(this.news);
    return false;
  }
}

function isBehind(stage, other) {
  const place = stage.findIndex((part, i) => part !== other[i]);
  return place >= 0 && stage[place] < other[place];
}

// The data of server-sent events; EventSource cannot post.
async function* messages(url, request = {}) {
  const response = await fetch(url, request);
  if (!response.ok) throw new Error(`${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let text = ""; ; ) {
      const { value, done } = await reader.read();
      if (done) return;
      const events = (text + value).split("\n\n");
      text = events.pop();
      for (const event of events) yield JSON.parse(event.slice("data: ".length));
    }
  } finally {
    reader.cancel().catch(() => {}); // fails once the connection has
  }
}
