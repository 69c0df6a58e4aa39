// The answer beside the form, anew with every entry. Everything works without this file too: the form is then sent
// with its button, and the parts of the answer stand below each other. Nothing is kept here: no storage, no address.
"use strict";

(() => {
  const PAUSE = 120; // milliseconds after the last key
  const CHOSEN = 20; // after something was chosen: the arrow keys may choose again at once
  const form = document.getElementById("p-form");
  const result = document.getElementById("p-result");
  const status = document.getElementById("p-status");
  const link = document.getElementById("p-link");
  const inputs = document.getElementById("p-inputs");
  if (!form || !result || !status) return;

  let timer = 0;
  let running = null;
  let tab = "numbers";

  const groupOf = (control) => control.closest("[data-field]");

  // A number whose unit is still to be chosen is no mistake yet.
  function isHalfway(control) {
    const group = groupOf(control);
    const text = group?.querySelector("input[type=text]");
    const unit = group?.querySelector("select[name$='.unit']");
    return Boolean(unit && unit.value === "" && /^[-+−]?[\d.]+$/.test(text.value.trim()));
  }

  function outOfDate(words) {
    result.classList.add("p-stale");
    result.setAttribute("aria-busy", "true");
    status.textContent = words;
  }

  async function compare() {
    clearTimeout(timer);
    running?.abort();
    const mine = new AbortController();
    running = mine;
    outOfDate("Out of date: comparing again.");
    let found = null;
    let code = 0;
    try {
      const answer = await fetch(form.dataset.result, {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        headers: { Accept: "text/html" },
        credentials: "same-origin",
        cache: "no-store",
        signal: mine.signal,
      });
      code = answer.status;
      const text = await answer.text();
      found = new DOMParser().parseFromString(text, "text/html").getElementById("p-answer");
    } catch {
      if (mine.signal.aborted) return;
    }
    if (mine !== running) return;
    running = null;
    if (found) show(found);
    else {
      result.setAttribute("aria-busy", "false");
      status.textContent = `Out of date: the service did not answer${code ? ` (${code})` : ""}. Press Compare to try again.`;
    }
  }

  function show(answer) {
    const before = values(result);
    const opened = new Set(Array.from(result.querySelectorAll("details[open] > summary"), (each) => each.textContent));
    const style = document.getElementById("p-sheet-style");
    if (style.getAttribute("href") !== answer.dataset.style) style.setAttribute("href", answer.dataset.style);
    document.body.className = `page ${answer.dataset.audience}`;
    const refused = answer.dataset.state === "refused";
    result.style.minHeight = refused ? `${result.offsetHeight}px` : ""; // so that the page does not jump
    const focused = result.contains(document.activeElement) ? document.activeElement.id : "";
    result.replaceChildren(answer);
    result.classList.remove("p-stale");
    result.setAttribute("aria-busy", "false");
    for (const summary of result.querySelectorAll("details > summary"))
      if (opened.has(summary.textContent)) summary.parentElement.open = true;
    makeTabs();
    if (focused) document.getElementById(focused)?.focus();
    const changed = markChanged(before);
    mark(Array.from(answer.querySelectorAll(".p-problems li[data-field]")));
    const replaced = new Set(answer.dataset.replaced.split(" "));
    for (const each of form.querySelectorAll(".p-replaced")) each.hidden = !replaced.has(groupOf(each).dataset.field);
    document.getElementById("p-strip").textContent = answer.dataset.strip;
    status.textContent = answer.dataset.status + (changed ? ` Changed: ${changed}.` : "");
    if (link) link.value = answer.dataset.link;
  }

  // What stands in every cell of the tables, by table, row and option.
  function values(where) {
    const found = new Map();
    for (const cell of where.querySelectorAll(".p-table td")) found.set(keyOf(cell), cell.textContent);
    return found;
  }

  const keyOf = (cell) =>
    [cell.closest("table").id, cell.parentElement.dataset.row, cell.dataset.label].join("/");

  function markChanged(before) {
    let count = 0;
    if (before.size)
      for (const cell of result.querySelectorAll(".p-table td"))
        if (before.get(keyOf(cell)) !== cell.textContent) {
          cell.classList.add("p-changed");
          if (cell.closest("#p-products")) count += 1;
        }
    return count ? `${count} ${count === 1 ? "cell" : "cells"}` : "";
  }

  // How many fields of each folded group hold an answer.
  function count() {
    for (const group of form.querySelectorAll(".p-more > details:has([data-field])")) {
      const fields = Array.from(group.querySelectorAll("[data-field]"));
      const known = fields.filter((each) =>
        Array.from(each.querySelectorAll("input, textarea, select")).some((control) =>
          control.type === "radio" ? control.checked && control.value : control.name.endsWith(".unit") ? control.value === "never" : control.value.trim(),
        ),
      );
      const slot = group.querySelector(".p-count");
      if (slot) slot.textContent = `${known.length} of ${fields.length}`;
    }
  }

  // Put each problem beside its field, and take away those that are mended.
  function mark(problems) {
    const wrong = new Map();
    for (const each of problems) {
      const said = each.querySelector("span").textContent;
      const before = wrong.get(each.dataset.field);
      wrong.set(each.dataset.field, before ? `${before}; ${said}` : said);
    }
    for (const group of form.querySelectorAll("[data-field]")) {
      const said = wrong.get(group.dataset.field) ?? "";
      const slot = group.querySelector(".p-error");
      if (slot.textContent !== said) slot.textContent = said;
      const control = group.matches("[role=radiogroup]")
        ? group
        : group.querySelector("input[type=text], input[type=date], select, textarea"); // boxes have none
      if (said) {
        control?.setAttribute("aria-invalid", "true");
        for (let folded = group.closest("details"); folded; folded = folded.parentElement.closest("details"))
          if (folded !== inputs) folded.open = true;
      } else control?.removeAttribute("aria-invalid");
    }
  }

  // Parts of the answer as tabs: arrow keys, Home and End move between them.
  function makeTabs() {
    const list = result.querySelector(".p-tabs");
    result.classList.toggle("p-tabbed", Boolean(list));
    if (!list) return;
    list.setAttribute("role", "tablist");
    const tabs = Array.from(list.querySelectorAll("a"));
    for (const each of tabs) {
      const panel = document.getElementById(each.hash.slice(1));
      each.setAttribute("role", "tab");
      each.setAttribute("aria-controls", panel.id);
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", each.id);
      panel.tabIndex = 0;
      each.addEventListener("click", (event) => {
        event.preventDefault();
        choose(each.id);
      });
      each.addEventListener("keydown", (event) => {
        const place = tabs.indexOf(each);
        const to = { ArrowRight: place + 1, ArrowLeft: place - 1 + tabs.length, Home: 0, End: tabs.length - 1 }[event.key];
        if (to === undefined) {
          if (event.key === " ") {
            event.preventDefault();
            choose(each.id);
          }
          return;
        }
        event.preventDefault();
        const next = tabs[to % tabs.length];
        choose(next.id);
        next.focus();
      });
    }
    choose(document.getElementById(`tab-${tab}`) ? `tab-${tab}` : "tab-numbers");
  }

  function choose(id) {
    tab = id.slice("tab-".length);
    for (const each of result.querySelectorAll("[role=tab]")) {
      const chosen = each.id === id;
      each.setAttribute("aria-selected", String(chosen));
      each.tabIndex = chosen ? 0 : -1;
      document.getElementById(each.getAttribute("aria-controls")).classList.toggle("p-chosen", chosen);
    }
    result.classList.toggle("p-on-numbers", tab === "numbers");
  }

  // A link to something in another tab, or folded away, opens it.
  document.addEventListener("click", (event) => {
    const to = event.target.closest?.("a[href^='#']");
    const target = to && !to.matches("[role=tab]") && document.getElementById(to.hash.slice(1));
    if (!target) return;
    const panel = target.closest(".p-panel");
    if (panel) choose(`tab-${panel.id.slice("t-".length)}`);
    for (let folded = target.closest("details"); folded; folded = folded.parentElement.closest("details")) folded.open = true;
    if (panel === target) {
      event.preventDefault();
      panel.focus();
    }
  });

  function isChanged(control) {
    if (control.type === "radio" || control.type === "checkbox") return control.checked !== control.defaultChecked;
    if (control.tagName === "SELECT") return Array.from(control.options).some((each) => each.selected !== each.defaultSelected);
    return "defaultValue" in control && !control.readOnly && control.value !== control.defaultValue;
  }

  form.addEventListener("input", (event) => {
    clearTimeout(timer);
    running?.abort();
    count();
    if (isHalfway(event.target)) outOfDate("Out of date: waiting for the unit.");
    else {
      outOfDate("Out of date: comparing again.");
      timer = setTimeout(compare, event.target.matches("input[type=text], textarea") ? PAUSE : CHOSEN);
    }
  });
  form.addEventListener("focusout", (event) => {
    if (isHalfway(event.target) && groupOf(event.target) !== groupOf(event.relatedTarget ?? form)) compare();
  });
  form.addEventListener("submit", async (event) => {
    if (event.submitter?.name === "format") return; // a file: the browser saves it
    event.preventDefault();
    await compare();
    const answer = document.getElementById("p-answer");
    (answer?.querySelector(".p-problems[tabindex]") ?? answer)?.focus();
  });

  const print = document.getElementById("p-print");
  print.hidden = false;
  print.addEventListener("click", () => window.print());

  const copy = document.getElementById("p-copy");
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    link.select();
    try {
      await navigator.clipboard.writeText(link.value);
      status.textContent = "Link copied.";
    } catch {
      status.textContent = "The link is selected: copy it with the keyboard.";
    }
  });

  // Beside the answer the form is always there; above it, it is folded to its summary.
  const wide = window.matchMedia("(min-width: 74rem)");
  const fold = () => {
    if (wide.matches) inputs.open = true;
    else if (!inputs.contains(document.activeElement)) inputs.open = false;
  };
  wide.addEventListener("change", fold);
  if (!result.querySelector(".p-problems[tabindex]")) fold();

  const asked = document.getElementById(`tab-${location.hash.slice("#t-".length)}`);
  if (asked) tab = asked.id.slice("tab-".length);
  makeTabs();
  // After going back, a browser may have kept what was typed and not what was shown.
  window.addEventListener("pageshow", () => {
    count();
    if (Array.from(form.elements).some(isChanged)) compare();
  });
})();
