// The behaviour of the workbench: theme, row height, opening rows, keyboard, palette, dialogs. No framework, no globals.

const root = document.documentElement;

// What the script says, in the language of the page: it stands on the body.
const say = (name, number) => JSON.parse(document.body.dataset.words)[name].replace("{n}", number);

const remember = (key, value) => {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage is off: the choice lasts as long as the page.
  }
};

const toggle = (attribute, key, one, other) => {
  root.dataset[attribute] = root.dataset[attribute] === one ? other : one;
  remember(key, root.dataset[attribute]);
};

// ── Rows ────────────────────────────────────────────────────────────────

const rows = () => [...document.querySelectorAll(".sc-list tbody tr[data-href]")];
const current = () => document.querySelector(".sc-list tbody tr.sc-at");

const focusRow = (row) => {
  current()?.classList.remove("sc-at");
  row.classList.add("sc-at");
  row.scrollIntoView({ block: "nearest" });
};

const move = (step) => {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current());
  focusRow(all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + step))]);
};

const showSelection = () => {
  const boxes = [...document.querySelectorAll(".sc-list tbody .sc-check")];
  const chosen = boxes.filter((box) => box.checked);
  boxes.forEach((box) => box.closest("tr").classList.toggle("sc-on", box.checked));
  const all = document.querySelector("[data-act=pick-all]");
  if (all) {
    all.checked = boxes.length > 0 && chosen.length === boxes.length;
    all.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
  }
  const bar = document.querySelector(".sc-bulk");
  if (bar) {
    bar.hidden = chosen.length === 0;
    bar.querySelector("[data-chosen]").textContent = say(chosen.length === 1 ? "selected" : "selectedMany", chosen.length);
  }
};

const pick = (row) => {
  const box = row?.querySelector(".sc-check");
  if (!box) return;
  box.checked = !box.checked;
  showSelection();
};

// ── Columns ─────────────────────────────────────────────────────────────

// Which columns of a list a person does not want to see is kept on this device, by the list's address.
const hiddenColumns = () => {
  try {
    return JSON.parse(localStorage.getItem(`scColumns:${location.pathname}`)) || [];
  } catch {
    return [];
  }
};

const showColumns = () => {
  const table = document.querySelector(".sc-list");
  const list = document.querySelector("[data-columns]");
  if (!table || !list) return;
  const hidden = hiddenColumns();
  const heads = [...table.querySelectorAll("thead th")];
  const named = heads.map((head, index) => [index, head.querySelector(".sc-check, .sc-hide") ? "" : head.textContent.trim()]);
  list.replaceChildren(
    ...named.filter(([, name]) => name).map(([, name]) => {
      const label = document.createElement("label");
      label.className = "sc-menu-item";
      const box = document.createElement("input");
      box.type = "checkbox";
      box.className = "sc-check";
      box.dataset.column = name;
      box.checked = !hidden.includes(name);
      label.append(box, name);
      return label;
    }),
  );
  const gone = named.filter(([, name]) => name && hidden.includes(name)).map(([index]) => index);
  table.querySelectorAll("tr").forEach((row) => {
    [...row.children].forEach((cell, index) => cell.classList.toggle("sc-gone-column", gone.includes(index)));
  });
};

// ── Palette ─────────────────────────────────────────────────────────────

// Found anew each time: going back in the history puts a new body in place.
const palette = () => document.querySelector("#palette");
const paletteItems = () => [...document.querySelectorAll("#palette .sc-palette-item")];

const paletteAt = (index) => {
  const items = paletteItems();
  items.forEach((item, at) => item.setAttribute("aria-current", at === index ? "true" : "false"));
  items[index]?.scrollIntoView({ block: "nearest" });
};

const openPalette = () => {
  const dialog = palette();
  if (!dialog || dialog.open) return;
  dialog.showModal();
  dialog.querySelector("input").select();
  paletteAt(0);
};

const steerPalette = (event) => {
  const items = paletteItems();
  const at = items.findIndex((item) => item.getAttribute("aria-current") === "true");
  if (event.key === "ArrowDown") paletteAt(Math.min(items.length - 1, at + 1));
  else if (event.key === "ArrowUp") paletteAt(Math.max(0, at - 1));
  else if (event.key === "Enter") items[Math.max(0, at)]?.click();
  else return;
  event.preventDefault();
};

// ── Clicks ──────────────────────────────────────────────────────────────

const acts = {
  theme: () => toggle("bsTheme", "scTheme", "dark", "light"),
  density: () => toggle("density", "scDensity", "compact", "normal"),
  palette: openPalette,
  open: (trigger) => document.querySelector(trigger.dataset.dialog)?.showModal(),
  close: (trigger) => trigger.closest("dialog").close(),
  fill: (trigger) => {
    const field = document.querySelector(trigger.dataset.field);
    field.value = trigger.dataset.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  },
  "clear-picks": () => clearSelection(),
  "sign-in-as": (trigger) => {
    document.querySelector("#id_username").value = trigger.dataset.user;
    document.querySelector("#id_password").value = trigger.dataset.password;
    document.querySelector("#sign-in").requestSubmit();
  },
};

document.addEventListener("click", (event) => {
  const trigger = event.target.closest("[data-act]");
  if (trigger && acts[trigger.dataset.act]) {
    acts[trigger.dataset.act](trigger);
    return;
  }
  if (event.target instanceof HTMLDialogElement) {
    event.target.close(); // a click on the backdrop
    return;
  }
  const row = event.target.closest("tr[data-href]");
  if (!row || event.target.closest("a, button, input, label, summary") || String(getSelection())) return;
  if (event.ctrlKey || event.metaKey) window.open(row.dataset.href, "_blank");
  else location.assign(row.dataset.href);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-act=pick-all]")) {
    document.querySelectorAll(".sc-list tbody .sc-check").forEach((box) => (box.checked = event.target.checked));
  }
  if (event.target.dataset.column) {
    const name = event.target.dataset.column;
    const hidden = hiddenColumns().filter((other) => other !== name);
    remember(`scColumns:${location.pathname}`, JSON.stringify(event.target.checked ? hidden : [...hidden, name]));
    showColumns();
    document.querySelector(`[data-column="${CSS.escape(name)}"]`)?.focus();
    event.stopPropagation();
    return;
  }
  if (event.target.matches(".sc-check")) showSelection();
});

// A selection belongs to the rows a person saw: when the list changes, it is gone, never moved to other rows.
const clearSelection = () => {
  document.querySelectorAll(".sc-list .sc-check").forEach((box) => (box.checked = false));
  document.querySelectorAll(".sc-list .sc-on, .sc-list .sc-at").forEach((row) => row.classList.remove("sc-on", "sc-at"));
  showSelection();
};

// A menu closes when one clicks elsewhere, or presses Escape (below).
document.addEventListener("click", (event) => {
  document.querySelectorAll("details.sc-menu[open]").forEach((menu) => menu.contains(event.target) || (menu.open = false));
});

showColumns();

document.addEventListener("htmx:after:swap", () => {
  clearSelection();
  showColumns();
  if (palette()?.open) paletteAt(0);
});

// ── Half-typed forms ────────────────────────────────────────────────────

// What is typed at the dock survives a lost connection: it is kept on this device for its user until the act is done.
const KEPT_DAYS = 7;
const keptKey = (name) => `scKept:${document.body.dataset.user}:${name}`;

const forget = (key) => {
  try {
    localStorage.removeItem(key);
  } catch {
    // Nothing is kept where storage is off.
  }
};

const kept = (key) => {
  try {
    const found = JSON.parse(localStorage.getItem(key));
    if (found && Date.now() - found.at < KEPT_DAYS * 86_400_000) return found.fields;
  } catch {
    // Unreadable or off: nothing is kept.
  }
  forget(key);
  return null;
};

const keptFields = (form) =>
  [...form.elements].filter((field) => field.name && field.type !== "hidden" && field.name !== "csrfmiddlewaretoken");

const keep = (form) => {
  const fields = keptFields(form).map((field) =>
    field.type === "checkbox" ? [field.name, field.value, field.checked] : [field.name, field.value],
  );
  remember(keptKey(form.dataset.keep), JSON.stringify({ at: Date.now(), fields }));
};

const note = (tone, text, button, act) => {
  const line = document.createElement("div");
  line.className = `sc-note sc-restored sc-tone-${tone}`;
  line.setAttribute("role", "status");
  const words = document.createElement("span");
  words.textContent = text;
  line.append(words);
  if (button) {
    const control = document.createElement("button");
    control.type = "button";
    control.className = "sc-btn";
    control.textContent = button;
    control.addEventListener("click", () => act(line));
    line.append(control);
  }
  return line;
};

const restore = (form) => {
  const fields = kept(keptKey(form.dataset.keep));
  if (!fields || "bound" in form.dataset) return;
  let changed = false;
  for (const [name, value, checked] of fields) {
    const field = [...form.elements].find((one) => one.name === name && (checked === undefined || one.value === value));
    if (!field) continue;
    if (checked !== undefined) {
      changed ||= field.checked !== checked;
      field.checked = checked;
    } else if (field.value !== value) {
      changed = true;
      field.value = value;
      field.closest("details")?.setAttribute("open", "");
    }
  }
  if (!changed) return;
  const begin = () => {
    forget(keptKey(form.dataset.keep));
    location.reload();
  };
  form.before(note("info", say("restored"), say("anew"), begin));
};

document.querySelectorAll("[data-kept-done]").forEach((done) => forget(keptKey(done.dataset.keptDone)));
document.querySelectorAll("form[data-keep]").forEach((form) => {
  restore(form);
  form.addEventListener("input", () => keep(form));
  form.addEventListener("change", () => keep(form));
  form.addEventListener("submit", (event) => {
    keep(form);
    if (navigator.onLine) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    document.querySelector("#offline")?.remove();
    const line = note("warn", say("offline"));
    line.id = "offline";
    form.querySelector(".sc-dock-foot").before(line);
  });
});
addEventListener("online", () => document.querySelector("#offline")?.remove());

// A count against the book, as it is typed.
document.addEventListener("input", (event) => {
  const form = event.target.closest("form");
  const shown = form?.querySelector("[data-variance]");
  if (!shown) return;
  const lot = form.querySelector("select[name=lot]")?.selectedOptions[0];
  const book = form.querySelector("b[data-book]");
  if (lot) book.textContent = lot.dataset.book;
  const difference = Number(form.counted.value.replace(",", ".")) - Number(lot?.dataset.book ?? book.dataset.book);
  shown.hidden = !form.counted.value || Number.isNaN(difference);
  const figure = shown.querySelector("b");
  figure.textContent = difference > 0 ? `+${+difference.toFixed(5)}` : String(+difference.toFixed(5)).replace("-", "−");
  figure.className = difference === 0 ? "sc-fine" : difference < 0 ? "sc-late" : "sc-soon";
});

// A form is sent once: its button is off until the answer comes.
document.addEventListener("submit", (event) => {
  if (event.target.method === "post" && !event.defaultPrevented) setTimeout(() => event.submitter?.setAttribute("disabled", ""));
});
addEventListener("pageshow", () => document.querySelectorAll("form[method=post] [disabled]").forEach((button) => button.removeAttribute("disabled")));

// On a phone the chosen tab may stand beyond the edge.
document.querySelector(".sc-tab[aria-current]")?.scrollIntoView({ inline: "nearest", block: "nearest" });

// ── Keyboard ────────────────────────────────────────────────────────────

let pressedG = -Infinity; // not 0: a key in the first moment of a page did not follow a "g"

document.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && key === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (palette()?.open) steerPalette(event);
  const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (event.key === "Escape") document.querySelectorAll("details.sc-menu[open]").forEach((menu) => (menu.open = false));
  if (event.key === "Escape" && typing) typing.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;

  // A scanner is a keyboard: where a page waits for a scan, what is typed outside any field goes there, from its first sign on.
  const scan = document.querySelector("#scan");
  if (scan && event.key.length === 1 && event.key !== " ") {
    scan.focus();
    return;
  }
  if (event.timeStamp - pressedG < 1200) {
    pressedG = -Infinity;
    const link = document.querySelector(`[data-go="${CSS.escape(key)}"]`);
    if (link) {
      event.preventDefault();
      link.click();
      return;
    }
  }
  // What a key of the page itself does: the button that carries it.
  const keyed = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (keyed) {
    event.preventDefault();
    keyed.click();
    return;
  }
  const keys = {
    "/": () => (document.querySelector("#search") ?? { focus: openPalette }).focus(),
    "?": () => document.querySelector("#keys")?.showModal(),
    j: () => move(1),
    k: () => move(-1),
    x: () => pick(current()),
    g: () => (pressedG = event.timeStamp),
    enter: () => {
      if (!event.target.closest("a, button, summary") && current()) location.assign(current().dataset.href);
    },
  };
  if (keys[key]) {
    if (key !== "enter") event.preventDefault();
    keys[key]();
  }
});
