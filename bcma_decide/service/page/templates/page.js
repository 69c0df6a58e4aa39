// The comparison beside the form, anew with every entry. Everything works without this file too: the form is then sent
// with its button. Nothing is kept here: no storage, no address.
"use strict";

(() => {
  const PAUSE = 250; // milliseconds after the last key
  const form = document.getElementById("p-form");
  const result = document.getElementById("p-result");
  const status = document.getElementById("p-status");
  const link = document.getElementById("p-link");
  if (!form || !result || !status) return;

  let timer = 0;
  let running = null;

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
    const opened = new Set(Array.from(result.querySelectorAll("details[open] > summary"), (each) => each.textContent));
    const style = document.getElementById("p-sheet-style");
    if (style.getAttribute("href") !== answer.dataset.style) style.setAttribute("href", answer.dataset.style);
    document.body.className = `page ${answer.dataset.audience}`;
    document.querySelector("#p-main > .p-screen > .p-problems")?.remove();
    const refused = answer.dataset.state === "refused";
    result.style.minHeight = refused ? `${result.offsetHeight}px` : ""; // so that the page does not jump
    result.replaceChildren(answer);
    result.classList.remove("p-stale");
    result.setAttribute("aria-busy", "false");
    for (const summary of result.querySelectorAll("details > summary"))
      if (opened.has(summary.textContent)) summary.parentElement.open = true;
    mark(Array.from(answer.querySelectorAll(".p-problems li[data-field]")));
    const replaced = new Set(answer.dataset.replaced.split(" "));
    for (const each of form.querySelectorAll(".p-replaced")) each.hidden = !replaced.has(groupOf(each).dataset.field);
    status.textContent = answer.dataset.status;
    if (link) link.value = answer.dataset.link;
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
      const control = group.matches("[role=radiogroup]") ? group : group.querySelector("input, select, textarea");
      if (said) {
        control.setAttribute("aria-invalid", "true");
        const folded = group.closest("details");
        if (folded) folded.open = true;
      } else control.removeAttribute("aria-invalid");
    }
  }

  function isChanged(control) {
    if (control.type === "radio" || control.type === "checkbox") return control.checked !== control.defaultChecked;
    if (control.tagName === "SELECT") return Array.from(control.options).some((each) => each.selected !== each.defaultSelected);
    return "defaultValue" in control && !control.readOnly && control.value !== control.defaultValue;
  }

  form.addEventListener("input", (event) => {
    clearTimeout(timer);
    running?.abort();
    if (isHalfway(event.target)) outOfDate("Out of date: waiting for the unit.");
    else {
      outOfDate("Out of date: comparing again.");
      timer = setTimeout(compare, PAUSE);
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
    (answer?.querySelector(".p-problems") ?? answer)?.focus();
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

  // After going back, a browser may have kept what was typed and not what was shown.
  window.addEventListener("pageshow", () => {
    if (Array.from(form.elements).some(isChanged)) compare();
  });
})();
