// What a report does in the browser: galleries that filter, sort and enlarge; tables that sort; contents that follow.
// Every text of the dataset goes in as text, never as markup. The state of a gallery lives in the page's address.
"use strict";
(() => {
  const FIRST = 24, BATCH = 60, PRINTED = 200;
  const galleries = new Map();

  // ---------------------------------------------------------------- elements
  function make(tag, properties = {}, ...children) {
    const { data = {}, ...plain } = properties;
    const element = Object.assign(document.createElement(tag), plain);
    Object.assign(element.dataset, data);
    element.append(...children.filter((child) => child !== null && child !== ""));
    return element;
  }

  function image(gallery, place, label) {
    if (place < 0) return make("span", { className: "none" }, "cannot be read");
    const [uri, width, height, pixels] = gallery.pictures[place];
    return make("img", { src: uri, width, height, alt: label, loading: "lazy", decoding: "async", className: pixels ? "pixels" : "" });
  }

  function labels(card) {
    const given = make("span", { className: "given" }, card.given);
    if (!card.suggested) return make("p", { className: "labels" }, card.given ? given : "");
    const arrow = make("span", { className: "arrow", ariaLabel: "looks like" }, "→");
    return make("p", { className: "labels" }, given, " ", arrow, " ", make("span", { className: "suggested" }, card.suggested));
  }

  function score(card) {
    if (card.score === null) return "";
    return make("span", { className: "score", title: "suspicion, from 0 to 1" }, card.score.toFixed(2));
  }

  function where(gallery, card) {
    const path = make("span", { className: "path", title: card.title }, make("bdi", {}, card.title));
    const copy = make("button", { type: "button", className: "copy", title: "Copy the path" }, "copy");
    copy.addEventListener("click", () => copyText(gallery.folder + card.title, copy));
    return make("p", { className: "where" }, path, copy);
  }

  async function copyText(text, button) {
    const told = button.textContent;
    let done = true;
    try { await navigator.clipboard.writeText(text); } catch { done = copyByHand(text, button); }
    button.textContent = done ? "copied" : "not copied";
    setTimeout(() => { button.textContent = told; }, 1200);
  }

  function copyByHand(text, button) {  // where the clipboard is out of bounds, as for files in some browsers
    const field = make("textarea", { value: text });
    (button.closest("dialog") ?? document.body).append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    button.focus();
    return done;
  }

  // ---------------------------------------------------------------- galleries
  function readGallery(root) {
    const key = root.dataset.gallery;
    const { pictures, kinds, cards } = JSON.parse(document.getElementById(`${key}-cards`).textContent);
    const folder = root.dataset.folder ? root.dataset.folder.replace(/\/?$/, "/") : "";
    const gallery = { key, root, pictures, kinds, cards, folder, form: root.querySelector("form"), list: root.querySelector(".cards"),
      status: root.querySelector(".shown"), more: root.querySelector(".more"), shown: cards, drawn: 0, growing: false };
    galleries.set(key, gallery);
    gallery.form?.addEventListener("input", () => { filter(gallery); remember(gallery); });
    gallery.form?.addEventListener("submit", (event) => event.preventDefault());
    gallery.form?.querySelector("[type=reset]").addEventListener("click", () => setTimeout(() => { filter(gallery); remember(gallery); }));
    gallery.list.addEventListener("keydown", (event) => walkCards(gallery, event));
    gallery.more.firstElementChild.addEventListener("click", () => { gallery.growing = true; draw(gallery, BATCH); });
    new IntersectionObserver((seen) => {
      if (gallery.growing && seen.some((entry) => entry.isIntersecting)) draw(gallery, BATCH);
    }, { rootMargin: "900px" }).observe(gallery.more);
    filter(gallery);
  }

  function wishes(gallery) {
    const form = gallery.form ? new FormData(gallery.form) : new FormData();
    const text = (name) => form.get(name) ?? "";
    return { text: text("text").trim().toLowerCase(), kind: text("kind"), given: text("given"), suggested: text("suggested"),
      score: Number(text("score") || 0), sort: text("sort"), issues: form.has("issues") };
  }

  function fits(card, want) {
    return (!want.kind || card.kind === want.kind) && (!want.given || card.given === want.given)
      && (!want.suggested || card.suggested === want.suggested) && (!want.issues || card.issue)
      && (want.score === 0 || (card.score ?? 0) >= want.score) && (!want.text || card.title.toLowerCase().includes(want.text));
  }

  const natural = new Intl.Collator(undefined, { numeric: true }).compare;
  const ORDERS = {
    path: (a, b) => natural(a.title, b.title),
    given: (a, b) => natural(a.given, b.given),
    suggested: (a, b) => natural(a.suggested, b.suggested),
  };

  function filter(gallery) {
    const want = wishes(gallery);
    gallery.shown = gallery.cards.filter((card) => fits(card, want));
    if (ORDERS[want.sort]) gallery.shown.sort(ORDERS[want.sort]);
    if (gallery.form?.elements.told) gallery.form.elements.told.value = want.score.toFixed(2);
    gallery.list.replaceChildren();
    gallery.drawn = 0;
    const all = gallery.cards.length, some = gallery.shown.length;
    const count = (number) => number.toLocaleString("en");
    const pictures = new Set(gallery.shown.map((card) => card.title)).size;
    const whose = pictures === some ? "" : `, of ${count(pictures)} ${pictures === 1 ? "picture" : "pictures"}`;
    const told = `${some === all ? count(all) : `${count(some)} of ${count(all)}`} shown${whose}`;
    const copy = make("button", { type: "button", className: "copy", title: "Copy the paths of all that are shown, one a line" }, "copy their paths");
    copy.addEventListener("click", () => copyText([...new Set(gallery.shown.map((card) => gallery.folder + card.title))].join("\n"), copy));
    gallery.status.replaceChildren(make("span", {}, some ? told : "Nothing fits these filters."), some ? copy : "");
    draw(gallery, FIRST);
  }

  function draw(gallery, count) {
    const next = gallery.shown.slice(gallery.drawn, gallery.drawn + count);
    gallery.list.append(...next.map((card) => cardElement(gallery, card)));
    gallery.drawn += next.length;
    const left = gallery.shown.length - gallery.drawn;
    gallery.more.hidden = left === 0;
    gallery.more.firstElementChild.textContent = `Show more (${left.toLocaleString("en")} left)`;
  }

  function cardElement(gallery, card) {
    const kind = Object.keys(gallery.kinds).length > 1 ? make("p", { className: "kind" }, gallery.kinds[card.kind] ?? card.kind) : "";
    const words = make("div", { className: "words" }, labels(card), kind, card.reason ? make("p", { className: "reason", title: card.reason }, card.reason) : "");
    const frame = make("div", { className: "frame" }, image(gallery, card.picture, card.title), score(card));
    const open = make("button", { type: "button", className: "open" }, frame, words);
    open.setAttribute("aria-label", [card.title, card.given && `labelled ${card.given}`, card.suggested && `looks like ${card.suggested}`].filter(Boolean).join(", "));
    open.addEventListener("click", () => enlarge(gallery, card));
    return make("li", { className: card.issue ? "card issue" : "card", data: { key: card.key } }, open, where(gallery, card));
  }

  function walkCards(gallery, event) {
    const at = [...gallery.list.children].indexOf(event.target.closest(".card"));
    const columns = getComputedStyle(gallery.list).gridTemplateColumns.split(" ").length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (at < 0 || !step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const target = Math.min(Math.max(at + step, 0), gallery.shown.length - 1);
    if (target >= gallery.drawn) draw(gallery, BATCH);
    gallery.list.children[target].querySelector(".open").focus();
  }

  // ---------------------------------------------------------------- enlarged view
  const view = { gallery: null, at: -1 };
  const dialog = make("dialog", {});
  dialog.setAttribute("aria-label", "Enlarged");

  function enlarge(gallery, card) {
    Object.assign(view, { gallery, at: gallery.shown.indexOf(card) });
    if (view.at < 0) return;
    dialog.className = ["labelled", "broad"].filter((look) => gallery.root.classList.contains(look)).join(" ");
    dialog.replaceChildren(bar(), sheet(gallery, card));
    if (!dialog.isConnected) document.body.append(dialog);
    if (!dialog.open) dialog.showModal();
    dialog.querySelector(".next").focus({ preventScroll: true });
    remember(gallery, card.key);
  }

  function step(by) {
    const card = view.gallery?.shown[view.at + by];
    if (card) enlarge(view.gallery, card);
  }

  function bar() {
    const last = view.gallery.shown.length - 1;
    const button = (name, text, title, disabled, action) => {
      const element = make("button", { type: "button", className: `button ${name}`, title, disabled }, text);
      element.setAttribute("aria-label", title);
      element.addEventListener("click", action);
      return element;
    };
    const at = make("span", { className: "at" }, `${(view.at + 1).toLocaleString("en")} of ${(last + 1).toLocaleString("en")}`);
    const hint = make("span", { className: "hint" }, make("kbd", {}, "← →"), "step", make("kbd", {}, "c"), "copy path", make("kbd", {}, "Esc"), "close");
    return make("div", { className: "bar" }, at, hint,
      button("step previous", "←", "Previous", view.at === 0, () => step(-1)),
      button("step next", "→", "Next", view.at === last, () => step(1)),
      button("close", "Close", "Close", false, () => dialog.close()));
  }

  function sheet(gallery, card) {
    const pips = make("p", { className: card.issue ? "pips issue" : "pips" }, score(card), gallery.kinds[card.kind] ?? card.kind, card.issue ? "" : make("span", {}, "below the cut-off"));
    const detail = make("div", { className: "detail" }, pips, labels(card), card.reason ? make("p", { className: "reason" }, card.reason) : "", where(gallery, card));
    if (card.evidence.length) detail.append(make("div", { className: "evidence" }, ...card.evidence.map((row, index) => strip(gallery, row, index))));
    return make("div", { className: "sheet" }, make("div", { className: "frame" }, wholePicture(gallery, card)), detail);
  }

  function strip(gallery, [label, pictures], index) {
    const drawn = pictures.map(([place, caption]) => make("figure", {}, make("div", { className: "frame" }, image(gallery, place, caption)), make("figcaption", { title: caption }, caption)));
    return make("div", { className: ["first", "second"][index] ?? "" }, make("h3", {}, label), make("div", { className: "strip" }, ...drawn));
  }

  function wholePicture(gallery, card) {  // the thumbnail at once, the original in its place as soon as it is there
    const shown = image(gallery, card.picture, card.title);
    if (!card.original) return shown;
    const whole = make("img", { alt: card.title, className: shown.className });
    whole.addEventListener("load", () => { if (shown.isConnected) shown.replaceWith(whole); });
    whole.src = card.original;
    return shown;
  }

  function closed() {
    const { gallery, at } = view;
    view.gallery = null;
    if (!gallery) return;
    remember(gallery);
    while (gallery.drawn <= at) draw(gallery, BATCH);
    gallery.list.children[at]?.querySelector(".open").focus();
  }

  // ---------------------------------------------------------------- address
  function remember(gallery, open = "") {
    const state = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...wishes(gallery), open })) if (value) state.set(name, value === true ? "1" : value);
    try { history.replaceState(null, "", state.size ? `#${gallery.key}?${state}` : `#${gallery.key}`); } catch { /* some viewers have no history */ }
  }

  function follow() {
    const [, key, query] = location.hash.match(/^#([^?]*)\??(.*)$/) ?? [];
    const gallery = galleries.get(key);
    if (!gallery || !location.hash.includes("?")) return;
    const state = new URLSearchParams(query);
    gallery.form?.reset();
    for (const field of gallery.form?.elements ?? []) {
      if (!field.name || !state.has(field.name)) continue;
      if (field.type === "checkbox") field.checked = true; else field.value = state.get(field.name);
      if (field.value !== state.get(field.name) && field.tagName === "SELECT") {  // no card has it: say so, rather than show all
        field.add(new Option(`${state.get(field.name)} (0)`, state.get(field.name), false, true));
      }
    }
    filter(gallery);
    const card = gallery.shown.find((one) => one.key === state.get("open"));
    if (card) enlarge(gallery, card);
    else gallery.root.closest("section")?.scrollIntoView();
  }

  // ---------------------------------------------------------------- tables, contents, theme, print
  function sortTable(heading) {
    const table = heading.closest("table"), column = heading.cellIndex, body = table.tBodies[0];
    const falling = heading.classList.contains("number") ? heading.ariaSort !== "descending" : heading.ariaSort === "ascending";
    const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const compare = heading.classList.contains("number") ? (a, b) => (parseFloat(a) || 0) - (parseFloat(b) || 0) : natural;
    const rows = [...body.rows].sort((a, b) => (falling ? -1 : 1) * compare(value(a), value(b)));
    for (const other of table.tHead.rows[0].cells) other.ariaSort = null;
    heading.ariaSort = falling ? "descending" : "ascending";
    body.append(...rows);
  }

  function followContents() {
    const links = new Map([...document.querySelectorAll("nav li a")].map((link) => [link.hash.slice(1), link]));
    const mark = () => {
      const sections = [...document.querySelectorAll("main > section")];
      const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 4;
      const current = atEnd ? sections.at(-1) : sections.filter((section) => section.getBoundingClientRect().top < 120).at(-1);
      for (const [key, link] of links) if (key === current?.id) link.ariaCurrent = "true"; else link.ariaCurrent = null;
    };
    addEventListener("scroll", mark, { passive: true });
    mark();
  }

  function changeTheme() {
    const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  }

  function onKey(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    if (dialog.open) {
      const action = { ArrowLeft: () => step(-1), ArrowRight: () => step(1), c: () => dialog.querySelector(".copy")?.click() }[event.key];
      if (action) { event.preventDefault(); action(); }
    } else if (event.key === "/") {
      const search = document.querySelector("input[type=search]");
      if (search) { event.preventDefault(); search.focus(); }
    }
  }

  document.querySelectorAll("[data-gallery]").forEach(readGallery);
  document.querySelectorAll("th button").forEach((button) => button.addEventListener("click", () => sortTable(button.parentElement)));
  document.querySelector(".theme")?.addEventListener("click", changeTheme);
  dialog.addEventListener("close", closed);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  addEventListener("keydown", onKey);
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => {
    for (const gallery of galleries.values()) if (gallery.drawn < PRINTED) draw(gallery, PRINTED - gallery.drawn);
    document.querySelectorAll("details").forEach((details) => { details.open = true; });
  });
  followContents();
  follow();
})();
