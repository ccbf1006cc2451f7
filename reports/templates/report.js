// Laws: nothing is fetched; every text goes to the page as text, never as markup; the page is whole without this file
// but for the list of verdicts, which is built here, a page at a time, so that 20,000 findings stay quick.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const text = (index) => data.texts[index];
  const PAGE = 50;
  const PRINT_LIMIT = 3000;
  const OUTCOMES = ["fail", "known", "waived", "not_evaluated", "pass"];
  const WORDS = { fail: "Failed", known: "Failed, known", waived: "Waived", not_evaluated: "Not evaluated", pass: "Passed" };
  const SEVERITIES = ["critical", "high", "medium", "low", "info"];
  const $ = (id) => document.getElementById(id);

  function element(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === true) node.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
    }
    for (const child of children) if (child !== null && child !== "") node.append(child);
    return node;
  }

  // What policies write between backticks is code; an odd one is a character like any other.
  function prose(value) {
    const parts = value.split("`");
    return parts.length % 2 ? parts.map((part, at) => (at % 2 ? element("code", {}, part) : part)) : [value];
  }

  function sign(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("viewBox", "0 0 16 16");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", "#sign-" + name);
    svg.append(use);
    return svg;
  }

  // ---- rows -------------------------------------------------------------------------------------------------------
  // One row a verdict: a finding, a verdict that could not be reached, or (only once asked for) a pass.

  const place = (location) => {
    const [file, line, column] = location;
    return text(file) + (line ? ":" + line + (column ? ":" + column : "") : "");
  };

  function makeRow(kind, policy, subject, fields) {
    const about = subject < 0 ? null : data.subjects[subject];
    const at = fields.at || (about ? about.slice(3) : null);
    return {
      kind, policy, subject, ...fields, at,
      rank: data.policies[policy].rank,
      namespace: about ? about[1] : -1,
      file: at ? at[0] : -1,
      hay: "",
    };
  }

  const rows = [];
  for (const f of data.findings) {
    const [policy, subject, item, message, fingerprint, rank, flags, at, pointer, rendered, value, waiver, evidence, related, about] = f;
    const kind = flags & 1 ? "waived" : flags & 2 ? "known" : "fail";
    rows.push(Object.assign(makeRow(kind, policy, subject, { at }), { item, message, fingerprint, rank, pointer, rendered, value, waiver, evidence, related, about }));
  }
  for (const [policy, subject, reason] of data.open) rows.push(makeRow("not_evaluated", policy, subject, { message: reason }));
  let passesListed = false;
  function listPasses() {
    passesListed = true;
    data.passed.forEach((subjects, policy) => {
      for (const subject of subjects) rows.push(makeRow("pass", policy, subject, { message: -1 }));
    });
  }

  const subjectName = (row) => {
    if (row.subject < 0) return "the input as a whole";
    const [type, namespace, name] = data.subjects[row.subject];
    return text(type) + " " + (text(namespace) ? text(namespace) + "/" : "") + text(name);
  };
  const message = (row) => (row.message >= 0 ? text(row.message) : data.policies[row.policy].title + ": passed");

  function hay(row) {
    const policy = data.policies[row.policy];
    const parts = [message(row), policy.id, policy.name, policy.title, subjectName(row), row.at ? place(row.at) : ""];
    if (row.item !== undefined) parts.push(text(row.item), row.fingerprint, row.waiver, row.pointer ? text(row.pointer) : "", row.rendered ? text(row.rendered) : "");
    return parts.join("\n").toLowerCase();
  }

  // A requirement is touched by a policy's link, as far as the link speaks of this kind of principal.
  function touches(row, requirement) {
    return data.policies[row.policy].links.some(
      (link) => link.key === requirement && (!link.about || row.about === undefined || row.about === "any" || row.about === link.about),
    );
  }

  // ---- state ------------------------------------------------------------------------------------------------------

  const form = $("filters");
  const list = $("rows");
  let found = [];
  let page = 0;

  const checked = (name) => new Set([...form.querySelectorAll(`input[name="${name}"]:checked`)].map((box) => box.value));

  function search() {
    const words = form.elements.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const outcomes = checked("outcome");
    const severities = checked("severity");
    const policy = form.elements.policy.value;
    const requirement = form.elements.requirement.value;
    const namespace = form.elements.namespace.value;
    const file = form.elements.file.value.toLowerCase();
    if (outcomes.has("pass") && !passesListed) listPasses();
    const counts = { outcome: {}, severity: {} };
    const files = file ? data.texts.map((name) => name.toLowerCase().includes(file)) : null;
    found = [];
    for (const row of rows) {
      if (policy !== "" && row.policy !== +policy) continue;
      if (namespace !== "" && row.namespace !== +namespace) continue;
      if (files && !(row.file >= 0 && files[row.file])) continue;
      if (requirement !== "" && !touches(row, requirement)) continue;
      if (words.length) {
        if (!row.hay) row.hay = hay(row);
        if (!words.every((word) => row.hay.includes(word))) continue;
      }
      const severity = SEVERITIES[4 - row.rank];
      const inOutcome = outcomes.has(row.kind);
      const inSeverity = severities.has(severity);
      if (inSeverity) counts.outcome[row.kind] = (counts.outcome[row.kind] || 0) + 1;
      if (inOutcome) counts.severity[severity] = (counts.severity[severity] || 0) + 1;
      if (inOutcome && inSeverity) found.push(row);
    }
    const order = form.elements.order.value;
    if (order === "file") {
      const key = (row) => (row.at ? text(row.at[0]) : "");
      found.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : (a.at ? a.at[1] : 0) - (b.at ? b.at[1] : 0)));
    } else if (order === "subject") {
      found.sort((a, b) => a.subject - b.subject || b.rank - a.rank);
    } else {
      found.sort((a, b) => b.rank - a.rank);
    }
    for (const output of form.querySelectorAll("output[data-facet]")) {
      const { facet, value } = output.dataset;
      const count = counts[facet][value] || 0;
      output.value = value === "pass" && !passesListed ? "" : count.toLocaleString("en");
    }
    page = 0;
    show();
  }

  // ---- the list ---------------------------------------------------------------------------------------------------

  function outcomeSign(kind) {
    return element("span", { class: "outcome " + kind }, sign(kind === "known" ? "fail" : kind), WORDS[kind]);
  }

  function rowNode(row, open = false) {
    const policy = data.policies[row.policy];
    const severity = SEVERITIES[4 - row.rank];
    const button = element(
      "button", { type: "button", class: "row", "aria-expanded": String(open) },
      element("span", { class: "severity " + severity }, severity[0].toUpperCase() + severity.slice(1)),
      element("span", { class: "message" }, message(row)),
      element("span", { class: "state" }, outcomeSign(row.kind)),
      element("span", { class: "where" }, element("b", { class: "mono" }, policy.id), " · " + subjectName(row) + (row.at ? " · " : ""), row.at ? element("span", { class: "mono" }, place(row.at)) : null),
    );
    const node = element("li", {}, button);
    node.row = row;
    if (open) node.append(element("p", { class: "brief" }, brief(row)));
    return node;
  }

  function entry(terms, term, ...values) {
    terms.append(element("dt", {}, term), element("dd", {}, ...values));
  }

  function detail(row) {
    const policy = data.policies[row.policy];
    const terms = element("dl", { class: "facts" });
    entry(terms, "Policy", element("a", { href: "#policy-" + policy.id }, policy.id), " " + policy.title);
    if (row.at) {
      const pointer = row.pointer ? text(row.pointer) : "";
      entry(terms, "Location", element("code", {}, place(row.at)), pointer ? element("span", { class: "soft" }, " at ", element("code", {}, pointer)) : "");
    }
    if (row.rendered && text(row.rendered)) entry(terms, "Rendered from", text(row.rendered));
    if (row.item !== undefined && text(row.item)) entry(terms, "Item", element("code", {}, text(row.item)));
    for (const [name, value] of row.evidence || []) entry(terms, "Evidence: " + text(name), element("code", {}, text(value)));
    for (const [name, location] of row.related || []) entry(terms, "Related", text(name) + ": ", element("code", {}, place(location)));
    if (row.about && row.about !== "any") entry(terms, "About", row.about === "user" ? "a person's access" : "a workload's access");
    if (row.kind === "waived") entry(terms, "Waiver", element("a", { href: "#waivers" }, row.waiver));
    if (row.kind === "known") entry(terms, "Baseline", "holds this finding: it is counted, and does not fail the gate");
    if (row.kind !== "pass") entry(terms, "What to do", ...prose(policy.remediation));
    if (policy.snippet && row.kind !== "pass" && row.kind !== "not_evaluated") entry(terms, "Corrected", element("pre", {}, policy.snippet));
    const requirements = [...new Set(policy.links.map((link) => link.key))].filter((key) => touches(row, key));
    if (requirements.length) entry(terms, "Relates to", requirements.map((key) => data.requirements[key] || key).join(", "));
    if (row.fingerprint) entry(terms, "Fingerprint", element("span", { class: "digest" }, row.fingerprint));
    if (row.value) entry(terms, "Value fingerprint", element("span", { class: "digest" }, row.value));
    return element("div", { class: "detail" }, terms);
  }

  // On paper: what is this finding's own. What its policy says stands once, under the policies.
  function brief(row) {
    const parts = [];
    if (row.pointer && text(row.pointer)) parts.push("at " + text(row.pointer));
    if (row.rendered && text(row.rendered)) parts.push("rendered from " + text(row.rendered));
    if (row.item !== undefined && text(row.item)) parts.push(text(row.item));
    for (const [name, value] of row.evidence || []) parts.push(text(name) + ": " + text(value));
    for (const [name, location] of row.related || []) parts.push(text(name) + ": " + place(location));
    if (row.kind === "waived") parts.push("waiver " + row.waiver);
    if (row.fingerprint) parts.push("fingerprint " + row.fingerprint);
    if (row.value) parts.push("value fingerprint " + row.value);
    return parts.join(" · ");
  }

  function show() {
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    const from = page * PAGE;
    list.replaceChildren(...found.slice(from, from + PAGE).map((row) => rowNode(row)));
    $("none").hidden = found.length > 0;
    list.hidden = found.length === 0;
    const number = found.length.toLocaleString("en");
    $("count").textContent = found.length === 1 ? "1 verdict shown" : `${number} verdicts shown`;
    $("page").textContent = `${(found.length ? from + 1 : 0).toLocaleString("en")}–${Math.min(from + PAGE, found.length).toLocaleString("en")} of ${number}`;
    $("previous").disabled = page === 0;
    $("next").disabled = page >= pages - 1;
    $("pager").hidden = found.length <= PAGE;
  }

  function turn(by) {
    page += by;
    show();
    list.querySelector("button")?.focus();
    $("findings").scrollIntoView({ block: "start" });
  }

  function toggle(button) {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    if (open) button.parentNode.append(detail(button.parentNode.row));
    else button.parentNode.querySelector(".detail")?.remove();
  }

  list.addEventListener("click", (event) => {
    const button = event.target.closest("button.row");
    if (button) toggle(button);
  });
  $("previous").addEventListener("click", () => turn(-1));
  $("next").addEventListener("click", () => turn(1));
  form.addEventListener("input", (event) => event.target.matches("select") || search());
  form.addEventListener("change", (event) => event.target.matches("select") && search());
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(search));

  // ---- keyboard ---------------------------------------------------------------------------------------------------

  document.addEventListener("keydown", (event) => {
    const target = event.target;
    const typing = target.matches("input[type=search], input[type=text], select, textarea");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && !typing) {
      event.preventDefault();
      form.elements.search.focus();
      form.elements.search.select();
      return;
    }
    if (target === form.elements.search && event.key === "ArrowDown") {
      event.preventDefault();
      list.querySelector("button.row")?.focus();
      return;
    }
    if (!target.matches("button.row")) return;
    const buttons = [...list.querySelectorAll("button.row")];
    const at = buttons.indexOf(target);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      if (to < 0) form.elements.search.focus();
      else if (to < buttons.length) buttons[to].focus();
      else if (!$("next").disabled) turn(1);
    } else if (event.key === "Escape") {
      form.elements.search.focus();
    }
  });

  // ---- links from the rest of the page ----------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-filter]");
    if (link) {
      form.reset();
      const [name, value] = link.dataset.filter.split("=");
      for (const box of form.querySelectorAll('input[name="outcome"]')) {
        box.checked = (link.dataset.outcomes || "fail known waived not_evaluated").split(" ").includes(box.value);
      }
      if (name === "severity") {
        for (const box of form.querySelectorAll('input[name="severity"]')) box.checked = box.value === value;
      } else if (name) {
        form.elements[name].value = value;
      }
      setTimeout(search);
      return;
    }
    const anchor = event.target.closest('a[href^="#"]');
    if (anchor) openTarget(anchor.getAttribute("href").slice(1));
  });

  function openTarget(id) {
    const details = document.getElementById(decodeURIComponent(id))?.querySelector("details");
    if (details) details.open = true;
  }

  // ---- light and dark ---------------------------------------------------------------------------------------------

  const theme = $("theme");
  const dark = () => (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const label = () => (theme.textContent = dark() ? "Light" : "Dark");
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    label();
  });
  theme.hidden = false;
  label();

  // ---- print: what the filter shows, opened ------------------------------------------------------------------------

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
    list.replaceChildren(...found.slice(0, PRINT_LIMIT).map((row) => rowNode(row, true)));
    $("cut").hidden = found.length <= PRINT_LIMIT;
    $("cut").textContent = `The first ${PRINT_LIMIT.toLocaleString("en")} of ${found.length.toLocaleString("en")} are printed: filter before printing, or use the CSV report for all.`;
  });
  addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
    $("cut").hidden = true;
    show();
  });

  // ---- start ------------------------------------------------------------------------------------------------------

  if (!data.passesListed) form.querySelector('input[value="pass"]').closest("label").hidden = true;
  search();
  if (location.hash) openTarget(location.hash.slice(1));
  const fill = () => {
    for (const row of rows) if (!row.hay) row.hay = hay(row);
  };
  if (window.requestIdleCallback) requestIdleCallback(fill);
  else setTimeout(fill, 50);
})();
