// Calls every audit-log method of the official Node SDK on a server, and prints the results, one JSON line per step.
//
//     npm ci && node story.mjs http://127.0.0.1:7070 sk_test_x org_a org_b
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";

// The SDK requires it as a global; Node 18 has it only in the module `node:crypto`.
globalThis.crypto ??= webcrypto;
const { WorkOS } = await import("@workos-inc/node");

const [base, key, organization, other] = process.argv.slice(2);
const url = new URL(base);
const workos = new WorkOS(key, {
  apiHostname: url.hostname,
  port: Number(url.port),
  https: url.protocol === "https:",
});
const logs = workos.auditLogs;
const show = (step, seen) => console.log(JSON.stringify({ step, ...seen }));

const schema = await logs.createSchema({
  action: "document.delete",
  targets: [{ type: "document", metadata: { title: "string" } }],
  metadata: { pages: "number" },
});
show("schema", { version: schema.version, targets: schema.targets });

const event = {
  action: "document.delete",
  occurredAt: new Date(Date.now() - 60_000),
  actor: { id: "u1", type: "user", name: "Ada" },
  targets: [{ id: "doc_1", type: "document", metadata: { title: "=1+1" } }],
  context: { location: "203.0.113.7", userAgent: "story" },
  metadata: { pages: 3 },
};
// One key twice stores one event; the other organization has its own log.
await logs.createEvent(organization, event, { idempotencyKey: "first" });
await logs.createEvent(organization, event, { idempotencyKey: "first" });
await logs.createEvent(other, { ...event, actor: { id: "u2", type: "user" } });
show("events", {});

const refused = await logs
  .createEvent(organization, { ...event, action: "document.delte" })
  .then(() => null, (error) => ({ name: error.constructor.name, status: error.status, message: error.message }));
show("refused", { refused });

const wanted = {
  organizationId: organization,
  rangeStart: new Date(Date.now() - 3_600_000),
  rangeEnd: new Date(Date.now() + 3_600_000),
  actions: ["document.delete"],
};
const created = await logs.createExport(wanted);
let fetched = created;
for (let polls = 0; fetched.state === "pending"; polls += 1) {
  assert.ok(polls < 600, "the export stays pending");
  await new Promise((next) => setTimeout(next, 50));
  fetched = await logs.getExport(created.id);
}
show("export", { first: created.state, last: fetched.state, id: fetched.id === created.id });

// The link is public and needs no key.
const file = await fetch(fetched.url);
show("file", { status: file.status, type: file.headers.get("content-type"), csv: await file.text() });

const before = await logs.getOrganizationAuditLogsRetention({ id: organization });
const after = await logs.updateOrganizationAuditLogsRetention({ id: organization, retentionPeriod: "3_MONTHS" });
const read = await logs.getOrganizationAuditLogsRetention({ id: organization });
show("retention", { before, after, read });

const versions = await logs.listSchemas("document.delete");
show("schemas", { versions: versions.data.map((one) => one.version) });
