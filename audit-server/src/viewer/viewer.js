// Shows the stored events: first a page of the newest, then each new one. Content is only ever inserted as text.
"use strict";

const MAX_ROWS = 500;
const { api, organization } = document.body.dataset;
const element = (id) => document.getElementById(id);
const rows = document.querySelector("#events tbody");
const wanted = new URLSearchParams(location.search);
const filter = new URLSearchParams();
for (const name of ["organization", "action", "status"]) {
  const value = wanted.get(name);
  const field = document.querySelector(`[name=${name}]`);
  if (value) {
    field.value = value;
    filter.set(name, value);
  }
}
if (organization) {
  filter.delete("organization");
  element("shown-organization").textContent = `of ${organization}`;
  element("organization-filter").remove();
}

function make(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = String(text);
  if (className) made.className = className;
  return made;
}

function cell(label, ...content) {
  const made = make("td");
  made.dataset.label = label;
  made.append(...content);
  return made;
}

// Returns the value at a JSON Pointer inside the event, or at a dotted path from the root of the body.
function valueAt(stored, error) {
  const pointed = error.instancePath !== undefined;
  const steps = pointed
    ? error.instancePath.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"))
    : error.field.split(".");
  let value = pointed ? stored.event : { organization_id: stored.organization_id, event: stored.event };
  for (const step of steps) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, step)) return undefined;
    value = value[step];
  }
  return value;
}

function brief(value) {
  const text = JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

// Lists field, rule and value of each violation; for an unknown action the rule names the nearest known one.
function violations(stored) {
  const list = make("dl");
  const errors = stored.response.errors ?? [];
  for (const reason of stored.reasons) {
    const error = errors.find(({ instancePath, field }) =>
      instancePath !== undefined ? reason.startsWith(`${instancePath}: `) : reason.includes(`\`${field}\``));
    const path = error?.instancePath ?? error?.field;
    const rule = error?.instancePath !== undefined ? reason.slice(error.instancePath.length + 2) : reason;
    list.append(make("dt", path ?? `${stored.http_status}`), make("dd", rule));
    const value = error && valueAt(stored, error);
    if (value !== undefined && value !== null) list.append(make("dd", `value: ${brief(value)}`));
  }
  return list;
}

function describe({ id, type, name } = {}) {
  return name ?? [type, id].filter(Boolean).join(" ");
}

function row(stored) {
  const event = stored.event ?? {};
  const made = make("tr");
  made.dataset.seq = stored.seq;
  const time = make("time", stored.received_at.replace("T", " ").replace("Z", ""));
  time.dateTime = stored.received_at;
  const details = make("details");
  details.append(make("summary", `${stored.event_bytes} bytes`));
  details.addEventListener("toggle", () => {
    if (details.open && !details.querySelector("pre")) details.append(make("pre", JSON.stringify(stored, null, 2)));
  });
  const targets = Array.isArray(event.targets) ? event.targets : [];
  const content = cell("Event");
  if (stored.status === "rejected") content.append(violations(stored));
  content.append(details);
  made.append(
    cell("Received", time),
    cell("Status", make("span", `${stored.status} ${stored.http_status}`, stored.status)),
    cell("Organization", stored.organization_id ?? ""),
    cell("Action", stored.action ?? ""),
    cell("Actor", describe(event.actor ?? {})),
    cell("Targets", targets.map((target) => describe(target ?? {})).join(", ")),
    content,
  );
  return made;
}

function showEmpty() {
  const empty = rows.childElementCount === 0;
  element("events").hidden = empty;
  element("empty").hidden = !empty;
  element("empty-filtered").hidden = filter.size === 0;
  element("empty-all").hidden = filter.size !== 0;
}

function notice(text) {
  element("notice").textContent = text;
  element("notice").hidden = false;
}

function state(text) {
  element("state").textContent = text;
}

let missed = 0;

function follow(seq) {
  const query = new URLSearchParams(filter);
  query.set("after", seq);
  const stream = new EventSource(`${api}/stream?${query}`);
  stream.addEventListener("open", () => state("Live"));
  stream.addEventListener("error", () => state("Connection lost; reconnecting…"));
  stream.addEventListener("stored", ({ data }) => {
    rows.prepend(row(JSON.parse(data)));
    while (rows.childElementCount > MAX_ROWS) rows.lastElementChild.remove();
    showEmpty();
  });
  stream.addEventListener("missed", ({ data }) => {
    missed += JSON.parse(data).count;
    notice(`${missed} events arrived faster than they could be shown; they are stored nevertheless.`);
  });
}

async function start() {
  element("sample").textContent =
    `export WORKOS_BASE_URL=${location.origin}\n# POST ${location.origin}/audit_logs/actions/{actionName}/schemas registers an action,\n# POST ${location.origin}/audit_logs/events sends an event.`;
  const query = new URLSearchParams(filter);
  query.set("order", "desc");
  query.set("limit", "100");
  const response = await fetch(`${api}/events?${query}`);
  const body = await response.json();
  if (!response.ok) {
    state("");
    notice(response.status === 401
      ? "This server can be reached by other machines and requires its key. Create a link with POST /portal/generate_link."
      : body.message);
    return;
  }
  rows.append(...body.data.map(row));
  showEmpty();
  follow(body.data[0]?.seq ?? 0);
}

start().catch((error) => {
  state("");
  notice(`Could not load the events: ${error.message}. Reload the page to try again.`);
});
