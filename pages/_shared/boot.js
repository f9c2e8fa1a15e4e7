/* Runs before anything of Streamlit: where the server's root is, early scripts, light or dark, shortcuts, copying the link. */
(() => {
  // Opened at /studies, Streamlit 1.67 first asks for /studies/_stcore/health and logs an error in the console. With
  // the root known it does not guess.
  const root = new URL("./", location.href).href;
  window.__streamlit = { ...window.__streamlit, BACKEND_BASE_URL: root, MAIN_PAGE_BASE_URL: root };

  const scripts = new Map();
  window.labScript = (source) => {
    if (!scripts.has(source)) {
      const script = document.createElement("script");
      script.src = source;
      const done = new Promise((resolve, reject) => {
        script.onload = resolve;
        script.onerror = () => {
          scripts.delete(source);
          reject(new Error(`${source} was not loaded`));
        };
      });
      scripts.set(source, done);
      document.head.append(script);
    }
    return scripts.get(source);
  };
  // The chart library is large: the browser reads it while the first answer of the server is on its way.
  window.addEventListener("load", () => window.labScript("{{charts}}").catch(() => {}));

  // Figures name their colours, as in var(--lab-you@0.25), so that one serves both themes.
  window.labIsDark = (element) => {
    const ground = getComputedStyle(element).getPropertyValue("--st-background-color").trim();
    const probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = ground || "#ffffff";
    const [red, green, blue] = [1, 3, 5].map((i) => parseInt(probe.fillStyle.slice(i, i + 2), 16));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128;
  };
  const translucent = (colour, alpha) => {
    if (alpha === undefined) return colour;
    const [red, green, blue] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
    return `rgba(${red},${green},${blue},${alpha})`;
  };
  window.labColoured = (figure, palettes, element) => {
    const palette = palettes[window.labIsDark(element) ? "dark" : "light"];
    const named = /var\(--lab-([a-z]+(?:-\d+)?)(?:@([\d.]+))?\)/g;
    return JSON.parse(figure.replace(named, (_, name, alpha) => translucent(palette[name], alpha)));
  };

  // Streamlit keeps a theme for each page and offers it in a menu only. It follows the system's colour scheme by itself,
  // so the choice for the whole lab is put in front of that.
  const DARK = "(prefers-color-scheme: dark)";
  const KEY = "lab-theme";
  const ask = window.matchMedia.bind(window);
  const system = ask(DARK);
  const scheme = new EventTarget();
  let chosen = "system";
  const read = () => {
    try {
      chosen = localStorage.getItem(KEY) ?? "system";
    } catch {
      // without storage the choice lasts as long as the page
    }
  };
  const isDark = () => (chosen === "system" ? system.matches : chosen === "dark");
  const tell = () => {
    document.documentElement.dataset.labTheme = chosen;
    scheme.dispatchEvent(new Event("change"));
  };
  Object.defineProperties(scheme, { media: { value: DARK }, matches: { get: isDark } });
  window.matchMedia = (query) => (query === DARK ? scheme : ask(query));
  const choose = (theme) => {
    chosen = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // as above
    }
    tell();
  };
  const nextTheme = () => {
    const order = system.matches ? ["system", "light", "dark"] : ["system", "dark", "light"];
    return order[(order.indexOf(chosen) + 1) % order.length];
  };
  read();
  tell();
  system.addEventListener("change", tell);
  window.addEventListener("storage", (event) => {
    if (event.key === KEY) {
      read();
      tell();
    }
  });

  const copyByHand = (text) => {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy"); // the only way on a page without https
    field.remove();
  };
  const copyLink = async (button) => {
    try {
      await navigator.clipboard.writeText(location.href);
    } catch {
      copyByHand(location.href);
    }
    button.dataset.done = "true";
    setTimeout(() => delete button.dataset.done, 2000);
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-lab]");
    if (button?.dataset.lab === "theme") {
      choose(nextTheme());
      button.setAttribute("aria-label", `Theme: ${chosen}`);
    } else if (button?.dataset.lab === "copy-link") {
      copyLink(button);
    }
  });

  const TEXT = "textarea, select, [contenteditable='true'], input:not([type=range], [type=checkbox], [type=radio])";
  const press = (key) => {
    const buttons = [...document.querySelectorAll(`.st-key-${key} button:not(:disabled)`)];
    buttons.find((button) => button.offsetParent)?.click();
  };
  const shortcut = (event) => {
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && !event.altKey) {
      if (key === "z") return event.shiftKey ? "redo" : "undo";
      return key === "y" ? "redo" : "";
    }
    return key === "?" ? "help" : "";
  };
  document.addEventListener("keydown", (event) => {
    const key = shortcut(event);
    if (!key || event.target.closest?.(TEXT) || document.querySelector("[role=dialog]")) return;
    event.preventDefault();
    press(key);
  });
})();
