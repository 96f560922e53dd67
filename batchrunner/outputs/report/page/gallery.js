// The gallery: every job is data; only those of the page at hand are elements, and only films in sight are opened.
// Foreign text reaches the page as text nodes, never as markup.
(() => {
  "use strict";
  const PAGE = 24;
  const STATES = [
    ["succeeded", "Succeeded"], ["failed", "Failed"], ["unknown", "In doubt"], ["cancelled", "Cancelled"],
    ["ready", "To download"], ["submitted", "Running"], ["submitting", "Submitting"], ["pending", "Pending"],
  ];
  const WORD = Object.fromEntries(STATES);
  const PROMPTS = ["text", "prompt", "positive_prompt", "caption"];

  const $ = (id) => document.getElementById(id);
  const read = (id) => JSON.parse($(id).textContent);
  const { fields, models } = read("settings");
  const F = Object.fromEntries(fields.map((name, index) => [name, index]));
  const jobs = read("jobs");
  $("jobs").remove(); // the text is not needed twice
  document.documentElement.classList.add("scripted");

  const whole = new Intl.NumberFormat("en");
  const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const hovers = matchMedia("(hover: hover)");

  // ── words ──

  // What draws nothing or turns the direction of text is spelled out, as on the terminal.
  const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
  const shown = (text) => String(text).replace(HIDDEN, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const plural = (n, noun) => `${whole.format(n)} ${noun}${n === 1 ? "" : "s"}`;
  const span = (s) => {
    if (s < 9.95) return `${+s.toFixed(1)} s`;
    if (s < 59.5) return `${Math.round(s)} s`;
    if (s < 3600) return `${Math.floor(s / 60)} m ${String(Math.round(s % 60) % 60).padStart(2, "0")} s`;
    return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")} m`;
  };
  const money = (usd) => (usd >= 1 || usd === 0 ? `$${usd.toFixed(2)}` : `$${usd.toFixed(4).replace(/0{1,2}$/, "")}`);
  const size = (n) => {
    for (const unit of ["bytes", "kB", "MB"]) {
      if (n < 1000) return `${unit === "bytes" || n >= 100 ? Math.round(n) : n.toFixed(1)} ${unit}`;
      n /= 1000;
    }
    return `${n.toFixed(1)} GB`;
  };
  const isPlain = (value) => value === null || typeof value !== "object";
  const plain = (value) => {
    if (Array.isArray(value) && value.every(isPlain)) return value.join(", ");
    return isPlain(value) ? String(value) : JSON.stringify(value);
  };
  const promptName = (job) => PROMPTS.find((name) => typeof job[F.inputs][name] === "string");
  const promptOf = (job) => { const name = promptName(job); return name ? job[F.inputs][name] : ""; };
  const wallTime = (job) => (job[F.submitted] && job[F.completed] ? job[F.completed] - job[F.submitted] : null);
  const isWeb = (value) => typeof value === "string" && /^https?:\/\//i.test(value);
  const readable = (address) => { try { return decodeURI(address); } catch { return address; } };
  const addressOf = (file) => file.split("/").map(encodeURIComponent).join("/");

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const icon = (name) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    svg.setAttribute("class", "icon"); svg.setAttribute("viewBox", "0 0 24 24"); svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", `#i-${name}`);
    svg.append(use);
    return svg;
  };

  // ── what is shown ──

  const view = { query: "", state: "", model: "", order: "manifest", cause: null, page: 0, found: [] };
  let haystacks = null;
  const haystack = (index) => {
    haystacks ??= new Array(jobs.length);
    return (haystacks[index] ??= [
      jobs[index][F.id], models[jobs[index][F.model]], JSON.stringify(jobs[index][F.inputs]).replaceAll('"', ""),
      JSON.stringify(jobs[index][F.meta]), jobs[index][F.message] ?? "", jobs[index][F.request] ?? "",
      `row ${jobs[index][F.row]}`,
    ].join("\n").toLowerCase());
  };

  const ORDERS = {
    newest: (job) => job[F.saved] ?? job[F.completed] ?? 0,
    slowest: (job) => wallTime(job) ?? -1,
    costliest: (job) => job[F.cost] ?? -1,
  };

  const matches = (words, index) => {
    const job = jobs[index];
    if (view.state && job[F.state] !== view.state) return false;
    if (view.model !== "" && job[F.model] !== +view.model) return false;
    if (view.cause && (job[F.state] !== view.cause.state || (job[F.code] ?? "") !== view.cause.code)) return false;
    return words.every((word) => haystack(index).includes(word));
  };

  const find = () => {
    const words = view.query.toLowerCase().split(/\s+/).filter(Boolean);
    const found = [];
    for (let index = 0; index < jobs.length; index += 1) if (matches(words, index)) found.push(index);
    const key = ORDERS[view.order];
    if (key) found.sort((one, other) => key(jobs[other]) - key(jobs[one]) || one - other);
    view.found = found;
  };

  const update = ({ page = 0 } = {}) => {
    find();
    turnTo(page);
    document.querySelectorAll("#states button").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.state === view.state));
    });
    $("cause-note").hidden = !view.cause;
    if (view.cause) $("cause-note").firstElementChild.textContent = `Only: ${view.cause.title}.`;
  };

  const pages = () => Math.max(1, Math.ceil(view.found.length / PAGE));

  const turnTo = (page) => {
    view.page = Math.min(Math.max(0, page), pages() - 1);
    const from = view.page * PAGE;
    sight.disconnect();
    $("cards").replaceChildren(...view.found.slice(from, from + PAGE).map((index) => card(index)));
    $("pager").hidden = pages() === 1;
    $("pages").textContent = whole.format(pages());
    $("page").value = view.page + 1;
    $("page").max = pages();
    $("previous").disabled = view.page === 0;
    $("next").disabled = view.page === pages() - 1;
    $("nothing").hidden = view.found.length > 0;
    $("cards").hidden = view.found.length === 0;
    $("nothing").firstElementChild.textContent = jobs.length ? "Nothing matches." : "There are no jobs yet.";
    $("clear").hidden = jobs.length === 0;
    const all = view.found.length === jobs.length ? plural(jobs.length, "job") : `${whole.format(view.found.length)} of ${plural(jobs.length, "job")}`;
    $("found").textContent = pages() > 1 ? `${all}, page ${whole.format(view.page + 1)} of ${whole.format(pages())}` : all;
  };

  // ── cards ──

  // A film is opened when its card comes into sight: its first frame is the poster.
  const sight = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      sight.unobserve(target);
      target.preload = "metadata";
      target.src = `${target.dataset.file}#t=0.04`;
    }
  }, { rootMargin: "300px" });

  const sign = (kind, name, text) => element("span", { className: `sign ${kind}` }, icon(name), element("span", { textContent: text }));
  const unshowable = (stage) => stage.replaceChildren(sign("", "alert", "Not found beside this page, or not playable here"));

  const stageOf = (job, stage, poster) => {
    const state = job[F.state], [kind, file] = job[F.files][0] ?? [];
    if (kind === "image" && file) {
      const picture = element("img", { alt: "", loading: "lazy", decoding: "async", src: addressOf(file) });
      picture.onerror = () => unshowable(stage);
      return stage.append(picture);
    }
    if (kind === "audio" && file) return stage.append(sign("", "play", "Audio"));
    if (file) {
      const film = element("video", { muted: true, playsInline: true, preload: "none", tabIndex: -1, loop: true });
      film.setAttribute("aria-hidden", "true");
      film.dataset.file = addressOf(file);
      film.onerror = () => unshowable(stage);
      const play = element("span", { className: "play" }, icon("play"));
      stage.append(film, play);
      sight.observe(film);
      poster.onpointerenter = () => {
        if (!hovers.matches || calm.matches) return;
        film.play().then(() => play.classList.add("playing"), () => {});
      };
      poster.onpointerleave = () => { film.pause(); play.classList.remove("playing"); };
      return;
    }
    const message = shown(job[F.message] ?? "");
    if (job[F.files].length) return stage.append(sign("", "play", "In the store"));
    if (state === "failed" || state === "cancelled") stage.append(sign("bad", "alert", message || WORD[state]));
    else if (state === "unknown") stage.append(sign("doubt", "alert", message || "May have been accepted and paid"));
    else stage.append(sign("", "wait", message || { pending: "Not submitted yet", submitted: "At the service", ready: "Not downloaded yet" }[state] || WORD[state]));
  };

  const factsOf = (job) => [
    "seed" in job[F.inputs] && `seed ${plain(job[F.inputs].seed)}`,
    job[F.inputs].resolution && plain(job[F.inputs].resolution),
    wallTime(job) !== null && span(wallTime(job)),
    job[F.cost] !== null && money(job[F.cost]),
  ].filter(Boolean).map(shown).join(" · ");

  const card = (index) => {
    const job = jobs[index], state = job[F.state];
    const made = $("card").content.cloneNode(true).firstElementChild;
    const part = (name) => made.querySelector(`.${name}`);
    part("prompt").textContent = shown(promptOf(job).slice(0, 400)) || "–";
    part("id").textContent = shown(job[F.id]);
    part("facts").textContent = factsOf(job) || `row ${job[F.row]}`;
    if (state !== "succeeded") { part("badge").textContent = WORD[state]; part("badge").classList.add(`b-${state}`); }
    if (job[F.files].length > 1) part("more-files").textContent = `${job[F.files].length} files`;
    part("verb").textContent = `${state === "succeeded" ? "Play" : "Open"} ${shown(job[F.id])}`;
    part("poster").onclick = () => open(index, view.found.indexOf(index));
    stageOf(job, part("stage"), part("poster"));
    return made;
  };

  // ── one job ──

  const detail = $("detail");
  const shownJob = { index: 0, position: 0 };

  const entries = (list, values) => {
    list.replaceChildren();
    for (const [name, value] of values) list.append(element("dt", { textContent: shown(name) }), element("dd", { textContent: shown(value) }));
    return list.childElementCount > 0;
  };

  const showOutput = (job, n) => {
    const [kind, file] = job[F.files][n] ?? [];
    const screen = $("screen");
    stop();
    if (!file) {
      const state = job[F.state];
      const stored = job[F.files].length ? "In the store, not in this folder" : "No file";
      const words = { failed: "This job failed", unknown: "This job is in doubt", cancelled: "This job was cancelled", succeeded: stored };
      screen.replaceChildren(sign("", state === "failed" || state === "unknown" ? "alert" : "wait", words[state] ?? "Not on disk yet"));
      return;
    }
    const media = kind === "image"
      ? element("img", { src: addressOf(file), alt: `Output of ${shown(job[F.id])}` })
      : element(kind === "audio" ? "audio" : "video", { src: addressOf(file), controls: true, playsInline: true, loop: kind !== "audio" });
    media.setAttribute("aria-label", `Output ${n + 1} of ${shown(job[F.id])}`);
    media.onerror = () => screen.replaceChildren(sign("", "alert", `${file} was not found beside this page, or this browser cannot show it.`));
    screen.replaceChildren(media);
    if (media.play && !calm.matches) media.play().catch(() => {});
    document.querySelectorAll("#outputs button").forEach((button, place) => button.setAttribute("aria-pressed", String(place === n)));
  };

  const stop = () => {
    const media = $("screen").querySelector("video, audio");
    if (!media) return;
    media.onerror = null;
    media.pause();
    media.removeAttribute("src");
    media.load();
  };

  const links = (values) => values.map((value) => {
    const item = element("li");
    if (isWeb(value)) item.append(element("a", { href: value, target: "_blank", rel: "noopener noreferrer", textContent: shown(readable(value)) }, icon("out")));
    else item.textContent = shown(value);
    return item;
  });

  const fill = (job) => {
    const state = job[F.state], inputs = Object.entries(job[F.inputs]), prompt = promptName(job);
    $("detail-id").textContent = shown(job[F.id]);
    $("detail-state").textContent = WORD[state];
    $("detail-state").className = `badge b-${state}`;
    $("detail-error").replaceChildren();
    if (job[F.code] || job[F.message]) {
      const code = (job[F.code] ?? "").replaceAll("_", " ");
      $("detail-error").append(element("div", { className: `problem ${state === "failed" ? "" : "waiting"}` },
        element("b", { textContent: code.charAt(0).toUpperCase() + code.slice(1) }), shown(job[F.message] ?? "")));
    }
    $("detail-prompt").hidden = !prompt;
    $("detail-prompt").querySelector(".prompt").textContent = shown(promptOf(job));
    const references = inputs.flatMap(([, value]) => (Array.isArray(value) ? value : [value]).filter(isWeb));
    $("detail-references").hidden = references.length === 0;
    $("detail-references").querySelector("ul").replaceChildren(...links(references));
    const others = inputs.filter(([name, value]) => name !== prompt && !(Array.isArray(value) ? value.length && value.every(isWeb) : isWeb(value)));
    $("detail-inputs").hidden = !entries($("detail-inputs").querySelector("dl"), others.map(([name, value]) => [name, plain(value)]));
    $("detail-meta").hidden = !entries($("detail-meta").querySelector("dl"), Object.entries(job[F.meta]).map(([name, value]) => [name, plain(value)]));
    const at = (instant) => instant && clock.format(new Date(instant * 1000));
    entries($("detail-record"), [
      ["Row", job[F.row] + (job[F.gone] ? ", no longer in the manifest" : "")], ["Model", models[job[F.model]]],
      ["Ran for", wallTime(job) !== null && span(wallTime(job))], ["Attempts", job[F.attempts] || null],
      ["Cost", job[F.cost] !== null && money(job[F.cost])], ["Submitted", at(job[F.submitted])],
      ["Completed", at(job[F.completed])], ["Saved", at(job[F.saved])], ["Request", job[F.request]],
      ...job[F.files].map(([, file, bytes]) => ["File", file && `${file}, ${size(bytes)}`]),
      ...job[F.files].map(([, , bytes, stored]) => ["Store", stored && `${stored}, ${size(bytes)}`]),
    ].filter(([, value]) => value));
    for (const [, , , , address] of job[F.files].filter((file) => isWeb(file[4]))) {
      const link = element("a", { href: address, target: "_blank", rel: "noopener noreferrer", textContent: "from the store" }, icon("out"));
      $("detail-record").append(element("dt", { textContent: "Fetch" }), element("dd", {}, link));
    }
    $("copy-id").dataset.copy = job[F.id];
    $("copy-prompt").dataset.copy = promptOf(job);
  };

  const open = (index, position) => {
    const job = jobs[index];
    Object.assign(shownJob, { index, position });
    fill(job);
    $("outputs").replaceChildren(...(job[F.files].length > 1 ? job[F.files].map((_, n) =>
      element("button", { type: "button", textContent: n + 1, ariaLabel: `Output ${n + 1}`, onclick: () => showOutput(job, n) })) : []));
    $("before").disabled = position <= 0;
    $("after").disabled = position < 0 || position >= view.found.length - 1;
    $("place").textContent = position < 0 ? "" : `${whole.format(position + 1)} of ${whole.format(view.found.length)}`;
    if (!detail.open) detail.showModal();
    detail.querySelector(".side").scrollTop = 0;
    detail.querySelector(".frame").scrollTop = 0;
    $("detail-id").focus({ preventScroll: true });
    showOutput(job, 0);
  };

  const step = (by) => {
    const position = shownJob.position + by;
    if (shownJob.position >= 0 && position >= 0 && position < view.found.length) open(view.found[position], position);
  };

  $("before").onclick = () => step(-1);
  $("after").onclick = () => step(1);
  $("close").onclick = () => detail.close();
  detail.onclick = (event) => { if (event.target === detail) detail.close(); };
  detail.onclose = () => {
    stop();
    $("screen").replaceChildren();
    if (shownJob.position < 0) return;
    const page = Math.floor(shownJob.position / PAGE);
    if (page !== view.page) turnTo(page);
    $("cards").children[shownJob.position % PAGE]?.querySelector(".poster").focus();
  };
  detail.onkeydown = (event) => {
    if (event.target.matches("video, audio, input") || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowLeft") step(-1);
    else if (event.key === "ArrowRight") step(1);
    else return;
    event.preventDefault();
  };

  // ── filters ──

  const counts = {};
  for (const job of jobs) counts[job[F.state]] = (counts[job[F.state]] ?? 0) + 1;
  const chip = (state, word, n) => {
    const made = element("button", { type: "button", onclick: () => { view.state = state; view.cause = null; update(); } }, word, element("b", { textContent: whole.format(n) }));
    made.dataset.state = state;
    return made;
  };
  $("states").append(chip("", "All", jobs.length), ...STATES.filter(([state]) => counts[state]).map(([state, word]) => chip(state, word, counts[state])));

  if (models.length > 1) {
    models.forEach((model, index) => $("model").append(element("option", { value: index, textContent: shown(model) })));
    $("model-label").hidden = false;
  }
  let typing = 0;
  $("query").oninput = () => {
    clearTimeout(typing);
    typing = setTimeout(() => { view.query = $("query").value; update(); }, 120);
  };
  $("order").onchange = () => { view.order = $("order").value; update(); };
  $("model").onchange = () => { view.model = $("model").value; update(); };
  const clear = () => {
    Object.assign(view, { query: "", state: "", model: "", cause: null });
    $("query").value = $("model").value = "";
    update();
  };
  $("clear").onclick = () => { clear(); $("query").focus(); };
  $("cause-clear").onclick = clear;
  const turnAndGo = (page) => { turnTo(page); $("films").scrollIntoView(); };
  $("previous").onclick = () => turnAndGo(view.page - 1);
  $("next").onclick = () => turnAndGo(view.page + 1);
  $("page").onchange = () => turnAndGo((+$("page").value || 1) - 1);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || detail.open || event.target.matches("input, select")) return;
    event.preventDefault();
    $("query").focus();
  });

  // ── the rest of the page ──

  document.querySelectorAll(".show-cause").forEach((button) => {
    button.onclick = () => {
      clear();
      view.cause = { ...button.dataset, title: button.closest(".cause").querySelector("h3").textContent };
      update();
      $("films").scrollIntoView();
      $("films").focus({ preventScroll: true });
    };
  });
  document.querySelectorAll(".open-job").forEach((button) => {
    const index = () => jobs.findIndex((job) => job[F.id] === button.dataset.job);
    button.onclick = () => { if (index() >= 0) open(index(), view.found.indexOf(index())); };
  });

  const copied = async (text) => {
    try { await navigator.clipboard.writeText(text); } catch {
      const area = element("textarea", { value: text, className: "hidden" });
      (detail.open ? detail : document.body).append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  document.querySelectorAll(".copy").forEach((button) => {
    const label = button.querySelector("span"), word = label.textContent;
    button.onclick = async () => {
      await copied(button.dataset.copy);
      label.textContent = "Copied";
      $("said").textContent = "Copied";
      setTimeout(() => { label.textContent = word; $("said").textContent = ""; }, 1600);
    };
  });

  const THEMES = { auto: ["Auto", "as the system has them"], light: ["Light", "light"], dark: ["Dark", "dark"] };
  const root = document.documentElement;
  const wear = (theme) => {
    if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme;
    $("theme-word").textContent = THEMES[theme][0];
    $("theme").ariaLabel = $("theme").title = `Colours: ${THEMES[theme][1]}`;
    try { localStorage.setItem("batchrunner-theme", theme); } catch { /* storage may be off for files */ }
  };
  $("theme").onclick = () => {
    const names = Object.keys(THEMES);
    wear(names[(names.indexOf(root.dataset.theme ?? "auto") + 1) % names.length]);
  };
  wear(root.dataset.theme ?? "auto");

  document.querySelectorAll("time").forEach((time) => { time.textContent = clock.format(new Date(time.dateTime)); });
  addEventListener("beforeprint", () => document.querySelectorAll("#cards video[data-file]:not([src])").forEach((film) => { film.src = film.dataset.file; }));
  update();
})();
